import type { V1Container, V1ResourceFieldSelector } from '#api/generated/types.ts';
import { cpuMillis, quantityBytes, quantityMillis, quantityValue } from '#api/meta/quantity.ts';
import { FieldRefError } from './field-ref.ts';

/** What limits default to where a container has none: the node's allocatable amounts, as quantities. */
export type Allocatable = Readonly<Record<string, string>>;

/** The text that a `resourceFieldRef` stands for: the amount divided by the divisor, rounded up (pkg/api/v1/resource). */
export function resourceValue(container: V1Container, selector: V1ResourceFieldSelector, allocatable: Allocatable): string {
  const [kind = '', ...rest] = selector.resource.split('.');
  const resource = rest.join('.');
  if ((kind !== 'limits' && kind !== 'requests') || !isKnown(resource)) {
    throw new FieldRefError(`unsupported container resource : ${selector.resource}`);
  }
  const divisor = selector.divisor === undefined || selector.divisor === '0' || selector.divisor === '' ? '1' : selector.divisor;
  const { limits = {}, requests = {} } = container.resources ?? {};
  // Without a limit the node's allocatable amount is what the container can have at most; a request has no such default.
  const amount = kind === 'limits' ? (limits[resource] ?? allocatable[resource]) : requests[resource];
  if (resource === 'cpu') return String(Math.ceil(cpuMillis(amount) / quantityMillis(divisor)));
  return String(Math.ceil(quantityBytes(amount) / quantityValue(divisor)));
}

function isKnown(resource: string): boolean {
  return resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage' || resource.startsWith('hugepages-');
}
