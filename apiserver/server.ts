// The API server as a part that any process can hold, also several times: everything it needs comes in, nothing is global.
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { type Codec, createCodec } from '#api/schema/codec.ts';
import { OpenApiDocuments } from '#api/openapi/documents.ts';
import type { Clock } from '#base/clock.ts';
import { type HealthCheck, HealthChecks } from '#base/health-checks.ts';
import { aborted, isAbort, runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import type { DebugPages } from '#base/profiling/debug-pages.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { version } from '#base/version.ts';
import { EventSender } from '#client/events.ts';
import { isPluginName, makePlugins } from './admission/plugins.ts';
import { issuerPages } from './authn/issuer-pages.ts';
import type { TokenVerifier } from './authn/bearer-tokens.ts';
import { type Authorities, authenticationOf, trustedCa } from './authn/methods.ts';
import { publishedTrust } from './authn/published-trust.ts';
import { readVerificationKeys, TokenSigner } from './authn/token-keys.ts';
import type { Authorizer } from './authz/contract.ts';
import { authorizerOf } from './authz/modes.ts';
import { NodeGraph } from './authz/node/graph.ts';
import { graphFeed } from './authz/node/graph-feed.ts';
import { defaultRoles } from './authz/rbac/defaults/keeper.ts';
import { rbacEscalation } from './authz/rbac/escalation.ts';
import { RbacPolicy } from './authz/rbac/policy.ts';
import { policyFeed } from './authz/rbac/policy-feed.ts';
import type { ApiServerConfig } from './config.ts';
import { plainHttp, usualHealth } from './flags/request-flags.ts';
import { shownKinds } from './flags/runtime-config.ts';
import { DiscoveryDocuments } from './discovery/documents.ts';
import { flagzPage, statuszPage } from '#base/zpages.ts';
import { openApiPages } from './discovery/openapi-pages.ts';
import { initialConfiguration } from './flowcontrol/initial-configuration.ts';
import { compose, type Next } from './http/filters/filter.ts';
import type { RequestTimeouts } from './http/filters/timeout.ts';
import { FrameChunks } from './http/frame-chunks.ts';
import { ProtobufFrames } from './http/protobuf-frames.ts';
import { debugPages, logPages } from './http/debug-pages.ts';
import { healthPages } from './http/health.ts';
import { WatchMetrics } from './http/watch-metrics.ts';
import { Listener, type ListenerOptions } from './http/listener.ts';
import { Negotiator } from './http/negotiate.ts';
import { ResourceRequests } from './http/resource-requests.ts';
import { type Pages, Router } from './http/router.ts';
import { zpages } from './http/zpages.ts';
import { authenticationMetrics, decisionCounter } from './metrics/access-metrics.ts';
import { auditMetrics } from './metrics/audit-metrics.ts';
import { Auditor } from './audit/auditor.ts';
import type { LargeWork } from './large/contract.ts';
import { JobProcess } from './large/job-process.ts';
import { connectionMetrics } from './metrics/load-metrics.ts';
import type { Registry } from './registry/contract.ts';
import { requestFilters } from './request-filters.ts';
import { AdmissionTiming } from './registry/admission-timing.ts';
import { GenericRegistry, type GenericRegistryDeps } from './registry/registry.ts';
import { Bootstrap } from './services/bootstrap.ts';
import { ServerLeases } from './services/server-leases.ts';
import { claimStatusRights } from './services/claim-status-rights.ts';
import { deviceAdminAccess } from './services/device-admin-access.ts';
import { DefaultServiceRange, rangeKeeperName } from './services/default-service-range.ts';
import { StartHooks } from './services/start-hooks.ts';
import { LocalApiServices } from './services/local-api-services.ts';
import { ClusterIpClaims } from './services/cluster-ip-claims.ts';
import { clusterIpRepair } from './services/cluster-ip-repair.ts';
import { serviceAllocation } from './services/service-allocation.ts';
import { NodePortClaims } from './services/node-port-claims.ts';
import { nodePortRepair } from './services/node-port-repair.ts';
import { serviceRangeFeed } from './services/service-range-feed.ts';
import { serverEvents } from './server-events.ts';
import { servicePoolFeed } from './services/service-pool-feed.ts';
import { ServicePools } from './services/service-pools.ts';
import type { Store } from './storage/contract.ts';
import { KubeletConnection } from './subresources/kubelet-connection.ts';
import { isGlobalUnicast, type MayReach } from './subresources/proxy-target.ts';
import { type Component, localComponent } from './subresources/component-status.ts';
import { subresourceTable } from './subresources/table.ts';

/** What the flags say, without what only a process needs. */
export type ApiServerSettings = Omit<ApiServerConfig, 'storage' | 'sealing'>;

export interface ApiServerDeps {
  readonly settings: ApiServerSettings;
  /** Stays open until the server has ended; whoever made it closes it. */
  readonly store: Store;
  readonly kinds: readonly KindDefinition[];
  /** What else must be well, that the store brings along. */
  readonly checks?: readonly HealthCheck[];
  readonly clock: Clock;
  readonly log: Log;
  /** Which addresses of pods and nodes the proxy may dial; default: global unicast ones. Tests on loopback widen it. */
  readonly mayReach?: MayReach;
  /** Profiles and the level of the log; default: these are not served. */
  readonly debug?: DebugPages | undefined;
  /** Default: a process that starts with the first large request. */
  readonly largeWork?: LargeWork & Service;
}

/** An API server. `run` serves until the signal aborts, then lets requests finish. */
export interface ApiServer extends Service {
  readonly registry: Registry;
  readonly metrics: Metrics;
  /** The port that is really listened on; known from `ready` on. */
  readonly port: number;
  /** Uses other certificates (its own, the kubelets' and the clients' authorities) from the next connection on. Throws where they are none. */
  renew(settings: Certificates): void;
}

export interface Certificates extends Pick<ApiServerSettings, 'tls' | 'kubelet'> {
  readonly authentication: Authorities;
}

/** How long open requests may take to finish when the server stops. */
const graceMs = 60_000;

export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { settings, store, kinds, clock, log, largeWork = new JobProcess({ kinds: builtinKinds, clock, log }) } = deps;
  const metrics = createMetrics();
  processMetrics(metrics);
  const stopping = new AbortController();
  const state: ServerState = { isReady: false, isDraining: false, sendsAway: false, certificates: settings };
  const pools = new ServicePools({ ipRange: settings.serviceIps, nodePorts: settings.nodePorts });
  const claims = new ClusterIpClaims({ registry: () => registry, clock, log });
  const ports = new NodePortClaims({ store, range: settings.nodePorts, log });
  const policy = new RbacPolicy();
  const graph = new NodeGraph();
  const authorizer = authorizerOf(settings.authorizationModes, { policy, graph, counts: decisionCounter(metrics) });
  const admission = [
    ...makePlugins(settings.admissionPlugins, { registry: () => registry, clock, authorizer, settings: settings.pluginSettings }),
    deviceAdminAccess(() => registry),
    claimStatusRights(authorizer),
    rbacEscalation({ policy, authorizer }),
    serviceAllocation({ pools, claims, ports }),
  ];
  const codec = createCodec();
  const registry: GenericRegistry = new GenericRegistry({
    store,
    kinds,
    codec,
    admission,
    clock,
    log,
    timing: new AdmissionTiming(metrics, clock, isPluginName),
    largeWork,
    ...keepingOf(settings),
  });
  const hooks = new StartHooks();
  const sender = new EventSender({ client: serverEvents(registry), clock, log });
  const checks = healthChecks(deps, { state, registry, hooks }, stopping.signal);
  const made = { largeWork, state, codec, registry, authorizer, metrics, stopping: stopping.signal, checks };
  const { listener, timeouts, auditing } = requestParts({ ...deps, ...made });
  const services: readonly Service[] = [
    largeWork,
    hooks.of(registry, 'generic-apiserver-start-informers'),
    ...serviceKeepers(deps, registry, { pools, claims, sender, hooks }),
    hooks.of(defaultRoles({ registry, clock, log }), 'rbac/bootstrap-roles'),
    policyFeed({ policy, registry, clock, log }),
    ...(settings.authorizationModes.includes('Node') ? [graphFeed({ graph, registry, clock, log })] : []),
    ...auditing,
    timeouts,
    door(listener, deps, { state, stopping }),
    ...objectKeepers(deps, registry, { listener, state, sender, hooks }),
  ];
  return {
    name: 'kube-apiserver',
    registry,
    metrics,
    get port() {
      return listener.port;
    },
    renew(next) {
      listener.setTls({ ...next.tls, clientCa: trustedCa(next.authentication) });
      state.certificates = next;
    },
    run: async (signal, ready) => {
      const isReady = (): void => {
        state.isReady = true;
        ready();
      };
      await runServices(signal, services, isReady).catch((error: unknown) => {
        if (!isAbort(error, signal)) throw error;
      });
    },
  };
}

