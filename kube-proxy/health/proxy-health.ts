import type { Node } from '#api/core/node/node.ts';
import type { Clock } from '#base/clock.ts';
import type { Answer } from '#base/health-server.ts';

export interface ProxyHealthDeps {
  /** Since when changes wait, by the monotonic clock; undefined while none does. */
  readonly behindSinceMs: () => number | undefined;
  readonly lastAppliedMs: () => number | undefined;
  /** This node as far as it is known. */
  readonly node: () => Node | undefined;
  readonly clock: Clock;
}

/** Changes may wait so long before the proxy counts as stuck: twice upstream's sync period. */
const patienceMs = 60_000;
/** Says that the cluster autoscaler is about to take the node away. */
const goingTaint = 'ToBeDeletedByClusterAutoscaler';

/** Whether this node should get Service traffic, as load balancers ask at port 10256. */
export class ProxyHealth {
  readonly #deps: ProxyHealthDeps;
  #isLeaving = false;

  constructor(deps: ProxyHealthDeps) {
    this.#deps = deps;
  }

  /** From now on traffic should go elsewhere: this process is about to end. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** True once the rules were made, unless changes wait too long. */
  get isHealthy(): boolean {
    const { behindSinceMs, lastAppliedMs, clock } = this.#deps;
    const sinceMs = behindSinceMs();
    return lastAppliedMs() !== undefined && (sinceMs === undefined || clock.monotonicMs() - sinceMs < patienceMs);
  }

  /** This node or its proxy is about to go, and works as yet. */
  get isLeaving(): boolean {
    const node = this.#deps.node();
    return this.#isLeaving || (node !== undefined && isGoing(node));
  }

  /** The result of `/healthz`: healthy, on a node that stays. */
  get takesTraffic(): boolean {
    return this.isHealthy && !this.isLeaving;
  }

  /** `/healthz`: fails also on a node that is being removed, so that load balancers drain it. */
  healthz(): Answer {
    return this.#answer(this.takesTraffic, [`"nodeEligible": ${!this.isLeaving}`]);
  }

  /** `/livez`: whether the proxy works, regardless of its node. */
  livez(): Answer {
    return this.#answer(this.isHealthy, []);
  }

  #answer(isOk: boolean, more: readonly string[]): Answer {
    const { clock, lastAppliedMs } = this.#deps;
    const nowMs = clock.nowMs();
    // A healthy proxy has no pending changes, so its rules are current, whenever they changed last.
    const lastMs = isOk ? nowMs : lastAppliedMs();
    const fields = [
      `"lastUpdated": ${JSON.stringify(lastMs === undefined ? '0001-01-01 00:00:00 +0000 UTC' : goTime(lastMs))}`,
      `"currentTime": ${JSON.stringify(goTime(nowMs))}`,
      ...more,
    ];
    return { status: isOk ? 200 : 503, text: `{${fields.join(', ')}}`, contentType: 'application/json' };
  }
}

function isGoing({ metadata, spec }: Node): boolean {
  return metadata.deletionTimestamp !== undefined || (spec?.taints ?? []).some(({ key }) => key === goingTaint);
}

/** A time as Go prints it by default. */
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', ' +0000 UTC');
}
