import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { boolFlag, type FlagValues, intFlag, listFlag, stringFlag } from '#base/flags.ts';
import { hostAddress } from '#base/host-network.ts';
import { UsageError } from '#base/lifecycle.ts';
import {
  defaultBindPort,
  defaultCluster,
  dockerSocket,
  type LocalConfiguration,
  type NodeRegistration,
  splitHostPort,
  type Timeouts,
} from '../config/cluster.ts';
import { readConfigFile, timeoutsFrom } from '../config/document.ts';
import { controlPlaneTaint } from '../init/flags.ts';
import { patchesFlag } from '../manifests/patches.ts';
import { parseToken } from '../token/bootstrap-token.ts';
import { problemOfPlace } from './file-discovery.ts';

export const joinFlags = {
  'apiserver-advertise-address': stringFlag(
    '',
    "If the node should host a new control plane instance, the IP address the API Server will advertise it's listening on. If not set the default network interface will be used.",
  ),
  'apiserver-bind-port': intFlag(
    defaultBindPort,
    'If the node should host a new control plane instance, the port for the API Server to bind to.',
    { min: 1, max: 65_535 },
  ),
  'certificate-key': stringFlag(
    '',
    'Use this key to decrypt the certificate secrets uploaded by init. The certificate key is a hex encoded string that is an AES key of size 32 bytes.',
  ),
  config: stringFlag('', 'Path to a kubeadm configuration file.'),
  'control-plane': boolFlag(false, 'Create a new control plane instance on this node'),
  'cri-socket': stringFlag(dockerSocket, "Path to the container engine's socket to connect."),
  'discovery-file': stringFlag('', 'For file-based discovery, a file or URL from which to load cluster information.'),
  'discovery-token': stringFlag(
    '',
    'For token-based discovery, the token used to validate cluster information fetched from the API server.',
  ),
  'discovery-token-ca-cert-hash': listFlag(
    [],
    'For token-based discovery, validate that the root CA public key matches this hash (format: "<type>:<value>").',
  ),
  'discovery-token-unsafe-skip-ca-verification': boolFlag(
    false,
    'For token-based discovery, allow joining without --discovery-token-ca-cert-hash pinning.',
  ),
  'ignore-preflight-errors': listFlag(
    [],
    "A list of checks whose errors will be shown as warnings. Example: 'IsPrivilegedUser,Swap'. Value 'all' ignores errors from all checks.",
  ),
  'node-name': stringFlag('', 'Specify the node name.'),
  patches: patchesFlag,
  'dry-run': boolFlag(false, "Don't apply any changes; just output what would be done."),
  'skip-phases': listFlag([], 'List of phases to be skipped'),
  'tls-bootstrap-token': stringFlag(
    '',
    'Specify the token used to temporarily authenticate with the Kubernetes Control Plane while joining the node.',
  ),
  token: stringFlag('', 'Use this token for both discovery-token and tls-bootstrap-token when those values are not provided.'),
};

export interface JoinConfiguration {
  readonly discovery:
    | { readonly kind: 'token'; readonly endpoint: string; readonly token: string; readonly caHashes: readonly string[] }
    | { readonly kind: 'file'; readonly path: string };
  readonly tlsBootstrapToken: string;
  readonly local: LocalConfiguration;
  /** Present for a control plane; the key is empty where the files were copied by hand. */
  readonly controlPlane?: { readonly certificateKey: string };
  readonly caFile: string;
  readonly ignoredErrors: readonly string[];
  readonly skippedPhases: readonly string[];
  readonly isDryRun: boolean;
  /** '' for none. */
  readonly patchesFolder: string;
  readonly timeouts: Timeouts;
}

interface Document {
  readonly caCertPath?: string;
  readonly discovery?: {
    readonly bootstrapToken?: {
      readonly token?: string;
      readonly apiServerEndpoint?: string;
      readonly caCertHashes?: readonly string[];
      readonly unsafeSkipCAVerification?: boolean;
    };
    readonly file?: { readonly kubeConfigPath?: string };
    readonly tlsBootstrapToken?: string;
  };
  readonly controlPlane?: {
    readonly localAPIEndpoint?: { readonly advertiseAddress?: string; readonly bindPort?: number };
    readonly certificateKey?: string;
  } | null;
  readonly nodeRegistration?: Partial<NodeRegistration> & { readonly ignorePreflightErrors?: readonly string[] };
  readonly dryRun?: boolean;
  readonly patches?: { readonly directory?: string };
  readonly skipPhases?: readonly string[];
  readonly timeouts?: Readonly<Record<string, string>>;
}

const mixable: readonly string[] = ['config', 'ignore-preflight-errors', 'node-name', 'skip-phases', 'cri-socket', 'dry-run', 'patches'];

