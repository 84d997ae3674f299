import { networkInterfaces } from 'node:os';
import { boolFlag, durationFlag, intFlag, listFlag, mapFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { flagTexts } from '#base/zpages.ts';
import { type AdmissionPluginName, choosePlugins } from './admission/plugins.ts';
import { configurationFlag } from './admission/configuration/document.ts';
import { readPluginSettings } from './admission/configuration/read.ts';
import type { PluginSettings } from './admission/configuration/settings.ts';
import { type AuditSettings, auditFlags, readAudit } from './audit/flags.ts';
import { type AuthenticationSettings, authnFlags, readAuthentication, readFlagFile, readOptional } from './authn/flags.ts';
import { type AuthorizationMode, authorizationModes } from './authz/modes.ts';
import { quotedList } from './authz/rbac/rules.ts';
import { readSealing as readSealingText } from './storage/encryption/configuration.ts';
import type { SealingSettings } from './storage/encryption/settings.ts';
import { etcdFlags, type StorageConfig, storageConfig } from './storage-config.ts';
import { type IpRange, parseIpRange } from './services/ip-range.ts';

const flags = {
  ...auditFlags,
  ...authnFlags,
  ...etcdFlags,
  [configurationFlag]: stringFlag('', 'An AdmissionConfiguration with what admission plugins should know', { valueName: 'file' }),
  'advertise-address': stringFlag(
    '',
    'The address by which other members of the cluster reach this server; default: that of --bind-address, or of the first interface',
    { valueName: 'ip' },
  ),
  'allow-privileged': boolFlag(true, 'If true, allow privileged containers. Only true is supported'),
  'api-audiences': listFlag([], 'Identifiers of the API that service-account tokens must be made for; default: the issuer'),
  'authorization-mode': listFlag(
    ['Node', 'RBAC'],
    'Who decides what somebody may do, asked in this order: Node, RBAC, AlwaysAllow, AlwaysDeny',
  ),
  'bind-address': stringFlag('0.0.0.0', 'The address to listen on', { valueName: 'ip' }),
  'contention-profiling': boolFlag(false, 'Accepted for compatibility: a single thread waits for no locks'),
  'data-dir': stringFlag('', 'Folder of the embedded store, where no etcd is given', { valueName: 'folder' }),
  'default-not-ready-toleration-seconds': intFlag(300, 'Seconds that pods stay on a node that is not ready, unless they say otherwise', {
    min: 0,
  }),
  'default-unreachable-toleration-seconds': intFlag(300, 'Seconds that pods stay on a node out of reach, unless they say otherwise', {
    min: 0,
  }),
  'disable-admission-plugins': listFlag([], 'Admission plugins to switch off although they are on by default'),
  'enable-admission-plugins': listFlag([], 'Admission plugins to switch on besides the default ones'),
  'enable-logs-handler': boolFlag(true, 'Whether the logs of the host can be read at /logs/'),
  'encryption-provider-config': stringFlag('', 'An EncryptionConfiguration: which resources lie encrypted in the store, and with what', {
    valueName: 'file',
  }),
  'encryption-provider-config-automatic-reload': boolFlag(false, 'Reads --encryption-provider-config again when the file changes'),
  'feature-gates': mapFlag('Accepted for compatibility'),
  'kubelet-certificate-authority': stringFlag('', "Certificates of the authorities that sign kubelets' serving certificates", {
    valueName: 'file',
  }),
  'kubelet-client-certificate': stringFlag('', 'Client certificate for kubelets', { valueName: 'file' }),
  'kubelet-client-key': stringFlag('', 'Key of the client certificate for kubelets', { valueName: 'file' }),
  'kubelet-preferred-address-types': listFlag(
    ['InternalIP', 'ExternalIP', 'Hostname'],
    "Which of a node's addresses to reach its kubelet at, best first",
  ),
  'max-mutating-requests-inflight': intFlag(200, 'Writes at a time; 0 is no limit', { min: 0 }),
  'max-requests-inflight': intFlag(400, 'Reads at a time; 0 is no limit', { min: 0 }),
  'min-request-timeout': intFlag(1_800, 'Seconds that a watch lasts at least, unless it asks for less', { min: 1 }),
  'request-timeout': durationFlag(60_000, 'How long a request may take that is no watch, log or the like'),
  profiling: boolFlag(true, 'Whether profiles can be had at /debug/pprof/'),
  'proxy-client-cert-file': stringFlag('', 'Accepted for compatibility: no requests are passed to other API servers yet', {
    valueName: 'file',
  }),
  'proxy-client-key-file': stringFlag('', 'Accepted for compatibility, as --proxy-client-cert-file', { valueName: 'file' }),
  'secure-port': intFlag(6_443, 'The port to serve HTTPS on; 0 takes any free one', { min: 0, max: 65_535 }),
  'service-account-issuer': listFlag(
    [],
    'Issuer of service-account tokens; the first signs, all are accepted (default https://kubernetes.default.svc.cluster.local)',
  ),
  'service-account-key-file': listFlag([], 'Keys that verify service-account tokens; default: the signing key'),
  'service-account-lookup': boolFlag(true, 'If true, tokens are only good while their accounts exist. Only true is supported'),
  'service-account-signing-key-file': stringFlag('', 'Private key that signs service-account tokens', { valueName: 'file' }),
  'service-cluster-ip-range': stringFlag('10.96.0.0/12', 'Range that Services get their addresses from', { valueName: 'cidr' }),
  'service-node-port-range': stringFlag('30000-32767', 'Range that node ports come from', { valueName: 'portRange' }),
  'shutdown-delay-duration': durationFlag(0, 'How long to go on serving after readyz has begun to fail'),
  'tls-cert-file': stringFlag('', 'Serving certificate, with intermediate ones behind it', { valueName: 'file' }),
  'tls-min-version': stringFlag('', 'The oldest TLS to talk: VersionTLS12, the default, or VersionTLS13'),
  'tls-private-key-file': stringFlag('', 'Key of the serving certificate', { valueName: 'file' }),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
} as const;

export const defaultIssuer = 'https://kubernetes.default.svc.cluster.local';

export type MinTls = 'TLSv1.2' | 'TLSv1.3';

export interface ApiServerConfig {
  readonly host: string;
  readonly port: number;
  readonly advertiseAddress: string;
  readonly tls: { readonly cert: string; readonly key: string };
  /** The oldest TLS that clients may talk. */
  readonly minTls: MinTls;
  readonly authorizationModes: readonly AuthorizationMode[];
  readonly authentication: AuthenticationSettings;
  /** Undefined: nothing is audited. */
  readonly audit: AuditSettings | undefined;
  readonly storage: StorageConfig;
  /** What values are sealed with in the store; undefined: nothing is. */
  readonly sealing: SealingSettings | undefined;
  readonly tokens: {
    readonly issuers: readonly string[];
    readonly audiences: readonly string[];
    readonly signingKey: string | undefined;
    readonly verificationKeys: readonly string[];
  };
  readonly kubelet: {
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly ca: string | undefined;
    readonly addressTypes: readonly string[];
  };
  readonly serviceIps: IpRange;
  readonly nodePorts: { readonly first: number; readonly last: number };
  readonly admissionPlugins: readonly AdmissionPluginName[];
  readonly pluginSettings: PluginSettings;
  readonly limits: {
    readonly reads: number;
    readonly writes: number;
    readonly requestMs: number;
    readonly minWatchSeconds: number;
    readonly shutdownDelayMs: number;
  };
  /** Whether profiles of the process can be had. */
  readonly hasProfiles: boolean;
  /** The folder of the host's logs; undefined: nobody can read them here. */
  readonly logFolder: string | undefined;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Reads the command line and the files it names. Throws UsageError with one clear sentence. */
export function parseConfig(argv: readonly string[]): ApiServerConfig {
  const { values, positional } = parseFlags(
    'kube-apiserver',
    flags,
    argv,
    'Serves the Kubernetes API from an embedded store or from etcd.',
  );
  if (positional.length > 0) throw new UsageError(`unknown argument: ${positional[0]} (flags only, see --help)`);
  for (const name of ['allow-privileged', 'service-account-lookup'] as const) {
    if (!values[name]) throw new UsageError(`--${name}=false is not supported`);
  }
  if (values['tls-cert-file'] === '') throw new UsageError('--tls-cert-file is required');
  if (values['tls-private-key-file'] === '') throw new UsageError('--tls-private-key-file is required');
  const authentication = readAuthentication(values);
  const host = values['bind-address'];
  const signingKey = readOptional(values['service-account-signing-key-file'], 'service-account-signing-key-file');
  const keyFiles = values['service-account-key-file'].map((path) => readFlagFile(path, 'service-account-key-file'));
  const issuers = values['service-account-issuer'].length === 0 ? [defaultIssuer] : values['service-account-issuer'];
  const admissionPlugins = choosePlugins(values['enable-admission-plugins'], values['disable-admission-plugins']);
  return {
    host,
    port: values['secure-port'],
    advertiseAddress: values['advertise-address'] === '' ? ownAddress(host) : values['advertise-address'],
    tls: {
      cert: readFlagFile(values['tls-cert-file'], 'tls-cert-file'),
      key: readFlagFile(values['tls-private-key-file'], 'tls-private-key-file'),
    },
    minTls: readMinTls(values['tls-min-version']),
    authorizationModes: readModes(values['authorization-mode']),
    authentication: {
      ...authentication,
      // Who may do everything should at least say who it is.
      acceptsAnonymous: authentication.acceptsAnonymous && !values['authorization-mode'].includes('AlwaysAllow'),
    },
    audit: readAudit(values),
    storage: storageConfig(values),
    sealing: readSealing(values['encryption-provider-config']),
    tokens: {
      issuers,
      audiences: values['api-audiences'].length === 0 ? issuers : values['api-audiences'],
      signingKey,
      verificationKeys: keyFiles.length === 0 && signingKey !== undefined ? [signingKey] : keyFiles,
    },
    kubelet: {
      cert: readOptional(values['kubelet-client-certificate'], 'kubelet-client-certificate'),
      key: readOptional(values['kubelet-client-key'], 'kubelet-client-key'),
      ca: readOptional(values['kubelet-certificate-authority'], 'kubelet-certificate-authority'),
      addressTypes: values['kubelet-preferred-address-types'],
    },
    serviceIps: parseIpRange(values['service-cluster-ip-range']),
    nodePorts: parsePortRange(values['service-node-port-range']),
    admissionPlugins,
    pluginSettings: {
      ...readPluginSettings(values[configurationFlag], admissionPlugins),
      tolerationSeconds: {
        notReady: values['default-not-ready-toleration-seconds'],
        unreachable: values['default-unreachable-toleration-seconds'],
      },
    },
    limits: {
      reads: values['max-requests-inflight'],
      writes: values['max-mutating-requests-inflight'],
      requestMs: values['request-timeout'],
      minWatchSeconds: values['min-request-timeout'],
      shutdownDelayMs: values['shutdown-delay-duration'],
    },
    hasProfiles: values.profiling,
    logFolder: values['enable-logs-handler'] ? '/var/log' : undefined,
    flags: flagTexts(flags, values),
  };
}

/** The files that may be replaced while the server runs. */
export function certificateFiles(argv: readonly string[]): readonly string[] {
  const { values } = parseFlags('kube-apiserver', flags, argv);
  const names = ['tls-cert-file', 'tls-private-key-file', 'client-ca-file', 'kubelet-client-certificate', 'kubelet-client-key'] as const;
  return [...names, 'kubelet-certificate-authority' as const, 'requestheader-client-ca-file' as const]
    .map((name) => values[name])
    .filter((path) => path !== '');
}

/** The file to look at for other keys; undefined: keys stay until the server starts anew. */
export function reloadedSealing(argv: readonly string[]): { readonly path: string; readonly read: () => SealingSettings } | undefined {
  const { values } = parseFlags('kube-apiserver', flags, argv);
  const path = values['encryption-provider-config'];
  if (path === '' || !values['encryption-provider-config-automatic-reload']) return undefined;
  return { path, read: () => readSealingText(readFlagFile(path, 'encryption-provider-config'), path) };
}

function readSealing(path: string): SealingSettings | undefined {
  return path === '' ? undefined : readSealingText(readFlagFile(path, 'encryption-provider-config'), path);
}

/** Upstream's other modes need files or servers that nothing here asks yet. */
const otherModes = ['ABAC', 'Webhook'];

function readModes(modes: readonly string[]): AuthorizationMode[] {
  if (modes.length === 0) throw new UsageError('at least one authorization-mode must be passed');
  if (new Set(modes).size < modes.length) {
    throw new UsageError(`authorization-mode ${quotedList(modes)} has mode specified more than once`);
  }
  return modes.map((mode) => {
    const known = authorizationModes.find((one) => one === mode);
    if (known !== undefined) return known;
    if (otherModes.includes(mode)) throw new UsageError(`authorization-mode ${JSON.stringify(mode)} is not supported yet`);
    throw new UsageError(`authorization-mode ${JSON.stringify(mode)} is not a valid mode`);
  });
}

/** Upstream has older ones, too, which nobody should talk any more. */
function readMinTls(text: string): MinTls {
  if (text === '' || text === 'VersionTLS12') return 'TLSv1.2';
  if (text === 'VersionTLS13') return 'TLSv1.3';
  throw new UsageError(`invalid value ${JSON.stringify(text)} for --tls-min-version: must be VersionTLS12 or VersionTLS13`);
}

function parsePortRange(text: string): { first: number; last: number } {
  const plus = /^(\d+)\+(\d+)$/.exec(text);
  const minus = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(plus?.[1] ?? minus?.[1]);
  const last = plus !== null ? first + Number(plus[2]) : Number(minus?.[2] ?? minus?.[1]);
  if (Number.isInteger(first) && Number.isInteger(last) && first >= 1 && last <= 65_535 && first <= last) return { first, last };
  throw new UsageError(`invalid value ${JSON.stringify(text)} for --service-node-port-range: must be a range such as 30000-32767`);
}

/** The address that others reach a server at which listens on `host`. */
function ownAddress(host: string): string {
  if (host !== '0.0.0.0' && host !== '::' && !host.startsWith('127.')) return host;
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'));
  if (found === undefined) throw new UsageError('this machine has no address but loopback: give --advertise-address', { exitCode: 1 });
  return found.address;
}
