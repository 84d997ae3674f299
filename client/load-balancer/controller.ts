// Gives Services of type LoadBalancer an address of a pool. One worker and a ledger of what was given, so that no address is given
// twice however stale the cache; what the ledger does not know yet, after a start, is read from the Services themselves.
import { type Service, service } from '#api/core/service/service.ts';
import { type ObjectKey, keyOf, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { again, type ControllerDefinition, defineController, done, on, type Outcome, type ReconcileContext } from '../controller/define.ts';
import { AddressLedger } from './ledger.ts';
import { cleanupFinalizer, type LoadBalancerPlan, planLoadBalancer, type Pool } from './plan.ts';

interface LoadBalancerOptions {
  /** Asked with each look: pools may change while the process runs. */
  readonly pool: () => Pool;
  /** Looks at every balanced Service again after this time, which finds a changed pool; undefined only when it changes. */
  readonly resyncMs?: number | undefined;
}

export function loadBalancerController({ pool, resyncMs }: LoadBalancerOptions): ControllerDefinition {
  const ledger = new AddressLedger();
  const waiting = new Map<string, ObjectKey>();
  return defineController<Service>({
    name: 'service-lb-controller',
    reconciles: service,
    reads: [],
    writes: [service],
    // Whoever waits for an address looks again when one may have become free.
    wakes: [on(service, (object, previous, _cache, type) => (isFreed(object, previous, type) ? [...waiting.values()] : []))],
    workers: 1,
    async reconcile(context) {
      const text = keyText(context.key);
      const found = context.cache.get<Service>(service, context.key);
      waiting.delete(text);
      const plan = found === undefined ? undefined : planLoadBalancer(found, pool(), takenBy(text, ledger, context));
      if (found === undefined || plan === undefined || plan.kind === 'nothing') {
        ledger.free(text);
        return done;
      }
      if (plan.kind === 'refuse') waiting.set(text, context.key);
      if (plan.kind === 'keep' || plan.kind === 'assign') ledger.give(text, plan.address);
      await carryOut(plan, found, context);
      if (plan.kind === 'release') ledger.free(text);
      return next(plan, resyncMs);
    },
  });
}

/** Whether another Service has an address: by the ledger, or by what it shows and the ledger has not heard of yet. */
function takenBy(own: string, ledger: AddressLedger, { cache }: ReconcileContext): (ip: string) => boolean {
  let shown: ReadonlySet<string> | undefined;
  return (ip) => {
    const holder = ledger.holderOf(ip);
    if (holder !== undefined) return holder !== own;
    shown ??= addressesOfOthers(own, cache.list<Service>(service));
    return shown.has(ip);
  };
}

function addressesOfOthers(own: string, all: readonly Service[]): ReadonlySet<string> {
  const self = all.find((one) => keyText(keyOf(one)) === own);
  const current = self?.status?.loadBalancer?.ingress?.[0]?.ip;
  const others = all.filter((one) => one !== self).flatMap(({ status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
  // Where two show one address, who is looked at first keeps it: the other finds it in the ledger.
  return new Set(others.filter((ip) => ip !== undefined && ip !== current) as string[]);
}

async function carryOut(plan: LoadBalancerPlan, found: Service, context: ReconcileContext): Promise<void> {
  const { events } = context;
  if (plan.kind === 'refuse') {
    events.event(found, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: failed to ensure load balancer: ${plan.why}`);
    throw new Error(plan.why);
  }
  if (plan.kind === 'assign') {
    events.event(found, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
    await write(found, plan.address, context);
    events.event(found, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
  }
  if (plan.kind === 'release') {
    events.event(found, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
    await write(found, undefined, context);
    events.event(found, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
  }
}

/** Finalizer and address come and go in one write, by the status: whoever may do that needs no right to change Services themselves. */
async function write(found: Service, ip: string | undefined, { client, signal }: ReconcileContext): Promise<void> {
  const others = (found.metadata.finalizers ?? []).filter((one) => one !== cleanupFinalizer);
  const metadata = { ...found.metadata, finalizers: ip === undefined ? others : [...others, cleanupFinalizer] };
  const status = { ...found.status, loadBalancer: ip === undefined ? {} : { ingress: [{ ip, ipMode: 'VIP' }] } };
  try {
    await client.update<Service>(service, { ...found, metadata, status }, { subresource: 'status' }, signal);
  } catch (error) {
    // It went at once when its other finalizers did.
    if (ip !== undefined || !hasReason(error, 'NotFound')) throw error;
  }
}

function isFreed(object: Service, previous: Service | undefined, type: 'added' | 'updated' | 'removed'): boolean {
  const addressOf = (one: Service | undefined): string | undefined => one?.status?.loadBalancer?.ingress?.[0]?.ip;
  return type === 'removed' || (addressOf(previous) !== undefined && addressOf(previous) !== addressOf(object));
}

function next({ kind }: LoadBalancerPlan, resyncMs: number | undefined): Outcome {
  return resyncMs === undefined || kind === 'release' ? done : again(resyncMs);
}