/** How long the store keeps what does not stay for ever. */
function keepingOf({
  eventTtlSeconds: ttlSeconds,
  compactionMs,
}: ApiServerSettings): Pick<GenericRegistryDeps, 'ttlSeconds' | 'compactionMs'> {
  return { ttlSeconds, compactionMs };
}

/** What changes while the server lives. */
interface ServerState {
  isReady: boolean;
  isDraining: boolean;
  /** Whether who comes now is sent away with words. */
  sendsAway: boolean;
  certificates: Certificates;
}

function healthChecks(
  { settings, store, clock, checks = [] }: ApiServerDeps,
  { state, registry, hooks }: { readonly state: ServerState; readonly registry: GenericRegistry; readonly hooks: StartHooks },
  stopping: AbortSignal,
): readonly HealthCheck[] {
  const { storeMs, storeReadyMs, startGraceMs } = settings.health ?? usualHealth;
  const startedMs = clock.monotonicMs();
  const inGrace = (): boolean => startGraceMs > 0 && clock.monotonicMs() - startedMs < startGraceMs;
  const storeAnswers = (ms: number) => (): Promise<true | string> => answers(store, clock, ms, stopping);
  return [
    { name: 'ping', on: ['livez', 'readyz'], check: () => true },
    { name: 'log', on: ['livez', 'readyz'], check: () => true },
    // Upstream's names, which probes ask for, whatever the store is.
    { name: 'etcd', on: ['livez', 'readyz'], check: storeAnswers(storeMs) },
    { name: 'etcd-readiness', on: ['readyz'], check: () => store.trouble ?? storeAnswers(storeReadyMs)() },
    ...checks,
    { name: 'informer-sync', on: ['readyz'], check: () => registry.trouble ?? (state.isReady || 'the caches are not filled yet') },
    ...hooks.checks(inGrace),
    { name: 'shutdown', on: ['readyz'], check: () => (state.isDraining ? 'process is shutting down' : true) },
  ];
}

