import { networkInterfaces } from 'node:os';
import { systemClock } from '#base/clock.ts';
import { runMain, runServices } from '#base/lifecycle.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { connect } from '#client/rest.ts';
import { Clients } from './clients.ts';
import { cachedKinds, clusterView, isNodeAddress } from './cluster-view.ts';
import { parseConfig } from './config.ts';
import { Forwarder } from './forwarder.ts';
import { Publisher } from './publisher.ts';
import { ResolvConf } from './resolv-conf.ts';
import { Resolver } from './resolver.ts';
import { DnsServer } from './server.ts';
import { Zone } from './zone.ts';

await runMain('coxswain-dns', async ({ argv, env, signal, log }) => {
  const config = parseConfig(argv, env);
  const clock = systemClock;
  await using client = connect(config.api, { clock, component: 'coxswain-dns' });
  const cluster = new ClusterCache(cachedKinds, { client, clock, log });
  const { nodeIp: address, port, serviceIp } = config;
  const resolvConf = new ResolvConf({ path: config.resolvConf, ownAddresses: [serviceIp, address], clock });
  const forwarder = new Forwarder({ servers: () => resolvConf.servers(), clock });
  const resolver = new Resolver({ zone: new Zone(config.domain, clusterView(cluster)), forwarder, log });
  const clients = new Clients(config.podCidrs, (from) => isOwnAddress(from) || isNodeAddress(cluster, from));
  await runServices(signal, [
    cluster,
    new DnsServer({ host: address, port, resolver, clients, log }),
    new Publisher({ client, serviceIp, address, port, clock, log }),
  ]);
});

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address) === true);
}
