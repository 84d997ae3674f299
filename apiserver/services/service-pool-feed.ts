import type { Service } from '#api/core/service/service.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, type Service as Part } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { followKind } from '../follow-kind.ts';
import type { Encoded, Registry } from '../registry/contract.ts';
import type { ServicePools } from './service-pools.ts';

export interface ServicePoolFeedDeps {
  readonly pools: ServicePools;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the pools as the watch cache has the Services, so that what other servers on the same store gave out is taken here too. Ready
 * once all of them are known. Two servers that give the same node port out within the milliseconds that this takes are not kept apart;
 * of addresses, IPAddress objects decide.
 */
export function servicePoolFeed({ pools, registry, clock, log }: ServicePoolFeedDeps): Part {
  const known = new Map<string, Service>();
  const forget = (key: string): void => {
    const service = known.get(key);
    if (service !== undefined) pools.release(service);
    known.delete(key);
  };
  const follower = {
    set: (encoded: Encoded): void => {
      const service = encoded.object() as Service;
      const key = keyText(keyOf(service));
      const isFree = pools.learn(service, known.get(key));
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