/** Lets clients in, and at the end lets them go: not ready first, then no new requests, then the open ones' end. */
function door(
  listener: Listener,
  { settings, clock }: ApiServerDeps,
  { state, stopping }: { readonly state: ServerState; readonly stopping: AbortController },
): Service {
  return {
    name: 'listener',
    run: async (signal, ready) => {
      await listener.listen();
      ready();
      await aborted(signal);
      state.isDraining = true;
      const never = new AbortController().signal;
      if (settings.limits.shutdownDelayMs > 0) await clock.sleep(settings.limits.shutdownDelayMs, never);
      using deadline = clock.deadline(never, graceMs);
      if (settings.http?.sendsRetryAfter === true) {
        state.sendsAway = true;
        await listener.drained(deadline.signal);
      }
      stopping.abort(new Error('the server is shutting down'));
      await listener.close(deadline.signal);
    },
  };
}

interface ServiceParts {
  readonly pools: ServicePools;
  readonly claims: ClusterIpClaims;
}

/** What follows and repairs the addresses and ports of Services. */
function serviceKeepers(
  { settings, store, clock, log }: ApiServerDeps,
  registry: Registry,
  { pools, claims, sender, hooks }: ServiceParts & { readonly sender: EventSender; readonly hooks: StartHooks },
): readonly Service[] {
  const { serviceIps: ipRange, nodePorts: range } = settings;
  const addresses = { registry, events: sender.actionRecorder('ipallocator-repair-controller'), clock, log };
  const ports = { store, registry, range, events: sender.actionRecorder('portallocator-repair-controller'), clock, log };
  const repairs = [...nodePortRepair(ports), ...clusterIpRepair(addresses)];
  return [
    sender,
    ...serviceRangeFeed({ pools, registry, ipRange, clock, log }),
    servicePoolFeed({ pools, claims, registry, clock, log }),
    ...repairs.map((repair) => hooks.of(repair, 'start-service-ip-repair-controllers')),
  ];
}

