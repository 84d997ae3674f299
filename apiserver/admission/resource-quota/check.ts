// What a write costs in the quotas of its namespace, or why it may not be (upstream's CheckRequest).
import { addAmounts, amountsText, exceeding, maskAmounts, subtractAmounts, withoutZeros } from '#api/core/quota/amounts.ts';
import { type Measure, measureOf, scopesOf } from '#api/core/quota/measure.ts';
import type { Amounts } from '#api/core/pod/pod-resources.ts';
import type { ResourceQuota } from '#api/core/resource-quota.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { signOfQuantity } from '#api/meta/quantity.ts';
import type { AdmissionRequest } from '../../registry/contract.ts';

/** What to add to which quotas' used amounts, by name; or why not. */
export type Verdict = { readonly charges: ReadonlyMap<string, Amounts> } | { readonly refused: string };

/** How the written kind is counted; undefined where this write changes no count. */
export function measureFor({ kind, operation, context }: AdmissionRequest): Measure | undefined {
  const { subresource } = context;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
  const measure = measureOf(kind);
  if (measure === undefined) return undefined;
  const changes = operation === 'CREATE' ? subresource === '' : measure.updates.includes(subresource);
  return changes ? measure : undefined;
}

export function checkRequest(quotas: readonly ResourceQuota[], request: AdmissionRequest, measure: Measure, nowMs: number): Verdict {
  const { object, previous } = request;
  if (object === undefined) return { charges: new Map() };
  const pertinent = quotas.filter((quota) => matches(quota, object, measure));
  for (const { metadata, status } of pertinent) {
    const limited = Object.keys(status?.hard ?? {}).filter(measure.counts);
    const missing = measure.missing?.(limited, object);
    if (missing !== undefined) return { refused: `failed quota: ${metadata.name}: ${missing}` };
    if (limited.some((name) => status?.used?.[name] === undefined)) {
      return { refused: `status unknown for quota: ${metadata.name}, resources: ${limited.toSorted().join(',')}` };
    }
  }
  const usage = measure.usage(object, nowMs);
  const negative = Object.keys(usage).filter((name) => signOfQuantity(usage[name] ?? '0') < 0);
  if (negative.length > 0) return { refused: `quota usage is negative for resource(s): ${negative.sort().join(',')}` };
  const charges = new Map<string, Amounts>();
  for (const quota of pertinent) {
    const { hard = {}, used = {} } = quota.status ?? {};
    const isCounted = previous !== undefined && matches(quota, previous, measure);
    const delta = isCounted ? subtractAmounts(usage, measure.usage(previous, nowMs)) : usage;
    const charge = maskAmounts(withoutZeros(delta), Object.keys(hard));
    const over = exceeding(maskAmounts(addAmounts(used, charge), Object.keys(charge)), hard);
    if (over.length > 0) return { refused: exceededText(quota, charge, over) };
    if (Object.keys(charge).length > 0) charges.set(quota.metadata.name ?? '', charge);
  }
  return { charges };
}

/** Whether a quota limits anything of this kind, and the object is in all its scopes. */
function matches(quota: ResourceQuota, object: KubeObject, measure: Measure): boolean {
  if (!Object.keys(quota.status?.hard ?? {}).some(measure.counts)) return false;
  return scopesOf(quota).every((scope) => measure.isInScope(scope, object));
}

function exceededText({ metadata, status }: ResourceQuota, charge: Amounts, over: readonly string[]): string {
  const shown = (amounts: Amounts | undefined): string => amountsText(maskAmounts(amounts ?? {}, over));
  return `exceeded quota: ${metadata.name}, requested: ${shown(charge)}, used: ${shown(status?.used)}, limited: ${shown(status?.hard)}`;
}
