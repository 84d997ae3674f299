import { hostname } from 'node:os';
import { service } from '#api/core/service/service.ts';
import { endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { systemClock } from '#base/clock.ts';
import { HealthServer } from '#base/health-server.ts';
import { runMain, runServices } from '#base/lifecycle.ts';
import { createMetrics } from '#base/metrics.ts';
import { ClusterCache, cached } from '#client/cluster-cache.ts';
import { connect } from '#client/rest.ts';
import { NftablesBackend } from './backends/nftables/nftables.ts';
import { parseConfig } from './config.ts';
import { byServiceIndex, Proxier, serviceOfSlice } from './proxier.ts';

await runMain('kube-proxy', async ({ argv, env, signal, log }) => {
  const config = parseConfig(argv, env, hostname());
  if (config === 'cleanup') return await new NftablesBackend({ podCidrs: [], log }).cleanup(signal);

  const metrics = createMetrics();
  await using client = connect(config.api, { clock: systemClock, component: 'kube-proxy' });
  const slices = cached(endpointSlice, { indexes: { [byServiceIndex]: serviceOfSlice } });
  const cluster = new ClusterCache([service, slices], { client, clock: systemClock, log });
  const backend = new NftablesBackend({ podCidrs: config.podCidrs, log });
  const proxier = new Proxier({
    services: cluster.informer(service),
    slices: cluster.informer(endpointSlice),
    backend,
    nodeName: config.nodeName,
    clock: systemClock,
    log,
  });
  const ready = (): true | string => (proxier.lastAppliedMs === undefined ? 'the rules are not made yet' : true);
  await runServices(signal, [new HealthServer({ ...config.health, ready, metrics }), cluster, proxier]);
});