interface KeeperParts {
  readonly listener: Listener;
  readonly state: ServerState;
  readonly sender: EventSender;
  readonly hooks: StartHooks;
}

/** What makes and repairs the objects that the server itself needs in its store. */
function objectKeepers(
  { settings, store, clock, log }: ApiServerDeps,
  registry: Registry,
  { listener, state, sender, hooks }: KeeperParts,
): readonly Service[] {
  const ranges = { registry: () => registry, ipRange: settings.serviceIps, events: sender.recorder(rangeKeeperName), clock };
  const bootstrap = new Bootstrap({
    registry: () => registry,
    ipRange: settings.serviceIps,
    serviceRange: new DefaultServiceRange(ranges),
    leases: new ServerLeases({ store }),
    trust: () => publishedTrust(state.certificates.authentication),
    advertise: () => ({ address: settings.advertiseAddress, port: listener.port }),
    clock,
    log,
  });
  const local = new LocalApiServices({ registry: () => registry, kinds: shownOf(settings, registry), clock, log });
  return [
    hooks.of(
      bootstrap,
      'start-system-namespaces-controller',
      'start-cluster-authentication-info-controller',
      'scheduling/bootstrap-system-priority-classes',
      'bootstrap-controller',
      'start-kubernetes-service-cidr-controller',
    ),
    hooks.of(local, 'kube-apiserver-autoregistration', 'autoregister-completion'),
    hooks.of(initialConfiguration({ registry, clock, log }), 'priority-and-fairness-config-producer'),
  ];
}

/** What `componentstatuses` tells of. */
function reportedComponents(store: Store): readonly Component[] {
  return [
    localComponent('controller-manager', 10_257),
    localComponent('scheduler', 10_259),
    { name: 'etcd-0', check: (signal) => store.currentRevision(signal).then(() => 'ok') },
  ];
}

