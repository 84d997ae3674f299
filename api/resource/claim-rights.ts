// Which rights it takes to change the status of a claim, besides the one to its `status` (pkg/registry/resource/authz.go).
import type { ResourceV1ResourceClaim, V1AllocatedDeviceStatus, V1AllocationResult } from '#api/generated/types.ts';
import { equalValues } from '../meta/equality.ts';
import { dropReturnedDevices } from './claim-status.ts';

type ClaimParts = Pick<ResourceV1ResourceClaim, 'metadata' | 'spec' | 'status'>;

/** Whether the claim gets, loses or changes its devices or its users: a matter of scheduling. */
export function changesBinding({ status: next }: ClaimParts, { status: prev }: ClaimParts): boolean {
  const isAllocated = next?.allocation !== undefined;
  // Upstream does not take an empty allocation for none.
  if (isAllocated !== (prev?.allocation !== undefined)) return true;
  return !equalValues(next?.allocation, prev?.allocation) || !equalValues(next?.reservedFor, prev?.reservedFor);
}

/** The drivers, sorted, of whose devices something else is said than before. What goes because a device was given back is not said by anybody. */
export function reportedDrivers(next: ClaimParts, prev: ClaimParts): string[] {
  const kept = { ...prev, status: { ...next.status, devices: prev.status?.devices ?? [] } };
  dropReturnedDevices(kept, prev);
  const before = new Map((kept.status.devices ?? []).map((device) => [keyOf(device), device]));
  const drivers = new Set<string>();
  for (const device of next.status?.devices ?? []) {
    if (!equalValues(device, before.get(keyOf(device)))) drivers.add(device.driver);
    before.delete(keyOf(device));
  }
  for (const { driver } of before.values()) drivers.add(driver);
  return [...drivers].toSorted();
}

/** The one node that an allocation is for; '' where it is not for exactly one by its name. */
export function nodeOfAllocation(allocation: V1AllocationResult | undefined): string {
  const [term, ...otherTerms] = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const [field, ...otherFields] = term?.matchFields ?? [];
  if (otherTerms.length > 0 || otherFields.length > 0 || (term?.matchExpressions ?? []).length > 0) return '';
  if (field?.key !== 'metadata.name' || field.operator !== 'In' || field.values?.length !== 1) return '';
  return field.values[0] ?? '';
}

function keyOf({ driver, pool, device, shareID = '' }: V1AllocatedDeviceStatus): string {
  return JSON.stringify([driver, pool, device, shareID]);
}
