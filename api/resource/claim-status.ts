// What the scheduler and drivers say of a claim: which devices it got, who uses it, how the devices are
// (pkg/apis/resource/validation/validation.go and pkg/registry/resource/resourceclaim/strategy.go).
import type {
  ResourceV1ResourceClaim,
  V1AllocatedDeviceStatus,
  V1AllocationResult,
  V1DeviceAllocationConfiguration,
  V1DeviceRequestAllocationResult,
  V1NetworkDeviceData,
  V1ResourceClaimConsumerReference,
} from '#api/generated/types.ts';
import { validateNodeSelector } from '../core/pod/affinity.ts';
import { validateConditions } from '../meta/conditions.ts';
import { equalValues } from '../meta/equality.ts';
import { dnsLabel, oneOf } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required, tooLong, tooMany } from '../meta/field-problem.ts';
import { goTree } from '../meta/go-form.ts';
import { validateInterfaceAddress } from '../meta/ip.ts';
import { byteLength } from '../meta/names.ts';
import { immutableText } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import {
  validateBindingConditions,
  validateDriver,
  validateList,
  validateParameters,
  validatePoolName,
  validateSet,
  validateUid,
} from './checks.ts';
import { allocationShape } from './go-shapes.ts';
import { maxOfEach, requestNames, validateConfiguration, validateReference, validateReferences } from './device-claim.ts';

const maxUsers = 256;
const maxConditions = 8;
const maxAddresses = 16;
const dataLimitBytes = 10 * 1_024;
const interfaceNameLimitBytes = 256;
const hardwareAddressLimitBytes = 128;

type ClaimParts = Pick<ResourceV1ResourceClaim, 'metadata' | 'spec' | 'status'>;
/** What names a device, alone or as one share of it. */
type DeviceReference = Unchecked<Pick<V1AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>>;

/** Forgets how devices are that the claim has given back. */
export function dropReturnedDevices(next: ClaimParts, prev: ClaimParts): void {
  if (next.status?.devices === undefined) return;
  const kept = new Set(resultsOf(next).map(deviceId));
  const returned = new Set(
    resultsOf(prev)
      .map(deviceId)
      .filter((id) => !kept.has(id)),
  );
  const left = next.status.devices.filter((device) => !returned.has(deviceId(device)));
  if (left.length > 0) next.status.devices = left;
  else delete next.status.devices;
}

export function validateClaimStatus(next: ClaimParts, prev: ClaimParts): FieldProblem[] {
  const status: Unchecked<NonNullable<ClaimParts['status']>> = next.status ?? {};
  const key = ({ uid = '' }: Unchecked<V1ResourceClaimConsumerReference>): string => uid;
  const problems = validateSet(status.reservedFor, { max: maxUsers, check: validateUser, key }, 'status.reservedFor');
  problems.push(...validateDevices(status.devices ?? [], new Set(resultsOf(next).map(shareId))));
  problems.push(...validateReservations(next, prev));
  const { allocation } = status;
  if (allocation === undefined) return problems;
  // What was allocated stays as it is, even where it would not be good enough today.
  if (prev.status?.allocation !== undefined) {
    if (equalValues(allocation, prev.status.allocation)) return problems;
    return [...problems, invalid('status.allocation', goTree(allocation, allocationShape), immutableText)];
  }
  return [...problems, ...validateAllocation(allocation, requestNames(next.spec.devices), 'status.allocation')];
}

function validateUser({ resource, name, uid }: Unchecked<V1ResourceClaimConsumerReference>, path: string): FieldProblem[] {
  return Object.entries({ resource, name, uid }).flatMap(([field, value]) => (value ? [] : [required(`${path}.${field}`)]));
}

