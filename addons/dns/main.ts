import { systemClock } from '#base/clock.ts';
import { runMain, runServices } from '#base/lifecycle.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { connect } from '#client/rest.ts';
import { cachedKinds, clusterView } from './cluster-view.ts';
import { parseConfig } from './config.ts';
import { Forwarder, readResolvers } from './forwarder.ts';
import { Publisher } from './publisher.ts';
import { Resolver } from './resolver.ts';
import { DnsServer } from './server.ts';
import { Zone } from './zone.ts';

await runMain('coxswain-dns', async ({ argv, env, signal, log }) => {
  const config = parseConfig(argv, env);
  const clock = systemClock;
  await using client = connect(config.api, { clock, component: 'coxswain-dns' });
  const cluster = new ClusterCache(cachedKinds, { client, clock, log });
  const servers = readResolvers(config.resolvConf, [config.serviceIp, config.nodeIp]);
  const resolver = new Resolver({ zone: new Zone(config.domain, clusterView(cluster)), forwarder: new Forwarder({ servers, clock }), log });
  const { nodeIp: address, port, serviceIp } = config;
  await runServices(signal, [
    cluster,
    new DnsServer({ host: address, port, resolver, log }),
    new Publisher({ client, serviceIp, address, port, clock, log }),
  ]);
});
