import type { NodeInfo } from './node-info.ts';
import type { Preemption } from '../preemption/preempt.ts';
import type { Verdict } from './verdict.ts';

/** Why a pod fits nowhere, gathered over nodes. */
export class Diagnosis {
  /** Names of the plugins that rejected it: their events wake it again. */
  readonly rejectedBy = new Set<string>();
  readonly #nodeCount: number;
  readonly #reasons = new Map<string, number>();
  readonly #notNow: NodeInfo[] = [];
  #rejectedNodes = 0;
  #forAll: string | undefined;

  constructor(nodeCount: number) {
    this.#nodeCount = nodeCount;
  }

  /** Nodes that were looked at and rejected. */
  get rejectedNodes(): number {
    return this.#rejectedNodes;
  }

  reject(node: NodeInfo, plugin: string, verdict: Exclude<Verdict, { kind: 'fits' }>): void {
    this.rejectedBy.add(plugin);
    this.#rejectedNodes++;
    for (const reason of verdict.reasons) this.#count(reason, 1);
    if (verdict.kind === 'notNow') this.#notNow.push(node);
  }

  /** A plugin rejected the pod without looking at single nodes. */
  rejectAll(plugin: string, verdict: Exclude<Verdict, { kind: 'fits' }>): void {
    this.rejectedBy.add(plugin);
    this.#forAll = verdict.reasons.join(', ');
  }

  /** `count` nodes were not worth looking at because of what a plugin said. */
  skip(plugin: string, count: number): void {
    this.rejectedBy.add(plugin);
    this.#count(`node(s) didn't satisfy plugin(s) [${plugin}]`, count);
  }

  /** Nodes from which pods could go to make room. */
  get notNowNodes(): readonly NodeInfo[] {
    return this.#notNow;
  }

  /** Upstream's words for condition and event, those about preemption included. */
  message(preemption: Preemption | 'never'): string {
    const head = `0/${this.#nodeCount} nodes are available:`;
    const reasons = this.#forAll ?? histogram(this.#reasons);
    const start = `${head}${reasons === '' ? '' : ` ${reasons}.`}`;
    if (preemption !== 'never' && preemption.kind === 'victims') return start;
    return `${start} no new claims to deallocate, preemption: ${this.#preemption(preemption)}`;
  }

  #preemption(preemption: Exclude<Preemption, { kind: 'victims' }> | 'never'): string {
    if (preemption === 'never') return 'not eligible due to preemptionPolicy=Never.';
    if (preemption.kind === 'waits') return 'not eligible due to a terminating pod on the nominated node.';
    const texts = new Map(preemption.reasons);
    const unhelpful = this.#nodeCount - this.#notNow.length;
    if (unhelpful > 0) texts.set('Preemption is not helpful for scheduling', unhelpful);
    return `0/${this.#nodeCount} nodes are available: ${histogram(texts)}.`;
  }

  #count(reason: string, by: number): void {
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + by);
  }
}

/** `2 Insufficient cpu, 1 Too many pods`: sorted as text, as upstream does. */
function histogram(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ');
}
