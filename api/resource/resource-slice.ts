import type { V1Device, V1ResourcePool, V1ResourceSlice, V1ResourceSliceSpec } from '#api/generated/types.ts';
import { validateNodeSelector } from '../core/pod/affinity.ts';
import { shownTerm } from '../core/shown.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { dnsSubdomainProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';
import { timeText } from '../meta/time-text.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateDriver, validatePoolName, validateSet } from './checks.ts';
import { validateCounterSet, validateDevice } from './device.ts';

export interface ResourceSlice extends V1ResourceSlice {
  metadata: ObjectMeta;
}

const maxDevices = 128;
const maxSpecialDevices = 64;
const maxCounterSets = 8;
const places = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const;
const placeText = `exactly one of ${places.map((name) => `\`${name}\``).join(', ')} is required`;

export const resourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  scope: 'cluster',
  names: { plural: 'resourceslices' },
  schema: 'io.k8s.api.resource.v1.ResourceSlice',
  answersDeleted: true,
  hasGeneration: true,
  prepareCreate,
  prepareUpdate: (next, _prev, context) => prepareCreate(next, context),
  validate: ({ spec }, { verb }) => (verb === 'create' ? validateSpec(spec, undefined) : []),
  validateUpdate: (next, prev) => validateSpec(next.spec, prev.spec),
  warnings: ({ spec: { driver } }) =>
    driver === driver.toLowerCase()
      ? []
      : [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`],
  columns: [
    nameColumn,
    { name: 'Node', value: ({ spec }) => spec.nodeName ?? '' },
    { name: 'Driver', value: ({ spec }) => spec.driver },
    { name: 'Pool', value: ({ spec }) => spec.pool.name },
    ageColumn,
  ],
  selectableFields: {
    'spec.driver': ({ spec }) => spec.driver,
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  },
  unknownFieldText: (field) => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
});

/** Taints count from when they are first seen; what v1.36 has only behind feature gates is left out. */
function prepareCreate({ spec }: ResourceSlice, { nowMs }: WriteContext): void {
  for (const device of spec.devices ?? []) {
    for (const taint of device.taints ?? []) taint.timeAdded ??= timeText(nowMs);
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) {
      for (const list of ['bools', 'ints', 'strings', 'versions'] as const) delete attribute[list];
    }
  }
}

function validateSpec(spec: Unchecked<V1ResourceSliceSpec>, previous: V1ResourceSliceSpec | undefined): FieldProblem[] {
  const { driver = '', pool = {}, nodeName, devices, sharedCounters } = spec;
  const problems = [...validateDriver(driver, 'spec.driver'), ...validatePool(pool)];
  if (previous !== undefined) {
    problems.push(
      ...validateImmutable(pool.name, previous.pool.name, 'spec.pool.name'),
      ...validateImmutable(driver, previous.driver, 'spec.driver'),
      ...validateImmutable(nodeName, previous.nodeName, 'spec.nodeName'),
    );
  }
  problems.push(...validatePlace(spec));
  if (sharedCounters !== undefined && devices !== undefined) {
    problems.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  const isSpecial = (devices ?? []).some(({ taints = [], consumesCounters = [] }) => taints.length + consumesCounters.length > 0);
  const before = new Map((previous?.devices ?? []).map((device) => [device.name, device]));
  const check = (device: Unchecked<V1Device>, path: string): FieldProblem[] =>
    validateDevice(device, before.get(device.name ?? ''), spec.perDeviceNodeSelection === true, path);
  const key = ({ name = '' }: { readonly name?: string | undefined }): string => name;
  return [
    ...problems,
    ...validateSet(devices, { max: isSpecial ? maxSpecialDevices : maxDevices, check, key }, 'spec.devices'),
    ...validateSet(sharedCounters, { max: maxCounterSets, check: validateCounterSet, key }, 'spec.sharedCounters'),
  ];
}

function validatePool({ name, resourceSliceCount = 0, generation = 0 }: Unchecked<V1ResourcePool>): FieldProblem[] {
  const problems = validatePoolName('spec.pool.name', name);
  if (resourceSliceCount <= 0) problems.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'));
  if (generation < 0) problems.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  return problems;
}

/** Which nodes reach the devices: said in exactly one way. */
function validatePlace(spec: Unchecked<V1ResourceSliceSpec>): FieldProblem[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const problems: FieldProblem[] = [];
  if (nodeName === '') problems.push(invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string'));
  else if (nodeName !== undefined) problems.push(...invalidEach('spec.nodeName', nodeName, dnsSubdomainProblems(nodeName)));
  if (nodeSelector !== undefined) {
    problems.push(...validateNodeSelector(nodeSelector, 'spec.nodeSelector'));
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    const text = 'must have exactly one node selector term';
    if (terms.length !== 1) problems.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms.map(shownTerm), text));
  }
  for (const [field, value] of Object.entries({ allNodes, perDeviceNodeSelection })) {
    if (value === false) problems.push(invalid(`spec.${field}`, false, 'must be either unset or set to true'));
  }
  const set = places.filter((name) => Boolean(spec[name])).map((name) => `\`${name}\``);
  if (set.length === 0) problems.push(required('spec', placeText));
  if (set.length > 1) problems.push(invalid('spec', `{${set.join(', ')}}`, `${placeText}, but multiple fields are set`));
  return problems;
}