/** Nobody can use what is not allocated, and nobody new what is being deleted. */
function validateReservations({ metadata, status }: ClaimParts, prev: ClaimParts): FieldProblem[] {
  const field = 'status.reservedFor';
  const users = status?.reservedFor ?? [];
  if (users.length === 0) return [];
  if (status?.allocation === undefined) return [forbiddenField(field, 'may not be specified when `allocated` is not set')];
  if (metadata.deletionTimestamp === undefined) return [];
  const before = new Set((prev.status?.reservedFor ?? []).map((user) => JSON.stringify(user)));
  if (users.every((user) => before.has(JSON.stringify(user)))) return [];
  return [forbiddenField(field, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set')];
}

function validateAllocation(
  { devices, nodeSelector }: Unchecked<V1AllocationResult>,
  names: ReadonlySet<string>,
  path: string,
): FieldProblem[] {
  return [
    ...validateList(devices?.results, maxOfEach, (one, at) => validateResult(one, names, at), `${path}.devices.results`),
    // Those of the class and those of the claim.
    ...validateList(devices?.config, 2 * maxOfEach, (one, at) => validateAllocatedConfig(one, names, at), `${path}.devices.config`),
    ...(nodeSelector === undefined ? [] : validateNodeSelector(nodeSelector, `${path}.nodeSelector`)),
  ];
}

function validateResult(result: Unchecked<V1DeviceRequestAllocationResult>, names: ReadonlySet<string>, path: string): FieldProblem[] {
  const { request = '', shareID } = result;
  return [
    ...validateReference(request, names, `${path}.request`),
    ...validateDevice(result, path),
    ...validateBindingConditions(result, path),
    ...(shareID === undefined ? [] : validateUid(`${path}.shareID`, shareID)),
  ];
}

function validateAllocatedConfig(
  config: Unchecked<V1DeviceAllocationConfiguration>,
  names: ReadonlySet<string>,
  path: string,
): FieldProblem[] {
  return [
    ...oneOf(`${path}.source`, config.source, ['FromClaim', 'FromClass']),
    ...validateReferences(config.requests, names, `${path}.requests`),
    ...validateConfiguration(config, path),
  ];
}

function validateDevice({ driver = '', pool, device = '' }: DeviceReference, path: string): FieldProblem[] {
  return [...validateDriver(driver, `${path}.driver`), ...validatePoolName(`${path}.pool`, pool), ...dnsLabel(`${path}.device`, device)];
}

function validateDevices(devices: readonly Unchecked<V1AllocatedDeviceStatus>[], allocated: ReadonlySet<string>): FieldProblem[] {
  const seen = new Set<string>();
  const problems = devices.flatMap((device, at) => validateDeviceStatus(device, allocated, `status.devices[${at}]`));
  devices.forEach((device, at) => {
    const id = shareId(device);
    // Shown without quotes, as upstream shows what has a text form of its own.
    if (seen.has(id)) problems.push({ type: 'FieldValueDuplicate', field: `status.devices[${at}]`, message: `Duplicate value: ${id}` });
    seen.add(id);
  });
  return problems;
}

function validateDeviceStatus(device: Unchecked<V1AllocatedDeviceStatus>, allocated: ReadonlySet<string>, path: string): FieldProblem[] {
  const { shareID, conditions = [], data, networkData } = device;
  const problems = validateDevice(device, path);
  if (shareID !== undefined) problems.push(...validateUid(`${path}.shareID`, shareID));
  const id = shareId(device);
  if (!allocated.has(id)) {
    const message = `Invalid value: ${id}: must be an allocated device in the claim`;
    problems.push({ type: 'FieldValueInvalid', field: path, message });
  }
  if (conditions.length > maxConditions) problems.push(tooMany(`${path}.conditions`, conditions.length, maxConditions));
  problems.push(...validateConditions(conditions, `${path}.conditions`));
  if (data !== undefined) problems.push(...validateParameters(`${path}.data`, data, dataLimitBytes));
  return networkData === undefined ? problems : [...problems, ...validateNetworkData(networkData, `${path}.networkData`)];
}

function validateNetworkData(data: Unchecked<V1NetworkDeviceData>, path: string): FieldProblem[] {
  const { interfaceName = '', hardwareAddress = '', ips } = data;
  const problems: FieldProblem[] = [];
  if (byteLength(interfaceName) > interfaceNameLimitBytes) problems.push(tooLong(`${path}.interfaceName`, interfaceNameLimitBytes));
  if (byteLength(hardwareAddress) > hardwareAddressLimitBytes) {
    problems.push(tooLong(`${path}.hardwareAddress`, hardwareAddressLimitBytes));
  }
  const check = (address: string, field: string): FieldProblem[] => validateInterfaceAddress(field, address);
  return [...problems, ...validateSet(ips, { max: maxAddresses, check, key: (address) => address }, `${path}.ips`)];
}

function resultsOf({ status }: ClaimParts): readonly V1DeviceRequestAllocationResult[] {
  return status?.allocation?.devices?.results ?? [];
}

function deviceId({ driver = '', pool = '', device = '' }: DeviceReference): string {
  return `${driver}/${pool}/${device}`;
}

function shareId(reference: DeviceReference): string {
  return reference.shareID === undefined ? deviceId(reference) : `${deviceId(reference)}/${reference.shareID}`;
}