async function answers(store: Store, clock: Clock, withinMs: number, stopping: AbortSignal): Promise<true | string> {
  using deadline = clock.deadline(stopping, withinMs);
  try {
    await store.currentRevision(deadline.signal);
    return true;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

interface RequestPartsDeps extends ApiServerDeps {
  readonly largeWork: LargeWork & Service;
  readonly state: ServerState;
  readonly codec: Codec;
  readonly registry: GenericRegistry;
  readonly authorizer: Authorizer;
  readonly metrics: Metrics;
  readonly stopping: AbortSignal;
  readonly checks: readonly HealthCheck[];
}

interface RequestParts {
  readonly listener: Listener;
  readonly timeouts: RequestTimeouts;
  readonly auditing: readonly Service[];
}

function makeSubresources(deps: RequestPartsDeps, tokenAuthenticator: TokenVerifier): ReturnType<typeof subresourceTable> {
  const { settings, store, state, clock, mayReach = isGlobalUnicast, registry, authorizer } = deps;
  const { signingKey, issuers, audiences, maxSeconds, extendsPodTokens } = settings.tokens;
  const signer = signingKey === undefined ? undefined : new TokenSigner(issuers[0] ?? '', signingKey);
  return subresourceTable({
    kubelets: new KubeletConnection(
      () => state.certificates.kubelet,
      () => registry,
    ),
    mayReach,
    tokens: signer === undefined ? undefined : { signer, audiences, maxSeconds, extendsPodTokens },
    authorizer,
    tokenAuthenticator,
    audiences,
    components: reportedComponents(store),
    clock,
  });
}

/** Everything between the socket and the registry. */
function requestParts(deps: RequestPartsDeps): RequestParts {
  const { settings, clock, log, codec, registry, authorizer, metrics, stopping } = deps;
  const negotiator = new Negotiator();
  const { issuers, audiences, verificationKeys } = settings.tokens;
  const keys = readVerificationKeys(verificationKeys);
  const authorities = (): Authorities => deps.state.certificates.authentication;
  const seen = authenticationMetrics(metrics);
  const authn = authenticationOf({
    settings: settings.authentication,
    authorities,
    keys,
    issuers,
    audiences,
    registry,
    onCertificate: seen.certificate,
    clock,
    log,
  });
  const subresources = makeSubresources(deps, authn.tokens);
  const serverAddress = (): string => withPort(settings.externalAddress ?? settings.advertiseAddress, listener.port);
  const discovery = new DiscoveryDocuments({
    kinds: shownOf(settings, registry),
    subresources,
    codec,
    serverAddress,
  });
  const resources = new ResourceRequests({
    registry,
    authorizer,
    negotiator,
    codec,
    clock,
    chunks: new FrameChunks(),
    protobufFrames: new ProtobufFrames(codec.protobuf, deps.largeWork),
    watchMetrics: new WatchMetrics(metrics),
    minWatchSeconds: settings.limits.minWatchSeconds,
    stopping,
    subresources,
    knowsGroup: (group) => discovery.knowsGroup(group),
    isShown: settings.isShown ?? (() => true),
  });
  const router: Router = new Router({
    resources,
    discovery,
    metrics,
    negotiator,
    pages: [issuerPages(issuers[0] ?? '', keys, serverAddress, settings.tokens.keysUrl), ...ownPages(deps, () => router.paths())],
  });
  const counts = auditMetrics(metrics);
  const auditor = settings.audit && new Auditor({ settings: settings.audit, metrics: counts, clock, log });
  const { filters, timeouts } = requestFilters(deps, {
    authenticator: authn.authenticator,
    seen,
    auditor,
    auditCounts: counts,
    sendsAway: () => deps.state.sendsAway,
  });
  const listener = makeListener(deps, compose(filters, router.serve));
  return { listener, timeouts, auditing: auditor?.services ?? [] };
}

function makeListener({ settings, codec, largeWork, metrics, clock }: RequestPartsDeps, handle: Next): Listener {
  const { host, port, tls, minTls, ciphers, http = plainHttp } = settings;
  const options: ListenerOptions = {
    host,
    port,
    ...tls,
    minTls,
    ciphers,
    streamsPerConnection: http.streamsPerConnection,
    clientCa: trustedCa(settings.authentication),
    protobuf: codec.protobuf,
    largeWork,
    onHandshakeError: connectionMetrics(metrics),
  };
  return new Listener(options, handle, clock);
}

/** What the server tells of itself and of what it serves; `paths` is all of it. */
function ownPages({ settings, checks, codec, registry, clock, debug }: RequestPartsDeps, paths: () => readonly string[]): Pages[] {
  const startedMs = clock.nowMs();
  const documents = new OpenApiDocuments({
    kinds: shownOf(settings, registry),
    schemas: codec.schemas,
    version,
    nowMs: () => clock.nowMs(),
  });
  return [
    healthPages(new HealthChecks(checks)),
    openApiPages(documents, clock),
    ...(debug === undefined ? [] : [debugPages(debug)]),
    ...(settings.logFolder === undefined ? [] : [logPages(settings.logFolder)]),
    zpages({
      '/statusz': () => statuszPage({ component: 'kube-apiserver', startedMs, nowMs: clock.nowMs(), paths: paths() }),
      '/flagz': () => flagzPage('kube-apiserver', settings.flags),
    }),
  ];
}

function shownOf({ isShown }: ApiServerSettings, registry: Registry): () => readonly KindDefinition[] {
  const kinds = (): readonly KindDefinition[] => registry.kinds();
  return isShown === undefined ? kinds : shownKinds(kinds, isShown);
}

function withPort(host: string, port: number): string {
  return /^(\[.*\]|[^:]*):\d+$/.test(host) ? host : `${host}:${port}`;
}
