import { type IPAddress, ipAddress } from '#api/networking/ip-address.ts';
import { type ServiceCIDR, serviceCidr } from '#api/networking/service-cidr.ts';
import type { ObjectKey } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import {
  again,
  type CacheReader,
  type ControllerDefinition,
  defineController,
  done,
  on,
  type ReconcileContext,
} from '#client/controller/define.ts';
import { timeText } from '#client/timestamps.ts';
import { holdsAddress, overlapping, planRange, rangeFinalizer, type ReadyCondition } from './plan.ts';

const name = 'service-cidr-controller';

/** Says which ranges of addresses are ready, and holds those that are to go while Services have addresses that are in no other range. */
export function serviceCidrController(): ControllerDefinition {
  return defineController<ServiceCIDR>({
    name,
    reconciles: serviceCidr,
    reads: [ipAddress],
    writes: [serviceCidr],
    wakes: [
      // A range that comes may be a new home for the addresses of one that is to go.
      on<ServiceCIDR>(serviceCidr, (range, _previous, cache, type) =>
        type === 'added' ? leaving(cache, overlapping(range, rangesOf(cache))) : [],
      ),
      // Addresses only matter to ranges that are to go.
      on<IPAddress>(ipAddress, ({ metadata }, _previous, cache, type) => {
        if (type === 'updated') return [];
        const around = rangesOf(cache).filter((range) => holdsAddress(range, metadata.name ?? ''));
        return leaving(
          cache,
          around.map((range) => range.metadata.name ?? ''),
        );
      }),
    ],
    async reconcile(context) {
      const { key, cache, clock } = context;
      const range = cache.get<ServiceCIDR>(serviceCidr, key);
      if (range === undefined) return done;
      const addresses = (): readonly IPAddress[] => cache.list<IPAddress>(ipAddress);
      const plan = planRange({ range, ranges: rangesOf(cache), addresses, nowMs: clock.nowMs() });
      try {
        if (plan.kind === 'wait') return again(plan.ms);
        if (plan.kind === 'setCondition') await setCondition(context, range, plan.ready);
        if (plan.kind === 'protect') await patch(context, { finalizers: [rangeFinalizer] });
        if (plan.kind === 'release') await patch(context, { '$deleteFromPrimitiveList/finalizers': [rangeFinalizer] });
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return done;
    },
  });
}

function rangesOf(cache: CacheReader): readonly ServiceCIDR[] {
  return cache.list<ServiceCIDR>(serviceCidr);
}

function leaving(cache: CacheReader, names: readonly string[]): ObjectKey[] {
  const keys = names.map((one): ObjectKey => ({ namespace: undefined, name: one }));
  return keys.filter((key) => cache.get<ServiceCIDR>(serviceCidr, key)?.metadata.deletionTimestamp !== undefined);
}

async function patch({ client, key, signal }: ReconcileContext, metadata: object): Promise<void> {
  await client.patch(serviceCidr, key, { metadata }, { type: 'strategic' }, signal);
}

async function setCondition(
  { client, key, events, clock, signal }: ReconcileContext,
  range: ServiceCIDR,
  ready: ReadyCondition,
): Promise<void> {
  const condition = { type: 'Ready', ...ready, lastTransitionTime: timeText(clock.nowMs()) };
  const body = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: key.name },
    status: { conditions: [condition] },
  };
  const options = { type: 'apply', subresource: 'status', fieldManager: name, force: true } as const;
  try {
    await client.patch(serviceCidr, key, body, options, signal);
  } catch (error) {
    if (ready.status === 'True' && !hasReason(error, 'NotFound')) {
      events.event(range, 'Warning', 'KubernetesServiceCIDRError', 'The ServiceCIDR Status can not be set to Ready=True');
    }
    throw error;
  }
}
