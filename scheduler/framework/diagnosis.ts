import type { PodInfo } from './pod-info.ts';
import type { NodeInfo } from './node-info.ts';
import type { Verdict } from './verdict.ts';

/** Why a pod fits nowhere, gathered over nodes. */
export class Diagnosis {
  /** Names of the plugins that rejected it: their events wake it again. */
  readonly rejectedBy = new Set<string>();
  readonly #nodeCount: number;
  readonly #reasons = new Map<string, number>();
  readonly #notNow: { readonly node: NodeInfo; readonly reasons: readonly string[] }[] = [];
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
    if (verdict.kind === 'notNow') this.#notNow.push({ node, reasons: verdict.reasons });
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

  /** Upstream's words for condition and event, those about preemption included. */
  message(pod: PodInfo): string {
    const head = `0/${this.#nodeCount} nodes are available:`;
    const reasons = this.#forAll ?? histogram(this.#reasons);
    return `${head}${reasons === '' ? '' : ` ${reasons}.`} no new claims to deallocate, preemption: ${this.#preemption(pod)}`;
  }

  /**
   * What upstream's preemption would say. It looks for pods of lower priority on nodes where their going could help; taking their
   * place is not implemented, and where it might be possible that is said.
   */
  #preemption(pod: PodInfo): string {
    if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
    if (this.#nodeCount === 0) return '0/0 nodes are available.';
    const without = this.#notNow.filter(({ node }) => ![...node.pods.values()].some(({ priority }) => priority < pod.priority));
    const withVictims = this.#notNow.length - without.length;
    const texts = new Map<string, number>();
    const unhelpful = this.#forAll === undefined ? this.#nodeCount - this.#notNow.length : this.#nodeCount;
    if (unhelpful > 0) texts.set('Preemption is not helpful for scheduling', unhelpful);
    if (without.length > 0) texts.set('No preemption victims found for incoming pod', without.length);
    if (withVictims > 0) texts.set('preemption of lower-priority pods is not supported yet', withVictims);
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
