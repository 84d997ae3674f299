import { boolFlag, type FlagValues, intFlag, listFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { version as ownVersion } from '#base/version.ts';
import type { Timeouts } from '../config/cluster.ts';
import { readConfigFile, timeoutsFrom } from '../config/document.ts';
import { patchesFlag } from '../manifests/patches.ts';

const common = {
  config: stringFlag('', 'Path to a kubeadm configuration file.'),
  'ignore-preflight-errors': listFlag(
    [],
    "A list of checks whose errors will be shown as warnings. Example: 'IsPrivilegedUser,Swap'. Value 'all' ignores errors from all checks.",
  ),
  kubeconfig: stringFlag(
    '',
    'The kubeconfig file to use when talking to the cluster. If not set, admin.conf or kubelet.conf of this host.',
  ),
};
const changing = {
  ...common,
  'certificate-renewal': boolFlag(true, 'Perform the renewal of certificates used by component changed during upgrades.'),
  'dry-run': boolFlag(false, 'Do not change any state, just output what actions would be performed.'),
  'etcd-upgrade': boolFlag(true, 'Perform the upgrade of etcd.'),
  patches: patchesFlag,
  'skip-phases': listFlag([], 'List of phases to be skipped'),
};
const unstable = {
  'allow-experimental-upgrades': boolFlag(false, 'Accepted for compatibility: this kubeadm brings its own version only'),
  'allow-release-candidate-upgrades': boolFlag(false, 'Accepted for compatibility: this kubeadm brings its own version only'),
  'print-config': boolFlag(false, 'Specifies whether the configuration file that will be used in the upgrade should be printed or not.'),
};

export const nodeFlags = changing;
export const applyFlags = {
  ...changing,
  ...unstable,
  force: boolFlag(false, 'Force upgrading although some requirements might not be met. This also implies non-interactive mode.', {
    short: 'f',
  }),
  yes: boolFlag(false, 'Perform the upgrade and do not prompt for confirmation (non-interactive mode).', { short: 'y' }),
};
export const planFlags = {
  ...common,
  ...unstable,
  'etcd-upgrade': boolFlag(true, 'Perform the upgrade of etcd.'),
  output: stringFlag('text', 'Output format. One of: text|json|yaml.', { short: 'o' }),
};
export const diffFlags = {
  config: common.config,
  kubeconfig: common.kubeconfig,
  'context-lines': intFlag(3, 'How many lines of context in the diff', { short: 'c', min: 0, max: 1_000 }),
};

/** Settings of the commands; a flag overrides the file. */
export interface UpgradeOptions {
  /** `v1.36.2`; the cluster's own for `upgrade node`. */
  readonly target: string | undefined;
  readonly kubeconfig: string;
  readonly ignoredErrors: readonly string[];
  readonly renewsCertificates: boolean;
  readonly upgradesEtcd: boolean;
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  readonly asks: boolean;
  readonly printsConfig: boolean;
  readonly patchesFolder: string;
  readonly skippedPhases: readonly string[];
  readonly contextLines: number;
  readonly timeouts: Timeouts;
}

/** An UpgradeConfiguration's part for one command; its shape has been checked. */
interface Part {
  readonly certificateRenewal?: boolean;
  readonly contextLines?: number;
  readonly dryRun?: boolean;
  readonly etcdUpgrade?: boolean;
  readonly forceUpgrade?: boolean;
  readonly ignorePreflightErrors?: readonly string[];
  readonly kubernetesVersion?: string;
  readonly patches?: { readonly directory?: string };
  readonly printConfig?: boolean;
  readonly skipPhases?: readonly string[];
}
type Document = Partial<Record<'apply' | 'diff' | 'node' | 'plan', Part>> & { readonly timeouts?: Readonly<Record<string, string>> };
type Values = Partial<FlagValues<typeof applyFlags & typeof planFlags & typeof diffFlags>>;

const mixable: readonly string[] = [
  'config',
  'dry-run',
  'force',
  'yes',
  'ignore-preflight-errors',
  'kubeconfig',
  'output',
  'print-config',
  'skip-phases',
];

/** Flags and file to one set of options. Throws a UsageError that names flag or field. */
export function loadUpgrade(
  kind: keyof Omit<Document, 'timeouts'>,
  flags: Values,
  given: ReadonlySet<string>,
  args: readonly string[] = [],
): UpgradeOptions {
  const { config = '' } = flags;
  const mixed = [...given].filter((name) => !mixable.includes(name));
  if (config !== '' && mixed.length > 0) throw new UsageError(`can not mix '--config' with arguments [${mixed.sort().join(' ')}]`);
  const document = (config === '' ? {} : (readConfigFile(config).get('UpgradeConfiguration') ?? {})) as Document;
  const part: Part = document[kind] ?? {};
  const skipped = flags['skip-phases'] ?? [];
  return {
    target: targetOf(args[0] ?? part.kubernetesVersion),
    kubeconfig: flags.kubeconfig ?? '',
    ignoredErrors: [...(flags['ignore-preflight-errors'] ?? []), ...(part.ignorePreflightErrors ?? [])],
    renewsCertificates: part.certificateRenewal ?? flags['certificate-renewal'] ?? true,
    upgradesEtcd: part.etcdUpgrade ?? flags['etcd-upgrade'] ?? true,
    isDryRun: flags['dry-run'] === true || part.dryRun === true,
    isForced: flags.force === true || part.forceUpgrade === true,
    asks: flags.yes !== true,
    printsConfig: flags['print-config'] === true || part.printConfig === true,
    patchesFolder: flags.patches || (part.patches?.directory ?? ''),
    skippedPhases: skipped.length > 0 ? skipped : (part.skipPhases ?? []),
    contextLines: part.contextLines ?? flags['context-lines'] ?? 3,
    timeouts: timeoutsFrom(document.timeouts, config),
  };
}

/** This kubeadm's own version, without our count behind it. */
export const kubeadmVersion = ownVersion.replace(/\+.*$/, '');

function targetOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const found = /^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+.*)?$/.exec(text);
  if (found !== null) return `v${found[1]}`;
  throw new UsageError(
    `version ${JSON.stringify(text)} doesn't match patterns for neither semantic version nor labels (stable, latest, ...)`,
  );
}
