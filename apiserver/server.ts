// The API server as a part that any process can hold, also several times: everything it needs comes in, nothing is global.
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
import { tellFeatureGates } from '#client/feature-gates/feature-gates.ts';
import { isPluginName, makePlugins } from './admission/plugins.ts';
import { type Authorities, trustedCa } from './authn/methods.ts';
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
import type { Registry } from './registry/contract.ts';
import { AdmissionTiming } from './registry/admission-timing.ts';
import { GenericRegistry, type GenericRegistryDeps } from './registry/registry.ts';
import { claimStatusRights } from './services/claim-status-rights.ts';
import { deviceAdminAccess } from './services/device-admin-access.ts';
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
  processMetrics(metrics, { delayEveryMs: 10 });
  tellFeatureGates(settings.flags['feature-gates'] ?? '', { metrics, log });
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
export interface ServerState {
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

async function answers(store: Store, clock: Clock, withinMs: number, stopping: AbortSignal): Promise<true | string> {
  using deadline = clock.deadline(stopping, withinMs);
  try {
    await store.currentRevision(deadline.signal);
    return true;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
