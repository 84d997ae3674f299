// The flags that ask a server to behave as an older one. There is one behaviour here, that of the version that the server reports.
import { boolFlag, type FlagValues, listFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { version } from '#base/version.ts';

export const versionFlags = {
  'emulated-version': listFlag([], 'The version to behave as, such as kube=1.36. Only that of the server is supported'),
  'emulation-forward-compatible': boolFlag(false, 'Only false is supported: it is for servers that behave as an older version'),
  'min-compatibility-version': listFlag([], 'The oldest version of components to work with, such as kube=1.35'),
  'runtime-config-emulation-forward-compatible': boolFlag(false, 'Only false is supported, as with --emulation-forward-compatible'),
} as const;

const minors = { own: Number(/^v1\.(\d+)/.exec(version)?.[1]), oldest: 3 };

/** Throws UsageError, in upstream's words where it refuses the same. */
export function checkVersions(values: FlagValues<typeof versionFlags>): void {
  const { own } = minors;
  const least = own - minors.oldest;
  const emulated = kubeMinor(values['emulated-version'], 'emulated-version') ?? own;
  if (emulated < least || emulated > own) throw new UsageError(`emulation version 1.${emulated} is not between [1.${least}, 1.${own}.0]`);
  if (emulated !== own) {
    throw new UsageError(`--emulated-version=1.${emulated} is not supported: this server behaves as 1.${own} and as nothing older`);
  }
  const compatible = kubeMinor(values['min-compatibility-version'], 'min-compatibility-version') ?? own - 1;
  if (compatible < least || compatible > emulated) {
    throw new UsageError(`minCompatibilityVersion version 1.${compatible} is not between [1.${least}, 1.${emulated}]`);
  }
  for (const name of ['emulation-forward-compatible', 'runtime-config-emulation-forward-compatible'] as const) {
    if (values[name]) throw new UsageError(`--${name} can only be set to true if the emulation version is lower than the binary version`);
  }
}

function kubeMinor(pairs: readonly string[], flag: string): number | undefined {
  let minor: number | undefined;
  for (const pair of pairs) {
    const [, component = 'kube', text = ''] = /^(?:([^=]*)=)?(.*)$/s.exec(pair) ?? [];
    if (component !== 'kube') throw new UsageError(`component not registered: ${component}`);
    const match = /^v?1\.(\d+)$/.exec(text);
    if (match === null) throw new UsageError(`invalid value ${JSON.stringify(pair)} for --${flag}: must be of the form kube=MAJOR.MINOR`);
    minor = Number(match[1]);
  }
  return minor;
}
