// What a write costs in the quotas of its namespace, or why it may not be (upstream's CheckRequest).
import { addAmounts, amountsText, exceeding, maskAmounts, subtractAmounts, withoutZeros } from '#api/core/quota/amounts.ts';
import { type CountView, type Measure, measureOf, scopesOf } from '#api/core/quota/measure.ts';
import type { Amounts } from '#api/core/pod/pod-resources.ts';
import type { ResourceQuota } from '#api/core/resource-quota.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { signOfQuantity } from '#api/meta/quantity.ts';
import type { ApiError } from '#api/meta/status.ts';
import type { AdmissionRequest } from '../../registry/contract.ts';
import { plainError } from '../../registry/failures.ts';
import { refusal } from '../refusal.ts';
import { type LimitedResource, limitedNames, uncoveredScopes } from './limited.ts';

/** What to add to which quotas' used amounts, by name; or why not, where a plain refusal is no 403 but upstream's bare text. */
type Verdict = { readonly charges: ReadonlyMap<string, Amounts> } | { readonly refused: string; readonly isPlain?: true };

/** How the written kind is counted; undefined where this write changes no count. */
export function measureFor({ kind, operation, context, object, previous }: AdmissionRequest): Measure | undefined {
  const { subresource } = context;
  if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
  const measure = measureOf(kind);
  if (operation === 'CREATE') return subresource === '' ? measure : undefined;
  return previous !== undefined && measure?.changes(subresource, object, previous) === true ? measure : undefined;
}

/** What one check is about. */
interface Check {
  readonly request: AdmissionRequest;
  readonly measure: Measure;
  readonly limited: readonly LimitedResource[];
  readonly view: CountView;
}

export function checkRequest(quotas: readonly ResourceQuota[], check: Check): Verdict {
  const { request, measure, view } = check;
  const { object, previous } = request;
  if (object === undefined) return { charges: new Map() };
  const pertinent = quotas.filter((quota) => matches(quota, object, measure));
  const unready = findUnready(pertinent, object, measure);
  if (unready !== undefined) return { refused: unready };
  const usage = measure.usage(object, view);
  const negative = Object.keys(usage).filter((name) => signOfQuantity(usage[name] ?? '0') < 0);
  if (negative.length > 0) return { refused: `quota usage is negative for resource(s): ${negative.sort().join(',')}` };
  const before = previous === undefined ? undefined : measure.usage(previous, view);
  const increase = withoutZeros(before === undefined ? usage : subtractAmounts(usage, before));
  const deltas = pertinent.map((quota) => {
    const isCounted = previous !== undefined && matches(quota, previous, measure);
    return { quota, delta: isCounted ? increase : withoutZeros(usage) };
  });
  const isCostly = deltas.length === 0 ? Object.keys(increase).length > 0 : deltas.some(({ delta }) => Object.keys(delta).length > 0);
  if (!isCostly) return { charges: new Map() };
  return findUncovered({ quotas, pertinent, object, usage }, check) ?? chargesOf(deltas, request.context.subresource !== 'status');
}

/** Why quotas cannot be charged at all with this object. */
function findUnready(pertinent: readonly ResourceQuota[], object: KubeObject, measure: Measure): string | undefined {
  for (const { metadata, status } of pertinent) {
    const counted = Object.keys(status?.hard ?? {}).filter(measure.counts);
    const missing = measure.missing?.(counted, object);
    if (missing !== undefined) return `failed quota: ${metadata.name}: ${missing}`;
    if (counted.some((name) => status?.used?.[name] === undefined)) {
      return `status unknown for quota: ${metadata.name}, resources: ${counted.toSorted().join(',')}`;
    }
  }
  return undefined;
}

interface Covering {
  readonly quotas: readonly ResourceQuota[];
  readonly pertinent: readonly ResourceQuota[];
  readonly object: KubeObject;
  readonly usage: Amounts;
}

/** Refuses what may only be used under a quota, where there is none for it. */
function findUncovered({ quotas, pertinent, object, usage }: Covering, { request, measure, limited }: Check): Verdict | undefined {
  if (limited.length === 0) return undefined;
  const covered = new Set(pertinent.flatMap(({ status }) => Object.keys(status?.hard ?? {}).filter(measure.counts)));
  const open = limitedNames(limited, request.kind, usage).filter((name) => !covered.has(name));
  if (open.length > 0) return { refused: `insufficient quota to consume: ${open.join(',')}` };
  const scopes = uncoveredScopes(limited, quotas, object, measure);
  return scopes === undefined ? undefined : { refused: `insufficient quota to match these scopes: ${scopes}`, isPlain: true };
}

/** `isRefused`: an excess of the quota is; usage reported by a status cannot be refused. */
function chargesOf(deltas: readonly { readonly quota: ResourceQuota; readonly delta: Amounts }[], isRefused: boolean): Verdict {
  const charges = new Map<string, Amounts>();
  for (const { quota, delta } of deltas) {
    const { hard = {}, used = {} } = quota.status ?? {};
    const charge = maskAmounts(delta, Object.keys(hard));
    const over = exceeding(maskAmounts(addAmounts(used, charge), Object.keys(charge)), hard);
    if (isRefused && over.length > 0) return { refused: exceededText(quota, charge, over) };
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

/** The answer that a refusing verdict stands for. */
export function refusalOf(request: AdmissionRequest, { refused, isPlain }: Extract<Verdict, { refused: string }>): ApiError {
  return isPlain === true ? plainError(refused) : refusal(request, refused);
}
