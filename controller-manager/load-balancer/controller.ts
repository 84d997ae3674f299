import { type Service, service } from '#api/core/service/service.ts';
import { type ControllerDefinition, defineController, done } from '#client/controller/define.ts';
import { nextAddress, usableAddress } from './pool.ts';

/**
 * Gives Services of type LoadBalancer an address of a pool. Services with a loadBalancerClass are another's; `spec.loadBalancerIP` is
 * honoured where it lies in the pool and is free. One worker, so that no address is given twice.
 * @param cidr the pool; its first and last address are not used.
 */
export function loadBalancerController(cidr: string): ControllerDefinition {
  const given = new Map<string, string>();
  return defineController<Service>({
    name: 'service-lb-controller',
    reconciles: service,
    reads: [],
    writes: [service as never],
    workers: 1,
    async reconcile({ key, cache, client, events, signal }) {
      const id = `${key.namespace}/${key.name}`;
      const found = cache.get<Service>(service, key);
      const isOurs =
        found?.spec.type === 'LoadBalancer' && found.spec.loadBalancerClass === undefined && found.metadata.deletionTimestamp === undefined;
      if (!isOurs) given.delete(id);
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) return done;
      const ingress = found.status?.loadBalancer?.ingress ?? [];
      if (!isOurs) {
        if (found.spec.type !== 'LoadBalancer' && ingress.length > 0) await writeStatus(found, []);
        return done;
      }
      const [current] = ingress;
      if (current?.ip !== undefined && usableAddress(cidr, current.ip)) {
        given.set(id, current.ip);
        return done;
      }
      const taken = new Set([...given].filter(([owner]) => owner !== id).map(([, ip]) => ip));
      for (const other of cache.list<Service>(service)) {
        if (other !== found) for (const { ip } of other.status?.loadBalancer?.ingress ?? []) if (ip !== undefined) taken.add(ip);
      }
      const address = nextAddress(cidr, taken, found.spec.loadBalancerIP);
      if (address === undefined) {
        events.event(
          found,
          'Warning',
          'SyncLoadBalancerFailed',
          `Error syncing load balancer: no address is free in ${cidr}${wish(found)}`,
        );
        throw new Error(`no address is free in ${cidr}`);
      }
      given.set(id, address);
      await writeStatus(found, [{ ip: address, ipMode: 'VIP' }]);
      events.event(found, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
      return done;

      async function writeStatus(object: Service, addresses: { ip: string; ipMode: string }[]): Promise<void> {
        const status = { ...object.status, loadBalancer: { ingress: addresses } };
        await client.update<Service>(service, { ...object, status }, { subresource: 'status' }, signal);
      }
    },
  });
}

function wish({ spec }: Service): string {
  return spec.loadBalancerIP === undefined ? '' : ` (asked for ${spec.loadBalancerIP})`;
}
