// Writes what is used into the status of quotas.
//
// How it works: each namespace has a lane. Whoever wants to charge waits in it; a round takes all who wait, judges them one after the
// other on the newest quotas, and writes each changed quota once, guarded by the version that was judged. When another writer (another
// server, the controller) wrote meanwhile, the round gives back what it had written and starts anew a little later, when the cache has
// seen it; when something fails, it gives back, too. So what is used never passes what is allowed, however many come at once, and a
// hundred at once cost one write. Lanes end by themselves when no request waits. See docs/adr/014-quotas-charged-last.md.
import type { V1DeviceClass, V1Pod } from '#api/generated/types.ts';
import { addAmounts, subtractAmounts } from '#api/core/quota/amounts.ts';
import type { CountView, Measure } from '#api/core/quota/measure.ts';
import type { Amounts } from '#api/core/pod/pod-resources.ts';
import type { ResourceQuota } from '#api/core/resource-quota.ts';
import type { KindDefinition } from '#api/kind.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason, internalError } from '#api/meta/status.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { internalContext } from '../../internal-context.ts';
import type { AdmissionRequest, Registry } from '../../registry/contract.ts';
import { checkRequest, refusalOf } from './check.ts';
import type { LimitedResource } from './limited.ts';

/** What a write was charged, by the quotas' names. */
type Charges = ReadonlyMap<string, Amounts>;

interface Waiting {
  readonly request: AdmissionRequest;
  readonly measure: Measure;
  readonly resolve: (charges: Charges) => void;
  readonly reject: (error: unknown) => void;
}

/** What was written into one quota. */
interface Change {
  readonly name: string;
  readonly added: Amounts;
  readonly removed: Amounts;
}

interface Lane {
  waiting: Waiting[];
  refunds: Charges[];
}

/** How long a round is tried anew, as upstream's. */
const patienceMs = 10_000;

/** A quota changed between judging and writing. */
class Moved extends Error {
  override readonly name = 'Moved';
}

export interface LedgerDeps {
  readonly registry: () => Registry;
  readonly clock: Clock;
  /** What may be used only where a quota covers it. */
  readonly limited: readonly LimitedResource[];
}

