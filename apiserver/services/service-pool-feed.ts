import { heldClusterIps } from '#api/core/service/rules.ts';
import type { Service } from '#api/core/service/service.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, type Service as Part } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { followKind } from '../follow-kind.ts';
import type { Encoded, Registry } from '../registry/contract.ts';
import type { ClusterIpClaims } from './cluster-ip-claims.ts';
import type { ServicePools } from './service-pools.ts';

interface ServicePoolFeedDeps {
  readonly pools: ServicePools;
  readonly claims: Pick<ClusterIpClaims, 'forget'>;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the pools as the watch cache has the Services, so that what other servers on the same store gave out is taken here too, and what
 * they gave back is free. Ready once all of them are known.
 */
export function servicePoolFeed({ pools, claims, registry, clock, log }: ServicePoolFeedDeps): Part {
  const known = new Map<string, Service>();
  const forget = (key: string): void => {
    const service = known.get(key);
    known.delete(key);
    if (service === undefined) return;
    pools.release(service);
    claims.forget(heldClusterIps(service), service.metadata);
  };
  const follower = {
    set: (encoded: Encoded): void => {
      const service = encoded.object() as Service;
      const key = keyText(keyOf(service));
      const isFree = pools.observe(service, known.get(key));
      known.set(key, service);
      if (!isFree) log.warn({ service: key }, 'a Service has an address or port that another one has too');
    },
    remove: (encoded: Encoded): void => forget(keyText(keyOf(encoded.object()))),
    retain: (keys: ReadonlySet<string>): void => {
      for (const key of known.keys()) if (!keys.has(key)) forget(key);
    },
  };
  const kind = registry.find('', 'v1', 'services');
  return {
    name: 'service addresses',
    run: async (signal, ready) => {
      if (kind !== undefined) return await followKind({ registry, kind, clock, log }, follower).run(signal, ready);
      ready();
      await aborted(signal);
    },
  };
}
