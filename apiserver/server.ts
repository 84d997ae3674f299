// The composition root of the API server. Everything it needs is injected and nothing is global, so a process may hold several.
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { createCodec } from '#api/schema/codec.ts';
import type { Clock } from '#base/clock.ts';
import type { HealthCheck } from '#base/health-checks.ts';
import { aborted, isAbort, runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import type { DebugPages } from '#base/profiling/debug-pages.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { EventSender } from '#client/events.ts';
import { reportFeatureGates } from '#client/feature-gates/feature-gates.ts';
import { isPluginName, makePlugins } from './admission/plugins.ts';
import { type Authorities, trustedCa } from './authn/methods.ts';
import type { Authorizer } from './authz/contract.ts';
import { authorizerOf } from './authz/modes.ts';
import { NodeGraph } from './authz/node/graph.ts';
import { graphFeed } from './authz/node/graph-feed.ts';
import { defaultRoles } from './authz/rbac/defaults/keeper.ts';
import { rbacEscalation } from './authz/rbac/escalation.ts';
import { RbacPolicy } from './authz/rbac/policy.ts';
import { policyFeed } from './authz/rbac/policy-feed.ts';
import type { ApiServerConfig } from './config.ts';
import { usualHealth } from './flags/request-flags.ts';
import type { Listener } from './http/listener.ts';
import { decisionCounter } from './metrics/access-metrics.ts';
import type { LargeWork } from './large/contract.ts';
import { JobProcess } from './large/job-process.ts';
import type { AdmissionPlugin, Registry } from './registry/contract.ts';
import { AdmissionTiming } from './registry/admission-timing.ts';
import { GenericRegistry, type GenericRegistryDeps } from './registry/registry.ts';
import { claimStatusRights } from './services/claim-status-rights.ts';
import { deviceAdminAccess } from './services/device-admin-access.ts';
import { beforeRequests, inOrder } from './services/before-requests.ts';
import { StartHooks } from './services/start-hooks.ts';
import { ClusterIpClaims } from './services/cluster-ip-claims.ts';
import { serviceAllocation } from './services/service-allocation.ts';
import { NodePortClaims } from './services/node-port-claims.ts';
import { serverEvents } from './server-events.ts';
import { ServicePools } from './services/service-pools.ts';
import type { Store } from './storage/contract.ts';
import type { MayReach } from './subresources/proxy-target.ts';
import { objectKeepers, serviceKeepers } from './keepers.ts';
import { requestParts } from './request-parts.ts';

/** The settings from the flags, without those that only a process of its own needs. */
export type ApiServerSettings = Omit<ApiServerConfig, 'storage' | 'sealing'>;

export interface ApiServerDeps {
  readonly settings: ApiServerSettings;
  /** Stays open until `run` has ended; the caller closes it. */
  readonly store: Store;
  readonly kinds: readonly KindDefinition[];
  /** Further health checks, such as those of encryption at rest. */
  readonly checks?: readonly HealthCheck[];
  readonly clock: Clock;
  readonly log: Log;
  /** Which addresses of pods and nodes the proxy subresources may dial; default: global unicast ones. Tests on loopback widen it. */
  readonly mayReach?: MayReach;
  /** Profiling and log-level endpoints; default: not served. */
  readonly debug?: DebugPages | undefined;
  /** Encodes and decodes large objects off the main thread; default: a child process that starts with the first large request. */
  readonly largeWork?: LargeWork & Service;
}

/** An API server. `run` serves until the signal aborts, then lets requests finish. */
export interface ApiServer extends Service {
  readonly registry: Registry;
  readonly metrics: Metrics;
  /** The port that the listener is bound to; known once `run` has called `ready`. */
  readonly port: number;
  /** Reloads the serving certificate, the kubelet client certificate and the client CAs, for new connections. Throws if they are invalid. */
  renew(settings: Certificates): void;
}

export interface Certificates extends Pick<ApiServerSettings, 'tls' | 'kubelet'> {
  readonly authentication: Authorities;
}

/** How long requests in flight may take to finish on shutdown. */
const drainMs = 60_000;

export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { settings, store, kinds, clock, log, largeWork = new JobProcess({ kinds: builtinKinds, clock, log }) } = deps;
  const metrics = createMetrics();
  processMetrics(metrics, { delayEveryMs: 10 });
  reportFeatureGates(settings.flags['feature-gates'] ?? '', { metrics, log });
  const stopping = new AbortController();
  const state: ServerState = { isReady: false, isDraining: false, rejectsRequests: false, certificates: settings };
  const pools = new ServicePools({ ipRange: settings.serviceIps, nodePorts: settings.nodePorts });
  const claims = new ClusterIpClaims({ registry: () => registry, clock, log });
  const ports = new NodePortClaims({ store, range: settings.nodePorts, log });
  const policy = new RbacPolicy();
  const graph = new NodeGraph();
  const authorizer = authorizerOf(settings.authorizationModes, { policy, graph, counts: decisionCounter(metrics) });
  const access = { registry: () => registry, policy, authorizer };
  const admission = [...admissionOf(settings, clock, access), serviceAllocation({ pools, claims, ports })];
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
    ...retentionOf(settings),
  });
  const hooks = new StartHooks();
  const sender = new EventSender({ client: serverEvents(registry), clock, log });
  const checks = healthChecks(deps, { state, registry, hooks }, stopping.signal);
  const parts = { largeWork, state, codec, registry, authorizer, metrics, stopping: stopping.signal, checks };
  const { listener, timeouts, auditing } = requestParts({ ...deps, ...parts });
  const keepers = serviceKeepers(deps, registry, { pools, claims, sender, hooks });
  const needed = inOrder('what requests need', [...keepers, ...rightsFeeds(deps, { policy, graph, registry, hooks })]);
  const services: readonly Service[] = [
    largeWork,
    hooks.of(registry, 'generic-apiserver-start-informers'),
    beforeRequests(hooks.of(needed, 'generic-apiserver-start-informers'), { checks: deps.checks ?? [], clock }),
    ...auditing,
    timeouts,
    listenerService(listener, deps, { state, stopping }),
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

interface AccessControl {
  readonly registry: () => Registry;
  readonly policy: RbacPolicy;
  readonly authorizer: Authorizer;
}

/** The enabled admission plugins, then the checks of rights that belong to a kind. */
function admissionOf(settings: ApiServerSettings, clock: Clock, { registry, policy, authorizer }: AccessControl): AdmissionPlugin[] {
  return [
    ...makePlugins(settings.admissionPlugins, { registry, clock, authorizer, settings: settings.pluginSettings }),
    deviceAdminAccess(registry),
    claimStatusRights(authorizer),
    rbacEscalation({ policy, authorizer }),
  ];
}

/** How long events and the history of the store are kept. */
function retentionOf({
  eventTtlSeconds: ttlSeconds,
  compactionMs,
}: ApiServerSettings): Pick<GenericRegistryDeps, 'ttlSeconds' | 'compactionMs'> {
  return { ttlSeconds, compactionMs };
}

/** The mutable state of a running server. */
export interface ServerState {
  isReady: boolean;
  isDraining: boolean;
  /** True while new requests are answered with 429 and Retry-After, during shutdown. */
  rejectsRequests: boolean;
  certificates: Certificates;
}

/** What tells who may what. */
function rightsFeeds(
  { settings, clock, log }: ApiServerDeps,
  { policy, graph, registry, hooks }: { policy: RbacPolicy; graph: NodeGraph; registry: Registry; hooks: StartHooks },
): readonly Service[] {
  return [
    hooks.of(defaultRoles({ registry, clock, log }), 'rbac/bootstrap-roles'),
    policyFeed({ policy, registry, clock, log }),
    ...(settings.authorizationModes.includes('Node') ? [graphFeed({ graph, registry, clock, log })] : []),
  ];
}

function healthChecks(
  { settings, store, clock, checks = [] }: ApiServerDeps,
  { state, registry, hooks }: { readonly state: ServerState; readonly registry: GenericRegistry; readonly hooks: StartHooks },
  stopping: AbortSignal,
): readonly HealthCheck[] {
  const { storeMs, storeReadyMs, startGraceMs } = settings.health ?? usualHealth;
  const startedMs = clock.monotonicMs();
  const inGrace = (): boolean => startGraceMs > 0 && clock.monotonicMs() - startedMs < startGraceMs;
  const storeCheck = (ms: number) => (): Promise<true | string> => checkStore(store, clock, ms, stopping);
  return [
    { name: 'ping', on: ['livez', 'readyz'], check: () => true },
    { name: 'log', on: ['livez', 'readyz'], check: () => true },
    // Probes name these checks as upstream does, whatever the storage engine is.
    { name: 'etcd', on: ['livez', 'readyz'], check: storeCheck(storeMs) },
    { name: 'etcd-readiness', on: ['readyz'], check: () => store.trouble ?? storeCheck(storeReadyMs)() },
    ...checks,
    { name: 'informer-sync', on: ['readyz'], check: () => registry.trouble ?? (state.isReady || 'the caches are not filled yet') },
    ...hooks.checks(inGrace),
    { name: 'shutdown', on: ['readyz'], check: () => (state.isDraining ? 'process is shutting down' : true) },
  ];
}

/** Listens, and shuts down in the order of upstream: readiness fails first, then new requests are rejected, then those in flight drain. */
function listenerService(
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
      using deadline = clock.deadline(never, drainMs);
      if (settings.http?.sendsRetryAfter === true) {
        state.rejectsRequests = true;
        await listener.drained(deadline.signal);
      }
      stopping.abort(new Error('the server is shutting down'));
      await listener.close(deadline.signal);
    },
  };
}

async function checkStore(store: Store, clock: Clock, withinMs: number, stopping: AbortSignal): Promise<true | string> {
  using deadline = clock.deadline(stopping, withinMs);
  try {
    await store.currentRevision(deadline.signal);
    return true;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
