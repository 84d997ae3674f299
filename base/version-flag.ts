import { buildInfo } from './build-info.ts';
import { UsageError } from './lifecycle.ts';

/** Programs of upstream's names, which print their version as those do. */
const components: ReadonlySet<string> = new Set([
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'cloud-controller-manager',
]);

/**
 * What a component prints for a word such as `--version` or `--version=raw`; '' where the word asks for no version after all,
 * undefined where it is about something else. Throws UsageError.
 */
export function versionText(program: string, word: string): string | undefined {
  const match = components.has(program) ? /^--version(?:=(.*))?$/s.exec(word) : null;
  if (match === null) return undefined;
  const [, value = 'true'] = match;
  const { gitVersion, ...info } = buildInfo();
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return `Kubernetes ${gitVersion}\n`;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return '';
  if (value !== 'raw') throw new UsageError(`invalid value ${JSON.stringify(value)} for --version: must be true, false or raw`);
  const fields = {
    Major: info.major,
    Minor: info.minor,
    EmulationMajor: '',
    EmulationMinor: '',
    MinCompatibilityMajor: '',
    MinCompatibilityMinor: '',
    GitVersion: gitVersion,
    GitCommit: info.gitCommit,
    GitTreeState: info.gitTreeState,
    BuildDate: info.buildDate,
    GoVersion: info.goVersion,
    Compiler: info.compiler,
    Platform: info.platform,
  };
  const texts = Object.entries(fields).map(([name, text]) => `${name}:${JSON.stringify(text)}`);
  return `version.Info{${texts.join(', ')}}\n`;
}
