import { boolFlag, type FlagValues, listFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { defaultCluster, dockerSocket, kubernetesFolder } from '../config/cluster.ts';
import { readConfigFile } from '../config/document.ts';

export const resetFlags = {
  'cert-dir': stringFlag(
    defaultCluster.certificatesDir,
    'The path to the directory where the certificates are stored. If specified, clean this directory.',
  ),
  'cleanup-tmp-dir': boolFlag(false, `Cleanup the "${kubernetesFolder}/tmp" directory`),
  config: stringFlag('', 'Path to a kubeadm configuration file.'),
  'cri-socket': stringFlag(dockerSocket, "Path to the container engine's socket to connect."),
  'dry-run': boolFlag(false, "Don't apply any changes; just output what would be done."),
  force: boolFlag(false, 'Reset the node without prompting for confirmation.', { short: 'f' }),
  'ignore-preflight-errors': listFlag(
    [],
    "A list of checks whose errors will be shown as warnings. Example: 'IsPrivilegedUser,Swap'. Value 'all' ignores errors from all checks.",
  ),
  kubeconfig: stringFlag(`${kubernetesFolder}/admin.conf`, 'The kubeconfig file to use when talking to the cluster.'),
  'skip-phases': listFlag([], 'List of phases to be skipped'),
};

export interface ResetOptions {
  readonly certFolder: string;
  readonly cleansTemporary: boolean;
  readonly criSocket: string;
  readonly ignoredErrors: readonly string[];
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  readonly kubeconfig: string;
  readonly skippedPhases: readonly string[];
}

/** A ResetConfiguration as a file has it; its shape has been checked. */
interface Document {
  readonly certificatesDir?: string;
  readonly cleanupTmpDir?: boolean;
  readonly criSocket?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly ignorePreflightErrors?: readonly string[];
  readonly skipPhases?: readonly string[];
}

const mixable: readonly string[] = ['config', 'dry-run', 'force', 'ignore-preflight-errors', 'kubeconfig', 'skip-phases'];

/** Flags and file to one set of options; a flag goes over the file. Throws a UsageError that names flag or field. */
export function loadReset(flags: FlagValues<typeof resetFlags>, given: ReadonlySet<string>): ResetOptions {
  const mixed = [...given].filter((name) => !mixable.includes(name));
  if (flags.config !== '' && mixed.length > 0) throw new UsageError(`can not mix '--config' with arguments [${mixed.sort().join(' ')}]`);
  const document = (flags.config === '' ? {} : (readConfigFile(flags.config).get('ResetConfiguration') ?? {})) as Document;
  return {
    certFolder: document.certificatesDir ?? flags['cert-dir'],
    cleansTemporary: document.cleanupTmpDir ?? flags['cleanup-tmp-dir'],
    criSocket: document.criSocket ?? flags['cri-socket'],
    ignoredErrors: [...flags['ignore-preflight-errors'], ...(document.ignorePreflightErrors ?? [])],
    isDryRun: flags['dry-run'] || document.dryRun === true,
    isForced: flags.force || document.force === true,
    kubeconfig: flags.kubeconfig,
    skippedPhases: flags['skip-phases'].length > 0 ? flags['skip-phases'] : (document.skipPhases ?? []),
  };
}
