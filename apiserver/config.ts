import { networkInterfaces } from 'node:os';
import { builtinKinds } from '#api/kinds.ts';
import { boolFlag, durationFlag, type FlagValues, intFlag, listFlag, parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { flagTexts } from '#base/zpages.ts';
import { type AdmissionPluginName, choosePlugins, defaultPlugins } from './admission/plugins.ts';
import { configurationFlag } from './admission/configuration/document.ts';
import { readPluginSettings } from './admission/configuration/read.ts';
import type { PluginSettings } from './admission/configuration/settings.ts';
import { type AuditSettings, auditFlags, readAudit } from './audit/flags.ts';
import { type AuthenticationSettings, authnFlags, readAuthentication, readFlagFile, readOptional } from './authn/flags.ts';
import { type AuthorizationMode, authorizationModes } from './authz/modes.ts';
import { quotedList } from './authz/rbac/rules.ts';
import { checkInert, inertFlags } from './flags/inert-flags.ts';
import {
  type HealthSettings,
  type HttpSettings,
  readHttpSettings,
  readLimits,
  requestFlags,
  type RequestLimits,
} from './flags/request-flags.ts';
import { type IsShown, readRuntimeConfig, runtimeConfigFlag } from './flags/runtime-config.ts';
import { readTls, tlsFlags, type TlsSettings } from '#base/tls-flags.ts';
import { featureGatesFlag } from '#client/feature-gates/feature-gates.ts';
import { makeServingFiles, servingFiles } from './flags/serving-files.ts';
import { checkVersions, versionFlags } from './flags/version-flags.ts';
import { readSealing as readSealingText } from './storage/encryption/configuration.ts';
import type { SealingSettings } from './storage/encryption/settings.ts';
import { etcdFlags, type StorageConfig, storageConfig } from './storage-config.ts';
import { type IpRange, parseIpRange } from './services/ip-range.ts';

const flags = {
  ...auditFlags,
  ...authnFlags,
  ...etcdFlags,
  ...inertFlags,
  ...requestFlags,
  ...tlsFlags,
  ...versionFlags,
  [configurationFlag]: stringFlag('', 'An AdmissionConfiguration with what admission plugins should know', { valueName: 'file' }),
  'admission-control': listFlag([], 'Deprecated: all admission plugins that should run; --enable-admission-plugins says which to add'),
  'advertise-address': stringFlag(
    '',
    'The address by which other members of the cluster reach this server; default: that of --bind-address, or of the first interface',
    { valueName: 'ip' },
  ),
  'allow-privileged': boolFlag(true, 'If true, allow privileged containers. Only true is supported'),
  'api-audiences': listFlag([], 'Identifiers of the API that service-account tokens must be made for; default: the issuer'),
  'authorization-mode': listFlag(['Node', 'RBAC'], 'Authorizers, consulted in this order: Node, RBAC, AlwaysAllow, AlwaysDeny'),
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
  'etcd-compaction-interval': durationFlag(300_000, 'How often, and how far back, the history of the store is forgotten; 0 is never'),
  'event-ttl': durationFlag(3_600_000, 'How long events are kept'),
  'feature-gates': featureGatesFlag({ takesPrefix: true }),
  'kubelet-certificate-authority': stringFlag('', "Certificates of the authorities that sign kubelets' serving certificates", {
    valueName: 'file',
  }),
  'kubelet-client-certificate': stringFlag('', 'Client certificate for kubelets', { valueName: 'file' }),
  'kubelet-client-key': stringFlag('', 'Key of the client certificate for kubelets', { valueName: 'file' }),
  'kubelet-preferred-address-types': listFlag(
    ['InternalIP', 'ExternalIP', 'Hostname'],
    "Which of a node's addresses to reach its kubelet at, best first",
  ),
  profiling: boolFlag(true, 'Whether profiles can be had at /debug/pprof/'),
  'proxy-client-cert-file': stringFlag('', 'Accepted for compatibility: no requests are passed to other API servers yet', {
    valueName: 'file',
  }),
  'proxy-client-key-file': stringFlag('', 'Accepted for compatibility, as --proxy-client-cert-file', { valueName: 'file' }),
  'runtime-config': runtimeConfigFlag,
  'secure-port': intFlag(6_443, 'The port to serve HTTPS on; 0 takes any free one', { min: 0, max: 65_535 }),
  'service-account-extend-token-expiration': boolFlag(true, 'If true, tokens that pods got are good for a year, with a warning'),
  'service-account-issuer': listFlag(
    [],
    'Issuer of service-account tokens; the first signs, all are accepted (default https://kubernetes.default.svc.cluster.local)',
  ),
  'service-account-jwks-uri': stringFlag('', 'Where others find the keys of the issuer; default: at this server', { valueName: 'url' }),
  'service-account-key-file': listFlag([], 'Keys that verify service-account tokens; default: the signing key'),
  'service-account-lookup': boolFlag(true, 'If true, tokens are only good while their accounts exist. Only true is supported'),
  'service-account-max-token-expiration': durationFlag(0, 'The longest that service-account tokens are good for; default: no bound'),
  'service-account-signing-key-file': stringFlag('', 'Private key that signs service-account tokens', { valueName: 'file' }),
  'service-cluster-ip-range': stringFlag('10.96.0.0/12', 'Range that Services get their addresses from', { valueName: 'cidr' }),
  'service-node-port-range': stringFlag('30000-32767', 'Range that node ports come from', { valueName: 'portRange' }),
  v: intFlag(0, 'How much the log says: details from 4, everything from 6 on; COXSWAIN_LOG_LEVEL comes before it', { short: 'v' }),
} as const;

export const defaultIssuer = 'https://kubernetes.default.svc.cluster.local';

export interface ApiServerConfig extends TlsSettings {
  readonly host: string;
  readonly port: number;
  readonly advertiseAddress: string;
  readonly tls: { readonly cert: string; readonly key: string };
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
    /** Where the keys are to be found; undefined: here. */
    readonly keysUrl?: string | undefined;
    /** Undefined: as long as they ask for. */
    readonly maxSeconds?: number | undefined;
    /** False: tokens of pods end when they say. Absent is true. */
    readonly extendsPodTokens?: boolean;
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
  readonly limits: RequestLimits;
  readonly http?: HttpSettings;
  readonly health?: HealthSettings;
  /** How clients outside reach the server, with or without a port; absent: by the advertised address. */
  readonly externalAddress?: string | undefined;
  /** What clients find of the kinds that the server keeps; absent: all. */
  readonly isShown?: IsShown;
  /** How long events are kept, 0 for ever; absent: as their kind says. */
  readonly eventTtlSeconds?: number;
  /** How often history is forgotten, 0 never; absent: every five minutes. */
  readonly compactionMs?: number;
  /** Whether profiles of the process can be had. */
  readonly hasProfiles: boolean;
  /** The folder of the host's logs; undefined: not served. */
  readonly logFolder: string | undefined;
  /** Values of all flags by their names, for /flagz. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Reads the command line and the files it names. Throws UsageError with one clear sentence. */
export function parseConfig(argv: readonly string[]): ApiServerConfig {
  const { values, given, positional } = parseFlags(
    'kube-apiserver',
    flags,
    argv,
    'Serves the Kubernetes API from an embedded store or from etcd.',
  );
  if (positional.length > 0) throw new UsageError(`unknown argument: ${positional[0]} (flags only, see --help)`);
  for (const name of ['allow-privileged', 'service-account-lookup'] as const) {
    if (!values[name]) throw new UsageError(`--${name}=false is not supported`);
  }
  const serving = servingFiles(values);
  checkInert(values, given);
  checkVersions(values);
  const authentication = readAuthentication(values);
  const host = values['bind-address'];
  const admissionPlugins = readPlugins(values, given);
  return {
    host,
    port: values['secure-port'],
    advertiseAddress: advertisedAddress(values),
    tls: {
      cert: readFlagFile(serving['tls-cert-file'], 'tls-cert-file'),
      key: readFlagFile(serving['tls-private-key-file'], 'tls-private-key-file'),
    },
    ...readTls(values),
    authorizationModes: readModes(values['authorization-mode']),
    authentication: {
      ...authentication,
      // Who may do everything should at least say who it is.
      acceptsAnonymous: authentication.acceptsAnonymous && !values['authorization-mode'].includes('AlwaysAllow'),
    },
    audit: readAudit(values),
    storage: storageConfig(values),
    sealing: readSealing(values),
    tokens: readTokens(values),
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
    ...readServing(values),
    hasProfiles: values.profiling,
    logFolder: values['enable-logs-handler'] ? '/var/log' : undefined,
    flags: flagTexts(flags, values),
  };
}

/** Makes the certificate that the server shows, where it is given none and has none of its own yet. */
export async function prepareServing(argv: readonly string[], deps: { readonly nowMs: number; readonly log: Log }): Promise<void> {
  const { values } = parseFlags('kube-apiserver', flags, argv);
  await makeServingFiles(values, () => ({
    address: advertisedAddress(values),
    bindAddress: values['bind-address'],
    serviceRange: parseIpRange(values['service-cluster-ip-range']),
    ...deps,
  }));
}

/** The files that may be replaced while the server runs. */
export function certificateFiles(argv: readonly string[]): readonly string[] {
  const { values } = parseFlags('kube-apiserver', flags, argv);
  const names = ['tls-cert-file', 'tls-private-key-file', 'client-ca-file', 'kubelet-client-certificate', 'kubelet-client-key'] as const;
  return [...names, 'kubelet-certificate-authority' as const, 'requestheader-client-ca-file' as const]
    .map((name) => ({ ...values, ...servingFiles(values) })[name])
    .filter((path) => path !== '');
}

/** The file to look at for other keys; undefined: keys stay until the server starts anew. */
export function reloadedSealing(argv: readonly string[]): { readonly path: string; readonly read: () => SealingSettings } | undefined {
  const { values } = parseFlags('kube-apiserver', flags, argv);
  const path = values['encryption-provider-config'];
  if (path === '' || !values['encryption-provider-config-automatic-reload']) return undefined;
  return { path, read: () => readSealingText(readFlagFile(path, 'encryption-provider-config'), path) };
}

type Values = FlagValues<typeof flags>;

/** How requests are served, and what of. */
function readServing(values: Values): Pick<ApiServerConfig, 'limits'> & Partial<ApiServerConfig> {
  return {
    limits: readLimits(values),
    http: readHttpSettings(values),
    health: {
      storeMs: values['etcd-healthcheck-timeout'],
      storeReadyMs: values['etcd-readycheck-timeout'],
      startGraceMs: values['livez-grace-period'],
    },
    externalAddress: values['external-hostname'] || undefined,
    isShown: readRuntimeConfig(values['runtime-config'], builtinKinds),
    eventTtlSeconds: values['event-ttl'] / 1_000,
    compactionMs: values['etcd-compaction-interval'],
  };
}

function readTokens(values: Values): ApiServerConfig['tokens'] {
  const signingKey = readOptional(values['service-account-signing-key-file'], 'service-account-signing-key-file');
  const keyFiles = values['service-account-key-file'].map((path) => readFlagFile(path, 'service-account-key-file'));
  const issuers = values['service-account-issuer'].length === 0 ? [defaultIssuer] : values['service-account-issuer'];
  return {
    issuers,
    audiences: values['api-audiences'].length === 0 ? issuers : values['api-audiences'],
    signingKey,
    verificationKeys: keyFiles.length === 0 && signingKey !== undefined ? [signingKey] : keyFiles,
    keysUrl: readKeysUrl(values['service-account-jwks-uri']),
    maxSeconds: readMaxSeconds(values['service-account-max-token-expiration']),
    extendsPodTokens: values['service-account-extend-token-expiration'],
  };
}

function readPlugins(values: Values, given: ReadonlySet<string>): AdmissionPluginName[] {
  const [enabled, disabled] = [values['enable-admission-plugins'], values['disable-admission-plugins']];
  if (!given.has('admission-control')) return choosePlugins(enabled, disabled);
  if (enabled.length > 0 || disabled.length > 0) {
    throw new UsageError('admission-control and enable-admission-plugins/disable-admission-plugins flags are mutually exclusive');
  }
  const wanted = values['admission-control'];
  return choosePlugins(
    wanted,
    defaultPlugins.filter((name) => !wanted.includes(name)),
  );
}

function readKeysUrl(url: string): string | undefined {
  if (url === '') return undefined;
  if (!URL.canParse(url)) throw new UsageError(`service-account-jwks-uri must be a valid URL: parse ${JSON.stringify(url)}`);
  if (new URL(url).protocol !== 'https:') throw new UsageError(`service-account-jwks-uri requires https scheme, parsed as: ${url}`);
  return url;
}

const hourMs = 3_600_000;

function readMaxSeconds(ms: number): number | undefined {
  if (ms === 0) return undefined;
  if (ms < hourMs || ms > 2 ** 32 * 1_000) {
    throw new UsageError('the service-account-max-token-expiration must be between 1 hour and 2^32 seconds');
  }
  return Math.floor(ms / 1_000);
}

function readSealing(values: Values): SealingSettings | undefined {
  const path = values['encryption-provider-config'];
  if (path !== '') return readSealingText(readFlagFile(path, 'encryption-provider-config'), path);
  if (!values['encryption-provider-config-automatic-reload']) return undefined;
  throw new UsageError('--encryption-provider-config-automatic-reload must be set with --encryption-provider-config');
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

function parsePortRange(text: string): { first: number; last: number } {
  const plus = /^(\d+)\+(\d+)$/.exec(text);
  const minus = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(plus?.[1] ?? minus?.[1]);
  const last = plus !== null ? first + Number(plus[2]) : Number(minus?.[2] ?? minus?.[1]);
  if (Number.isInteger(first) && Number.isInteger(last) && first >= 1 && last <= 65_535 && first <= last) return { first, last };
  throw new UsageError(`invalid value ${JSON.stringify(text)} for --service-node-port-range: must be a range such as 30000-32767`);
}

/** The address that others reach a server at which listens on `host`. */
function advertisedAddress(values: Values): string {
  return values['advertise-address'] === '' ? ownAddress(values['bind-address']) : values['advertise-address'];
}

function ownAddress(host: string): string {
  if (host !== '0.0.0.0' && host !== '::' && !host.startsWith('127.')) return host;
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'));
  if (found === undefined) throw new UsageError('this machine has no address but loopback: give --advertise-address', { exitCode: 1 });
  return found.address;
}