/** Flags or file to one configuration. Throws a UsageError that names flag or field. */
export function loadJoin(flags: FlagValues<typeof joinFlags>, given: ReadonlySet<string>, args: readonly string[]): JoinConfiguration {
  const mixed = [...given].filter((name) => !mixable.includes(name));
  if (flags.config !== '' && mixed.length > 0) throw new UsageError(`can not mix '--config' with arguments [${mixed.sort().join(' ')}]`);
  const document = (
    flags.config === '' ? documentOf(flags, args) : (readConfigFile(flags.config).get('JoinConfiguration') ?? {})
  ) as Document;
  const { nodeRegistration: node, controlPlane } = document;
  const endpoint = controlPlane?.localAPIEndpoint;
  const isControlPlane = controlPlane !== undefined && controlPlane !== null;
  return {
    ...discoveryOf(document),
    local: {
      advertiseAddress: endpoint?.advertiseAddress ?? hostAddress(),
      bindPort: endpoint?.bindPort ?? defaultBindPort,
      node: {
        ...node,
        name: flags['node-name'] || (node?.name ?? hostname().toLowerCase()),
        criSocket: given.has('cri-socket') ? flags['cri-socket'] : (node?.criSocket ?? dockerSocket),
        taints: node?.taints ?? (isControlPlane ? [controlPlaneTaint] : []),
      },
    },
    ...(isControlPlane ? { controlPlane: { certificateKey: controlPlane.certificateKey ?? '' } } : {}),
    caFile: document.caCertPath ?? `${defaultCluster.certificatesDir}/ca.crt`,
    ignoredErrors: [...flags['ignore-preflight-errors'], ...(node?.ignorePreflightErrors ?? [])],
    isDryRun: flags['dry-run'] || document.dryRun === true,
    patchesFolder: flags.patches || (document.patches?.directory ?? ''),
    timeouts: timeoutsFrom(document.timeouts, flags.config),
    skippedPhases: flags['skip-phases'].length > 0 ? flags['skip-phases'] : (document.skipPhases ?? []),
  };
}

/** The flags as the document that a file would hold. */
function documentOf(flags: FlagValues<typeof joinFlags>, [apiServerEndpoint]: readonly string[]): Document {
  const token = flags['discovery-token'] || flags.token;
  const advertiseAddress = flags['apiserver-advertise-address'];
  const localAPIEndpoint = { bindPort: flags['apiserver-bind-port'], ...(advertiseAddress === '' ? {} : { advertiseAddress }) };
  return {
    discovery: {
      ...(apiServerEndpoint === undefined
        ? {}
        : {
            bootstrapToken: {
              token,
              apiServerEndpoint,
              caCertHashes: flags['discovery-token-ca-cert-hash'],
              unsafeSkipCAVerification: flags['discovery-token-unsafe-skip-ca-verification'],
            },
          }),
      ...(flags['discovery-file'] === '' ? {} : { file: { kubeConfigPath: flags['discovery-file'] } }),
      tlsBootstrapToken: flags['tls-bootstrap-token'] || flags.token,
    },
    ...(flags['control-plane'] ? { controlPlane: { localAPIEndpoint, certificateKey: flags['certificate-key'] } } : {}),
  };
}

function discoveryOf({ discovery = {} }: Document): Pick<JoinConfiguration, 'discovery' | 'tlsBootstrapToken'> {
  const { bootstrapToken, file, tlsBootstrapToken } = discovery;
  if (bootstrapToken !== undefined && file !== undefined)
    throw new UsageError('discovery: Invalid value: "": bootstrapToken and file cannot both be set');
  if (tlsBootstrapToken !== undefined && tlsBootstrapToken !== '') parseToken(tlsBootstrapToken);
  if (file !== undefined) {
    const { kubeConfigPath: path = '' } = file;
    const problem = problemOfPlace(path, existsSync);
    if (problem !== undefined) throw new UsageError(`discovery.file.kubeConfigPath: Invalid value: ${JSON.stringify(path)}: ${problem}`);
    return { discovery: { kind: 'file', path }, tlsBootstrapToken: tlsBootstrapToken ?? '' };
  }
  if (bootstrapToken === undefined) throw new UsageError('discovery: Invalid value: "": bootstrapToken or file must be set');
  const { token = '', apiServerEndpoint = '', caCertHashes = [], unsafeSkipCAVerification = false } = bootstrapToken;
  parseToken(token);
  if (caCertHashes.length === 0 && !unsafeSkipCAVerification) {
    throw new UsageError(
      'discovery.bootstrapToken: Invalid value: "": using token-based discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your kubeadm config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue',
    );
  }
  try {
    splitHostPort(apiServerEndpoint, 0);
  } catch (error) {
    throw new UsageError(
      `discovery.bootstrapToken.apiServerEndpoint: Invalid value: ${JSON.stringify(apiServerEndpoint)}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return {
    discovery: { kind: 'token', endpoint: apiServerEndpoint, token, caHashes: caCertHashes },
    tlsBootstrapToken: tlsBootstrapToken ?? token,
  };
}
