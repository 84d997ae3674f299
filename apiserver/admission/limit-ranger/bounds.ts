// What a LimitRange demands of one set of requests and limits. The messages are upstream's (plugin/pkg/admission/limitranger).
import type { Amounts } from '#api/core/pod/pod-resources.ts';
import { canonicalQuantity, compareQuantities, quantityMillis, quantityValue } from '#api/meta/quantity.ts';

/** What is measured: `cpu` of a `Container`, with the bound. */
export interface Bound {
  readonly type: string;
  readonly resource: string;
  readonly bound: string;
}

export interface Asked {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** Amounts below this are compared in thousandths: more would not fit into upstream's 64 bits. */
const largestMilliValue = Number((2n ** 63n - 1n) / 1_000n);

/** Undefined: kept. */
export function minimumProblem({ type, resource, bound }: Bound, { requests, limits }: Asked): string | undefined {
  const rule = `minimum ${resource} usage per ${type} is ${canonicalQuantity(bound)}`;
  const request = requests[resource];
  const limit = limits[resource];
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, bound) < 0) return `${rule}, but request is ${canonicalQuantity(request)}`;
  if (limit !== undefined && compareQuantities(limit, bound) < 0) return `${rule}, but limit is ${canonicalQuantity(limit)}`;
  return undefined;
}

export function maximumProblem({ type, resource, bound }: Bound, { requests, limits }: Asked): string | undefined {
  const rule = `maximum ${resource} usage per ${type} is ${canonicalQuantity(bound)}`;
  const request = requests[resource];
  const limit = limits[resource];
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (compareQuantities(limit, bound) > 0) return `${rule}, but limit is ${canonicalQuantity(limit)}`;
  if (request !== undefined && compareQuantities(request, bound) > 0) return `${rule}, but request is ${canonicalQuantity(request)}`;
  return undefined;
}

/** The maximum of what has requests only. */
export function maximumRequestProblem({ type, resource, bound }: Bound, requests: Amounts): string | undefined {
  const rule = `maximum ${resource} usage per ${type} is ${canonicalQuantity(bound)}`;
  const request = requests[resource];
  if (request === undefined) return `${rule}.  No request is specified`;
  return compareQuantities(request, bound) > 0 ? `${rule}, but request is ${canonicalQuantity(request)}` : undefined;
}

export function ratioProblem({ type, resource, bound }: Bound, { requests, limits }: Asked): string | undefined {
  const rule = `${resource} max limit to request ratio per ${type} is ${canonicalQuantity(bound)}`;
  const request = requests[resource];
  const limit = limits[resource];
  const given = [request ?? '0', limit ?? '0', bound];
  const measure = given.every((amount) => quantityValue(amount) <= largestMilliValue) ? quantityMillis : quantityValue;
  if (request === undefined || measure(request) === 0) return `${rule}, but no request is specified or request is 0`;
  if (limit === undefined || measure(limit) === 0) return `${rule}, but no limit is specified or limit is 0`;
  const ratio = measure(limit) / measure(request);
  const largest = quantityValue(bound) <= largestMilliValue ? quantityMillis(bound) / 1_000 : quantityValue(bound);
  return ratio > largest ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
