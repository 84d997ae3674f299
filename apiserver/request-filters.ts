// The filter chain that every request passes, with its metrics.
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Auditor } from './audit/auditor.ts';
import type { Authenticator } from './authn/contract.ts';
import type { Authorizer } from './authz/contract.ts';
import { plainHttp } from './flags/request-flags.ts';
import { audit } from './http/filters/audit.ts';
import { authentication } from './http/filters/authentication.ts';
import { authorization } from './http/filters/authorization.ts';
import { cors } from './http/filters/cors.ts';
import type { Filter } from './http/filters/filter.ts';
import { goaway } from './http/filters/goaway.ts';
import { impersonation } from './http/filters/impersonation.ts';
import { inFlight } from './http/filters/in-flight.ts';
import { recovery } from './http/filters/recovery.ts';
import { requestMetrics } from './http/filters/request-metrics.ts';
import { retryAfter } from './http/filters/retry-after.ts';
import { RequestTimeouts } from './http/filters/timeout.ts';
import { transportSecurity } from './http/filters/transport-security.ts';
import { type AuthenticationMetrics, authorizationMetrics } from './metrics/access-metrics.ts';
import type { AuditMetrics } from './metrics/audit-metrics.ts';
import { impersonationMetrics } from './metrics/impersonation-metrics.ts';
import { loadMetrics } from './metrics/load-metrics.ts';
import { storageMetrics } from './metrics/storage-metrics.ts';
import { transformationMetrics } from './metrics/transformation-metrics.ts';
import type { GenericRegistry } from './registry/registry.ts';
import type { ApiServerSettings } from './server.ts';
import type { Store } from './storage/contract.ts';

interface RequestFilterDeps {
  readonly settings: ApiServerSettings;
  readonly store: Store;
  readonly registry: GenericRegistry;
  readonly authorizer: Authorizer;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly stopping: AbortSignal;
}

interface AccessDeps {
  readonly authenticator: Authenticator;
  readonly seen: AuthenticationMetrics;
  /** Undefined where nothing is audited. */
  readonly auditor: Auditor | undefined;
  readonly auditCounts: AuditMetrics;
  /** True while new requests are rejected, during shutdown. */
  readonly rejectsRequests: () => boolean;
}

/** The filters, outermost first. */
export function requestFilters(
  { settings, store, registry, authorizer, metrics, clock, log, stopping }: RequestFilterDeps,
  { authenticator, seen, auditor, auditCounts, rejectsRequests }: AccessDeps,
): { readonly filters: readonly Filter[]; readonly timeouts: RequestTimeouts } {
  const timeouts = new RequestTimeouts(settings.limits.requestMs, clock, auditor);
  const limits = inFlight(settings.limits, clock);
  loadMetrics(metrics, limits);
  storageMetrics(metrics, { resources: () => registry.measured(), sizeBytes: sizeOf(store, stopping) });
  store.observeTransformations?.(transformationMetrics(metrics, clock));
  const { origins, transportSecurity: directives, goawayChance, sendsRetryAfter } = settings.http ?? plainHttp;
  // Filters that are not configured cost a request nothing: they are left out.
  const filters = [
    recovery(log),
    requestMetrics(metrics, clock),
    ...(sendsRetryAfter ? [retryAfter(rejectsRequests)] : []),
    ...(directives === '' ? [] : [transportSecurity(directives)]),
    ...(goawayChance > 0 ? [goaway(goawayChance, Math.random)] : []),
    timeouts.filter,
    ...(origins.length > 0 ? [cors(origins)] : []),
    authentication(authenticator, { metrics: seen, clock, auditor }),
    ...(auditor === undefined ? [] : [audit(auditor, auditCounts)]),
    impersonation(authorizer, impersonationMetrics(metrics), clock),
    limits.filter,
    authorization(authorizer, authorizationMetrics(metrics), clock),
  ];
  return { filters, timeouts };
}

/** How to ask for the size of the database; a store that does not answer has none for now. */
function sizeOf(store: Store, stopping: AbortSignal): (() => Promise<number | undefined>) | undefined {
  if (store.sizeBytes === undefined) return undefined;
  return () => store.sizeBytes?.(stopping).catch(() => undefined) ?? Promise.resolve(undefined);
}
