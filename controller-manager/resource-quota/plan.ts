// What a quota's status should say, from a fresh count (upstream's pkg/controller/resourcequota).
import { addAmounts, equalAmounts, maskAmounts } from '#api/core/quota/amounts.ts';
import { type CountView, type Measure, scopesOf } from '#api/core/quota/measure.ts';
import type { Amounts } from '#api/core/pod/pod-resources.ts';
import type { ResourceQuota } from '#api/core/resource-quota.ts';
import type { KubeObject } from '#api/meta/object.ts';

/** One kind's objects of the quota's namespace, as far as they are counted at all; or only how many there are. */
export interface Counted {
  readonly measure: Measure;
  readonly objects: readonly KubeObject[] | number;
}

/** How much of what is limited is used. */
export function usageOf(quota: ResourceQuota, counted: readonly Counted[], view: CountView): Amounts {
  const limited = Object.keys(quota.spec.hard ?? {});
  const scopes = scopesOf(quota);
  let used: Amounts = {};
  for (const { measure, objects } of counted) {
    const own = limited.filter(measure.counts);
    used = addAmounts(used, Object.fromEntries(own.map((name) => [name, '0'])));
    if (typeof objects === 'number') {
      // In no scope there is anything of such kinds.
      if (scopes.length === 0) used = addAmounts(used, Object.fromEntries(own.map((name) => [name, String(objects)])));
      continue;
    }
    for (const object of objects) {
      if (!scopes.every((scope) => measure.isInScope(scope, object))) continue;
      used = addAmounts(used, maskAmounts(measure.usage(object, view), own));
    }
  }
  return used;
}

/** The status to write; undefined: it is as it should be. What could not be counted keeps its last value. */
export function nextStatus(quota: ResourceQuota, counted: Amounts): ResourceQuota['status'] | undefined {
  const hard = quota.spec.hard ?? {};
  const used = maskAmounts({ ...quota.status?.used, ...counted }, Object.keys(hard));
  const { hard: oldHard, used: oldUsed } = quota.status ?? {};
  const isSame = oldHard !== undefined && oldUsed !== undefined && equalAmounts(oldHard, hard) && equalAmounts(oldUsed, used);
  return isSame ? undefined : { hard: { ...hard }, used };
}
