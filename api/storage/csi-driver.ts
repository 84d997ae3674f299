import type { StorageV1TokenRequest, V1CSIDriver, V1CSIDriverSpec } from '#api/generated/types.ts';
import { type Column, defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { oneOfIfSet } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, notSupported } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';

export interface CSIDriver extends V1CSIDriver {
  metadata: ObjectMeta;
}

const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const lifecycleModes = ['Persistent', 'Ephemeral'];
const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;
const minUpdateSeconds = 10;

const columns: readonly Column<CSIDriver>[] = [
  nameColumn,
  { name: 'AttachRequired', type: 'boolean', value: ({ spec }) => spec.attachRequired ?? true },
  { name: 'PodInfoOnMount', type: 'boolean', value: ({ spec }) => spec.podInfoOnMount ?? false },
  { name: 'StorageCapacity', type: 'boolean', value: ({ spec }) => spec.storageCapacity ?? false },
  {
    name: 'TokenRequests',
    value: ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
  },
  { name: 'RequiresRepublish', type: 'boolean', value: ({ spec }) => spec.requiresRepublish ?? false },
  { name: 'Modes', value: ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || '<none>' },
  ageColumn,
];

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  scope: 'cluster',
  names: { plural: 'csidrivers' },
  schema: 'io.k8s.api.storage.v1.CSIDriver',
  answersDeleted: true,
  // Counted from the first change on: a new one has no generation.
  bumpsGeneration: ({ spec: next }, { spec: prev }) => !equalValues(next, prev),
  unconditionalUpdate: false,
  defaults: [defaultDriver],
  prepareCreate: dropGated,
  prepareUpdate: dropGated,
  validate: ({ spec }) => validateDriver(spec, 'spec'),
  validateUpdate: ({ spec: next }, { spec: prev }) => [
    // The path is upstream's.
    ...validateImmutable(next.attachRequired, prev.attachRequired, 'spec.attachedRequired'),
    ...validateImmutable(next.volumeLifecycleModes, prev.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
  ],
  columns,
});

function defaultDriver(object: CSIDriver): void {
  object.spec ??= {};
  const { spec } = object;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

/** Upstream's gate VolumeLimitScaling is off by default. */
function dropGated({ spec }: CSIDriver): void {
  delete spec.preventPodSchedulingIfMissing;
}

function validateDriver(spec: V1CSIDriverSpec, path: string): FieldProblem[] {
  const { tokenRequests = [], serviceAccountTokenInSecrets: inSecrets, nodeAllocatableUpdatePeriodSeconds: updateSeconds } = spec;
  const problems = oneOfIfSet(`${path}.fsGroupPolicy`, spec.fsGroupPolicy, groupPolicies);
  problems.push(...validateTokenRequests(tokenRequests, `${path}.tokenRequests`));
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!lifecycleModes.includes(mode)) problems.push(notSupported(`${path}.volumeLifecycleModes`, mode, lifecycleModes));
  }
  if (updateSeconds !== undefined && updateSeconds < minUpdateSeconds) {
    const text = `must be greater than or equal to ${minUpdateSeconds} seconds`;
    problems.push(invalid(`${path}.nodeAllocatableUpdatePeriodSeconds`, updateSeconds, text));
  }
  if (inSecrets !== undefined && tokenRequests.length === 0) {
    const text = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    problems.push(invalid(`${path}.serviceAccountTokenInSecrets`, inSecrets, text));
  }
  return problems;
}

/** Audiences differ; '' is the API server's own. */
function validateTokenRequests(requests: readonly StorageV1TokenRequest[], path: string): FieldProblem[] {
  const audiences = new Set<string>();
  return requests.flatMap(({ audience, expirationSeconds }, at) => {
    if (audiences.has(audience)) return [duplicate(`${path}[${at}].audience`, audience)];
    audiences.add(audience);
    const field = `${path}[${at}].expirationSeconds`;
    if (expirationSeconds === undefined) return [];
    if (expirationSeconds < minTokenSeconds) return [invalid(field, expirationSeconds, 'may not specify a duration less than 10 minutes')];
    if (expirationSeconds <= maxTokenSeconds) return [];
    return [invalid(field, expirationSeconds, 'may not specify a duration larger than 2^32 seconds')];
  });
}
