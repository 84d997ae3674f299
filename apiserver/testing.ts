// A whole API server inside a test: real HTTPS on a free port of loopback, the real registry, the memory store unless another is given.
import { generateKeyPairSync } from 'node:crypto';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { type Clock, systemClock } from '#base/clock.ts';
import { type Log, silentLog } from '#base/log.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { defaultPluginSettings, type PluginSettings } from './admission/configuration/settings.ts';
import { type AdmissionPluginName, defaultPlugins } from './admission/plugins.ts';
import { defaultIssuer } from './config.ts';
import type { Registry } from './registry/contract.ts';
import { type ApiServerDeps, type ApiServerSettings, type Certificates, createApiServer } from './server.ts';
import { parseIpRange } from './services/ip-range.ts';
import type { Store } from './storage/contract.ts';
import { MemoryStore } from './storage/memory.ts';
import type { MayReach } from './subresources/proxy-target.ts';

export interface TestApiServerOptions {
  /** Default: the machine's. Certificates are checked against real time whatever the clock says. */
  readonly clock?: Clock;
  /** Default: a new one in memory. One that is given stays open after `stop`. */
  readonly store?: Store;
  readonly kinds?: readonly KindDefinition[];
  /** Default: any free one. That of an earlier server takes its place. */
  readonly port?: number;
  /** Default: a new one. With the one of an earlier server, that server's clients know this one. */
  readonly ca?: KeyPair;
  /** Default: all. Without ServiceAccount, pods can be created in namespaces without a default service account. */
  readonly admissionPlugins?: readonly AdmissionPluginName[];
  readonly pluginSettings?: PluginSettings;
  /** Default: client certificates, tokens of accounts and bootstrap tokens. */
  readonly authentication?: Partial<ApiServerSettings['authentication']>;
  readonly kubelet?: ApiServerSettings['kubelet'];
  /** Profiles and the like; default: these are not served. */
  readonly debug?: ApiServerDeps['debug'];
  /** Default: no logs are served. */
  readonly logFolder?: string;
  /** Default: nothing is audited. */
  readonly audit?: ApiServerSettings['audit'];
  readonly limits?: Partial<ApiServerSettings['limits']>;
  /** Default: TLS 1.2. */
  readonly minTls?: ApiServerSettings['minTls'];
  /** The content of /flagz; default: empty. */
  readonly flags?: ApiServerSettings['flags'];
  /** What else flags can say; default: what they do. */
  readonly more?: Partial<
    Pick<ApiServerSettings, 'ciphers' | 'compactionMs' | 'eventTtlSeconds' | 'externalAddress' | 'health' | 'http' | 'isShown'>
  >;
  readonly tokens?: Partial<ApiServerSettings['tokens']>;
  readonly log?: Log;
  /** Default: global unicast ones, as ever. */
  readonly mayReach?: MayReach;
  /** Default: a process of its own, from the first large request on. */
  readonly largeWork?: ApiServerDeps['largeWork'];
}

export interface TestApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** The authority that signed the server's certificate and those of clients. */
  readonly ca: KeyPair;
  /** Connects as an administrator. */
  readonly adminClientConfig: ApiEndpoint;
  readonly registry: Registry;
  /** Connects as another user, by a client certificate. */
  clientConfigFor(user: string, groups?: readonly string[]): Promise<ApiEndpoint>;
  /** Uses other certificates from the next connection on. */
  renew(certificates: Certificates): void;
  stop(): Promise<void>;
}

/** Starts one; resolves when it serves and the system's namespaces exist. */
export async function startTestApiServer(options: TestApiServerOptions = {}): Promise<TestApiServer> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  const ca = options.ca ?? (await createCa('kubernetes', systemClock.nowMs()));
  const store = options.store ?? new MemoryStore({ clock });
  const settings = await testSettings(ca, options);
  const server = createApiServer({ settings, store, kinds: options.kinds ?? builtinKinds, clock, log, ...optionalDeps(options) });
  const life = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = server.run(life.signal, () => ready.resolve());
  await Promise.race([ready.promise, ended]);
  const url = `https://127.0.0.1:${server.port}`;
  const clientConfigFor = async (user: string, groups: readonly string[] = []): Promise<ApiEndpoint> => {
    const pair = await signCertificate(ca, { commonName: user, organizations: groups, usages: ['client'] }, systemClock.nowMs());
    return { server: url, ca: ca.cert, credentials: { kind: 'certificate', ...pair } };
  };
  const stop = async (): Promise<void> => {
    life.abort(new Error('the test is over'));
    await ended;
    if (options.store === undefined) await store[Symbol.asyncDispose]();
  };
  return {
    url,
    port: server.port,
    ca,
    adminClientConfig: await clientConfigFor('kubernetes-admin', ['system:masters']),
    registry: server.registry,
    clientConfigFor,
    renew: (certificates) => server.renew(certificates),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function optionalDeps({ mayReach, largeWork, debug }: TestApiServerOptions): Pick<ApiServerDeps, 'mayReach' | 'largeWork' | 'debug'> {
  return { debug, ...(mayReach === undefined ? {} : { mayReach }), ...(largeWork === undefined ? {} : { largeWork }) };
}

async function testSettings(ca: KeyPair, options: TestApiServerOptions): Promise<ApiServerSettings> {
  const request = { commonName: 'kube-apiserver', dnsNames: ['localhost'], ips: ['127.0.0.1'], usages: ['server'] as const };
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    host: '127.0.0.1',
    port: options.port ?? 0,
    // Endpoints may not be loopback addresses; this one is never dialed.
    advertiseAddress: '192.0.2.1',
    tls: await signCertificate(ca, request, systemClock.nowMs()),
    authorizationModes: ['Node', 'RBAC'],
    authentication: {
      acceptsAnonymous: true,
      clientCa: ca.cert,
      acceptsBootstrapTokens: true,
      staticTokens: new Map(),
      frontProxy: undefined,
      ...options.authentication,
    },
    tokens: {
      issuers: [defaultIssuer],
      audiences: [defaultIssuer],
      signingKey: privateKey,
      verificationKeys: [privateKey],
      ...options.tokens,
    },
    kubelet: options.kubelet ?? { cert: undefined, key: undefined, ca: undefined, addressTypes: ['InternalIP'] },
    audit: options.audit,
    hasProfiles: true,
    logFolder: options.logFolder,
    flags: options.flags ?? {},
    minTls: options.minTls ?? 'TLSv1.2',
    ciphers: options.more?.ciphers,
    ...options.more,
    serviceIps: parseIpRange('10.96.0.0/12'),
    nodePorts: { first: 30_000, last: 32_767 },
    admissionPlugins: options.admissionPlugins ?? defaultPlugins,
    pluginSettings: options.pluginSettings ?? defaultPluginSettings,
    limits: { reads: 400, writes: 200, requestMs: 60_000, minWatchSeconds: 1_800, shutdownDelayMs: 0, ...options.limits },
  };
}
