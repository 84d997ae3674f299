import { durationFlag, type FlagValues, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { KeyPair } from '#base/pki.ts';
import { readFlagFile } from '#base/flag-file.ts';
import { type SignerName, signers } from './recognize.ts';
import type { SigningOptions } from './signing-controller.ts';

const file = { valueName: 'file' };
const certificateOf = (signer: string): string => `Certificate of the authority for ${signer}`;
const keyOf = (signer: string): string => `Key of the authority for ${signer}`;

/** Upstream's flags of what signs certificates. */
export const signingFlags = {
  'cluster-signing-cert-file': stringFlag('', certificateOf('all signers'), file),
  'cluster-signing-duration': durationFlag(8_760 * 3_600_000, 'Lifetime of certificates unless a shorter one is requested'),
  'cluster-signing-key-file': stringFlag('', keyOf('all signers'), file),
  'cluster-signing-kube-apiserver-client-cert-file': stringFlag('', certificateOf(signers.apiServerClient), file),
  'cluster-signing-kube-apiserver-client-key-file': stringFlag('', keyOf(signers.apiServerClient), file),
  'cluster-signing-kubelet-client-cert-file': stringFlag('', certificateOf(signers.kubeletClient), file),
  'cluster-signing-kubelet-client-key-file': stringFlag('', keyOf(signers.kubeletClient), file),
  'cluster-signing-kubelet-serving-cert-file': stringFlag('', certificateOf(signers.kubeletServing), file),
  'cluster-signing-kubelet-serving-key-file': stringFlag('', keyOf(signers.kubeletServing), file),
  'cluster-signing-legacy-unknown-cert-file': stringFlag('', certificateOf(signers.legacyUnknown), file),
  'cluster-signing-legacy-unknown-key-file': stringFlag('', keyOf(signers.legacyUnknown), file),
} as const;

const flagNames = {
  [signers.kubeletServing]: 'kubelet-serving',
  [signers.kubeletClient]: 'kubelet-client',
  [signers.apiServerClient]: 'kube-apiserver-client',
  [signers.legacyUnknown]: 'legacy-unknown',
} as const satisfies Record<SignerName, string>;

/** Undefined where nothing signs. Throws UsageError. */
export function readSigning(values: FlagValues<typeof signingFlags>): SigningOptions | undefined {
  const common = readPair('cluster-signing-cert-file', 'cluster-signing-key-file', values);
  const authorities: Partial<Record<SignerName, KeyPair>> = {};
  for (const [signer, name] of Object.entries(flagNames) as [SignerName, (typeof flagNames)[SignerName]][]) {
    const own = readPair(`cluster-signing-${name}-cert-file`, `cluster-signing-${name}-key-file`, values);
    if (own !== undefined && common !== undefined) {
      throw new UsageError('cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time');
    }
    const pair = own ?? common;
    if (pair !== undefined) authorities[signer] = pair;
  }
  const durationMs = values['cluster-signing-duration'];
  return Object.keys(authorities).length === 0 ? undefined : { authorities, durationMs };
}

type FileFlag = Exclude<keyof typeof signingFlags, 'cluster-signing-duration'>;

function readPair(certFlag: FileFlag, keyFlag: FileFlag, values: FlagValues<typeof signingFlags>): KeyPair | undefined {
  const [certFile, keyFile] = [values[certFlag], values[keyFlag]];
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '' || keyFile === '') throw new UsageError(`cannot specify only one of --${certFlag} and --${keyFlag}`);
  return { cert: readFlagFile(certFlag, certFile), key: readFlagFile(keyFlag, keyFile) };
}
