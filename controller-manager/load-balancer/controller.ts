import { type Service, service } from '#api/core/service/service.ts';
import { keyText } from '#api/meta/object.ts';
import { type ControllerDefinition, defineController, done, type ReconcileContext } from '#client/controller/define.ts';
import { nextAddress, usableAddress } from './pool.ts';

/**
 * Gives Services of type LoadBalancer an address of a pool, in the place of a cloud's service-lb-controller. Services with a
 * loadBalancerClass are another's; `spec.loadBalancerIP` is honoured where it lies in the pool and is free. One worker, and a record of
 * what was given, so that no address is given twice however stale the cache.
 * @param cidr the pool; its first and last address are not used.
 */
export function loadBalancerController(cidr: string): ControllerDefinition {
  const given = new Map<string, string>();
  return defineController<Service>({
    name: 'service-lb-controller',
    reconciles: service,
    reads: [],
    writes: [service],
    workers: 1,
    async reconcile(context) {
      const { key, cache, events } = context;
      const found = cache.get<Service>(service, key);
      if (found === undefined || !wantsAddress(found)) {
        given.delete(keyText(key));
        if (found !== undefined && found.spec.type !== 'LoadBalancer') await publish(found, undefined, context);
        return done;
      }
      const current = found.status?.loadBalancer?.ingress?.[0]?.ip;
      const isGood = current !== undefined && usableAddress(cidr, current);
      const address = isGood ? current : nextAddress(cidr, takenAddresses(found, given, context), found.spec.loadBalancerIP);
      if (address === undefined) {
        const wish = found.spec.loadBalancerIP === undefined ? '' : ` (asked for ${found.spec.loadBalancerIP})`;
        const why = `no address is free in ${cidr}${wish}`;
        events.event(found, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${why}`);
        throw new Error(why);
      }
      given.set(keyText(key), address);
      if (isGood) return done;
      events.event(found, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
      await publish(found, address, context);
      events.event(found, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
      return done;
    },
  });
}

function wantsAddress({ spec, metadata }: Service): boolean {
  return spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;
}

/** What this process gave and what other Services show. */
function takenAddresses(found: Service, given: ReadonlyMap<string, string>, { key, cache }: ReconcileContext): ReadonlySet<string> {
  const taken = new Set([...given].filter(([owner]) => owner !== keyText(key)).map(([, ip]) => ip));
  for (const other of cache.list<Service>(service)) {
    if (other === found) continue;
    for (const { ip } of other.status?.loadBalancer?.ingress ?? []) if (ip !== undefined) taken.add(ip);
  }
  return taken;
}

/** Writes the address into the status; undefined takes it out. */
async function publish(found: Service, ip: string | undefined, { client, signal }: ReconcileContext): Promise<void> {
  const before = found.status?.loadBalancer?.ingress ?? [];
  if (ip === undefined && before.length === 0) return;
  const status = { ...found.status, loadBalancer: { ingress: ip === undefined ? [] : [{ ip, ipMode: 'VIP' }] } };
  await client.update<Service>(service, { ...found, status }, { subresource: 'status' }, signal);
}
