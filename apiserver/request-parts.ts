// Wires everything between the socket and the registry: listener, filters, authentication, routing, subresources, discovery.
import type { KindDefinition } from '#api/kind.ts';
import type { Codec } from '#api/schema/codec.ts';
import { OpenApiDocuments } from '#api/openapi/documents.ts';
import { type HealthCheck, HealthChecks } from '#base/health-checks.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Metrics } from '#base/metrics.ts';
import { version } from '#base/version.ts';
import { issuerPages } from './authn/issuer-pages.ts';
import type { TokenVerifier } from './authn/bearer-tokens.ts';
import { type Authorities, authenticationOf, trustedCa } from './authn/methods.ts';
import { readVerificationKeys, TokenSigner } from './authn/token-keys.ts';
import type { Authorizer } from './authz/contract.ts';
import { plainHttp } from './flags/request-flags.ts';
import { shownKinds } from './flags/runtime-config.ts';
import { DiscoveryDocuments } from './discovery/documents.ts';
import { flagzPage, statuszPage } from '#base/zpages.ts';
import { openApiPages } from './discovery/openapi-pages.ts';
import { compose, type Next } from './http/filters/filter.ts';
import type { RequestTimeouts } from './http/filters/timeout.ts';
import { FrameChunks } from './http/frame-chunks.ts';
import { ProtobufFrames } from './http/protobuf-frames.ts';
import { debugPages, logPages } from './http/debug-pages.ts';
import { healthPages } from './http/health.ts';
import { WatchLifetimes } from './http/watch-lifetimes.ts';
import { WatchMetrics } from './http/watch-metrics.ts';
import { Listener, type ListenerOptions } from './http/listener.ts';
import { Negotiator } from './http/negotiate.ts';
import { ResourceRequests } from './http/resource-requests.ts';
import { type Pages, Router } from './http/router.ts';
import { zpages } from './http/zpages.ts';
import { authenticationMetrics } from './metrics/access-metrics.ts';
import { auditMetrics } from './metrics/audit-metrics.ts';
import { Auditor } from './audit/auditor.ts';
import type { LargeWork } from './large/contract.ts';
import { connectionMetrics } from './metrics/load-metrics.ts';
import type { Registry } from './registry/contract.ts';
import { requestFilters } from './request-filters.ts';
import type { GenericRegistry } from './registry/registry.ts';
import type { Store } from './storage/contract.ts';
import { KubeletConnection } from './subresources/kubelet-connection.ts';
import { isGlobalUnicast } from './subresources/proxy-target.ts';
import { type Component, localComponent } from './subresources/component-status.ts';
import { subresourceTable } from './subresources/table.ts';
import type { ApiServerDeps, ApiServerSettings, ServerState } from './server.ts';

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

export function requestParts(deps: RequestPartsDeps): RequestParts {
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
    onPodToken: seen.podToken,
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
    watchLifetimes: new WatchLifetimes(clock, stopping),
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
    rejectsRequests: () => deps.state.rejectsRequests,
  });
  const listener = makeListener(deps, compose(filters, router.serve));
  return { listener, timeouts, auditing: auditor?.services ?? [] };
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

/** The components that `componentstatuses` reports. */
function reportedComponents(store: Store): readonly Component[] {
  return [
    localComponent('controller-manager', 10_257),
    localComponent('scheduler', 10_259),
    { name: 'etcd-0', check: (signal) => store.currentRevision(signal).then(() => 'ok') },
  ];
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

/** Health, OpenAPI, debugging and status pages. `paths` lists every path that is not a resource. */
function ownPages({ settings, checks, codec, registry, clock, debug }: RequestPartsDeps, paths: () => readonly string[]): Pages[] {
  const startedMs = clock.nowMs();
  const documents = new OpenApiDocuments({
    kinds: shownOf(settings, registry),
    schemas: codec.schemas,
    version,
    hasLogs: settings.logFolder !== undefined,
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

/** The kinds that `--runtime-config` leaves in discovery. */
export function shownOf({ isShown }: ApiServerSettings, registry: Registry): () => readonly KindDefinition[] {
  const kinds = (): readonly KindDefinition[] => registry.kinds();
  return isShown === undefined ? kinds : shownKinds(kinds, isShown);
}

function withPort(host: string, port: number): string {
  return /^(\[.*\]|[^:]*):\d+$/.test(host) ? host : `${host}:${port}`;
}
