import { hostname, networkInterfaces } from 'node:os';
import { node } from '#api/core/node/node.ts';
import { service } from '#api/core/service/service.ts';
import { endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { systemClock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { runMain, runServices, type Service } from '#base/lifecycle.ts';
import { createMetrics } from '#base/metrics.ts';
import { DebugPages } from '#base/profiling/debug-pages.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { ClientMetrics } from '#client/client-metrics.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { reportFeatureGates } from '#client/feature-gates/feature-gates.ts';
import { connect } from '#client/rest.ts';
import { Announcer } from './announce/announcer.ts';
import { AnnounceKernel, removeAnnounced } from './announce/kernel.ts';
import { healthProbe } from './announce/peers.ts';
import { NftablesBackend } from './backends/nftables/nftables.ts';
import { cachedKinds } from './cached-kinds.ts';
import { parseConfig } from './config.ts';
import { ProxyHealth } from './health/proxy-health.ts';
import { ServiceHealthServers } from './health/service-health.ts';
import { Proxier } from './proxier.ts';
import { createProxyMetrics } from './proxy-metrics.ts';
import { NodeRoutes, removeNodeRoutes } from './routes/node-routes.ts';

/** Where the proxies of other nodes are asked. */
const defaultHealthPort = 10_256;
const probeLimitMs = 1_000;

await runMain('kube-proxy', async ({ argv, env, signal, log, logLevel }) => {
  const config = parseConfig(argv, env, hostname());
  if (config === 'cleanup') {
    await removeNodeRoutes(signal);
    await removeAnnounced(signal);
    return await new NftablesBackend({ podCidrs: [], log }).cleanup(signal);
  }

  const { nodeName } = config;
  const clock = systemClock;
  const metrics = createMetrics();
  processMetrics(metrics);
  reportFeatureGates(config.flags['feature-gates'] ?? '', { metrics, log });
  await using client = connect(config.api, { clock, component: 'kube-proxy', metrics: new ClientMetrics(metrics) });
  const cluster = new ClusterCache(cachedKinds(nodeName, { allNodes: config.nodeRoutes !== undefined || config.announced.length > 0 }), {
    client,
    clock,
    log,
  });
  const [services, slices, nodes] = [cluster.informer(service), cluster.informer(endpointSlice), cluster.informer(node)];
  const proxier = new Proxier({
    services,
    slices,
    nodes,
    backend: new NftablesBackend({ podCidrs: config.podCidrs, log }),
    node: { name: nodeName, addresses: ownAddresses() },
    metrics: createProxyMetrics(metrics),
    clock,
    log,
  });
  const { nodeRoutes: mode } = config;
  const routes = mode === undefined ? [] : [new NodeRoutes({ nodes, nodeName, mode, networks: ownNetworks, clock, log })];
  const health = new ProxyHealth({
    behindSinceMs: () => proxier.behindSinceMs,
    lastAppliedMs: () => proxier.lastAppliedMs,
    node: () => cluster.get(node, { name: nodeName }),
    clock,
  });
  const announcer = new Announcer({
    services,
    slices,
    nodes,
    nodeName,
    ranges: config.announced,
    networks: ownNetworks,
    word: () => (!health.isHealthy ? 'silent' : health.isLeaving ? 'leaves' : 'serves'),
    leave: () => health.leave(),
    probe: healthProbe(config.health?.port ?? defaultHealthPort, probeLimitMs, clock),
    kernel: new AnnounceKernel(),
    clock,
    log,
  });
  await runServices(signal, [
    ...serve(config.health, { paths: { '/healthz': () => health.healthz(), '/livez': () => health.livez() } }),
    ...serve(config.metrics, {
      metrics,
      paths: { '/proxyMode': () => ({ status: 200, text: 'nftables' }) },
      about: { component: 'kube-proxy', flags: config.flags },
      debug: new DebugPages({ clock, logLevel, hasProfiles: config.hasProfiles, argv: ['kube-proxy', ...argv] }),
    }),
    cluster,
    ...routes,
    proxier,
    ...(config.announced.length === 0 ? [] : [announcer]),
    new ServiceHealthServers({ services, slices, nodeName, isHealthy: () => health.isHealthy, clock, log }),
  ]);
});

type Options = ConstructorParameters<typeof HealthServer>[0];

function serve(address: { host: string; port: number } | undefined, options: Omit<Options, 'host' | 'port'>): readonly Service[] {
  return address === undefined ? [] : [new HealthServer({ ...address, ...options })];
}

function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
}

function ownNetworks(): readonly { readonly network: string; readonly device: string }[] {
  return Object.entries(networkInterfaces()).flatMap(([device, addresses = []]) =>
    addresses
      .filter(({ family, internal, cidr }) => family === 'IPv4' && !internal && cidr !== null)
      .map(({ cidr }) => ({ network: cidr ?? '', device })),
  );
}