export class QuotaLedger {
  readonly #deps: LedgerDeps;
  readonly #lanes = new Map<string, Lane>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
  }

  /** Charges a write, or throws why it may not be. */
  async charge(request: AdmissionRequest, measure: Measure): Promise<Charges> {
    const { promise, resolve, reject } = Promise.withResolvers<Charges>();
    this.#enter(request.context.namespace, ({ waiting }) => waiting.push({ request, measure, resolve, reject }));
    return await promise;
  }

  /** Gives back what a write was charged that came to nothing. Should that fail, the quota controller's next count finds it. */
  refund(namespace: string, charges: Charges): void {
    if (charges.size > 0) this.#enter(namespace, ({ refunds }) => refunds.push(charges));
  }

  #enter(namespace: string, add: (lane: Lane) => void): void {
    const lane = this.#lanes.get(namespace) ?? { waiting: [], refunds: [] };
    this.#lanes.set(namespace, lane);
    add(lane);
    if (!this.#running.has(namespace)) this.#running.set(namespace, this.#drain(namespace, lane));
  }

  /** Never rejects: every failure is the response to a request. */
  async #drain(namespace: string, lane: Lane): Promise<void> {
    // Those who come in the same turn share the round.
    await Promise.resolve();
    while (lane.waiting.length > 0 || lane.refunds.length > 0) {
      const { waiting, refunds } = lane;
      lane.waiting = [];
      lane.refunds = [];
      try {
        await this.#settle(namespace, waiting, refunds);
      } catch (error) {
        for (const { reject } of waiting) reject(error);
      }
    }
    this.#running.delete(namespace);
    this.#lanes.delete(namespace);
  }

  async #settle(namespace: string, waiting: readonly Waiting[], refunds: readonly Charges[]): Promise<void> {
    const { clock } = this.#deps;
    const backoff = new Backoff({ initialMs: 5, maxMs: 500, jitter: 0.5 });
    const endMs = clock.monotonicMs() + patienceMs;
    for (;;) {
      const { answers, next, before } = this.#judge(namespace, waiting, refunds);
      if (await this.#write(namespace, next, before)) {
        for (const answer of answers) answer();
        return;
      }
      if (clock.monotonicMs() >= endMs) throw internalError(new Error('resource quota evaluation timed out'));
      await clock.sleep(backoff.next(), new AbortController().signal);
    }
  }

  /** The verdict for every request, and the resulting quotas. Changes nothing. */
  #judge(namespace: string, waiting: readonly Waiting[], refunds: readonly Charges[]) {
    const before = this.quotas(namespace);
    const next = new Map(before.map((quota) => [quota.metadata.name ?? '', quota]));
    const apply = (charges: Charges, change: typeof addAmounts): void => {
      for (const [name, amounts] of charges) {
        const quota = next.get(name);
        if (quota === undefined) continue;
        const used = change(quota.status?.used ?? {}, amounts);
        next.set(name, { ...quota, status: { ...quota.status, used } });
      }
    };
    for (const charges of refunds) apply(charges, subtractAmounts);
    const answers = waiting.map(({ request, measure, resolve, reject }) => {
      const verdict = checkRequest([...next.values()], { request, measure, limited: this.#deps.limited, view: this.view() });
      if ('refused' in verdict) return () => reject(refusalOf(request, verdict));
      apply(verdict.charges, addAmounts);
      return () => resolve(verdict.charges);
    });
    return { answers, next, before };
  }

  /** False when a quota had changed. Then, and when something fails, none is changed by this. */
  async #write(namespace: string, next: ReadonlyMap<string, ResourceQuota>, before: readonly ResourceQuota[]): Promise<boolean> {
    const written: Change[] = [];
    for (const quota of before) {
      const name = quota.metadata.name ?? '';
      const wanted = next.get(name);
      if (wanted === undefined || wanted === quota) continue;
      const was = quota.status?.used ?? {};
      const used = wanted.status?.used ?? {};
      try {
        await this.#change(namespace, name, (current) => {
          if (current.metadata.resourceVersion !== quota.metadata.resourceVersion) throw new Moved('the quota changed');
          return used;
        });
        written.push({ name, added: subtractAmounts(used, was), removed: subtractAmounts(was, used) });
      } catch (error) {
        await this.#giveBack(namespace, written, error);
        if (!(error instanceof Moved) && !hasReason(error, 'NotFound')) throw error;
        return false;
      }
    }
    return true;
  }

  /** Takes changes back, because of `why`. All are tried; quotas that have gone need nothing. */
  async #giveBack(namespace: string, written: readonly Change[], why: unknown): Promise<void> {
    const failures: unknown[] = [];
    for (const { name, added, removed } of written) {
      try {
        await this.#change(namespace, name, ({ status }) => subtractAmounts(addAmounts(status?.used ?? {}, removed), added));
      } catch (error) {
        if (!hasReason(error, 'NotFound')) failures.push(error);
      }
    }
    // What stays charged is found by the quota controller's next count.
    if (failures.length > 0) throw new AggregateError([why, ...failures], 'charges of a quota could not be given back', { cause: why });
  }

  async #change(namespace: string, name: string, used: (current: ResourceQuota) => Amounts): Promise<void> {
    const kind = this.#kind();
    if (kind === undefined) return;
    const context = internalContext({ namespace, subresource: 'status' }, new AbortController().signal);
    const change = (current: KubeObject): KubeObject => {
      const quota = current as ResourceQuota;
      return { ...quota, status: { ...quota.status, used: used(quota) } } as KubeObject;
    };
    await this.#deps.registry().change(kind, name, change, context);
  }

  #kind(): KindDefinition | undefined {
    return this.#deps.registry().find('', 'v1', 'resourcequotas');
  }

  /** The quotas of a namespace, by name. */
  quotas(namespace: string): readonly ResourceQuota[] {
    const kind = this.#kind();
    return kind === undefined
      ? []
      : this.#deps
          .registry()
          .peekAll(kind, namespace)
          .map((found) => cloneJson(found.object() as never) as ResourceQuota);
  }

  /** What counting looks at, as the cache has it. */
  view(): CountView {
    const registry = this.#deps.registry();
    const peek = (group: string, plural: string, namespace: string, name: string): KubeObject | undefined => {
      const kind = registry.find(group, 'v1', plural);
      return kind && registry.peek(kind, namespace, name)?.object();
    };
    return {
      nowMs: this.#deps.clock.nowMs(),
      extendedResourceOf: (className) =>
        (peek('resource.k8s.io', 'deviceclasses', '', className) as V1DeviceClass | undefined)?.spec.extendedResourceName,
      podOf: (namespace, name) => peek('', 'pods', namespace, name) as V1Pod | undefined,
    };
  }

  /** Whether a namespace has any, which costs nothing to ask. */
  has(namespace: string): boolean {
    const kind = this.#kind();
    return kind !== undefined && this.#deps.registry().peekAll(kind, namespace).length > 0;
  }
}
