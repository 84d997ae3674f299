import type { V1CSINode, V1CSINodeDriver } from '#api/generated/types.ts';
import { validateDriverName } from '../core/volume/csi-references.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { invalidEach, notNegative } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, required } from '../meta/field-problem.ts';
import { byteLength, qualifiedNameProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { immutableText } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export interface CSINode extends V1CSINode {
  metadata: ObjectMeta;
}

const maxIdBytes = 256;

/** The CSI drivers of a node, kept by its kubelet. */
export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  scope: 'cluster',
  names: { plural: 'csinodes' },
  schema: 'io.k8s.api.storage.v1.CSINode',
  answersDeleted: true,
  unconditionalUpdate: false,
  validate: ({ spec }) => validateDrivers(spec.drivers, 'spec.drivers'),
  validateUpdate: ({ spec: next }, { spec: prev }) => validateSameDrivers(next.drivers, prev.drivers, 'spec.drivers'),
  columns: [
    nameColumn,
    {
      name: 'Drivers',
      type: 'integer',
      description: 'Drivers indicates the number of CSI drivers registered on the node',
      value: ({ spec }) => spec.drivers.length,
    },
    ageColumn,
  ],
});

function validateDrivers(drivers: readonly Unchecked<V1CSINodeDriver>[], path: string): FieldProblem[] {
  const names = new Set<string>();
  return drivers.flatMap((driver, at) => {
    const own = `${path}[${at}]`;
    const { name = '', nodeID = '', allocatable, topologyKeys = [] } = driver;
    const problems = validateDriverName(name, `${own}.name`);
    if (nodeID === '') problems.push(required(`${own}.nodeID`));
    if (byteLength(nodeID) > maxIdBytes) problems.push(invalid(`${own}.nodeID`, nodeID, `must be ${maxIdBytes} characters or less`));
    problems.push(...notNegative(`${own}.allocatable.count`, allocatable?.count));
    if (names.has(name)) problems.push(duplicate(`${own}.name`, name));
    names.add(name);
    return [...problems, ...validateTopologyKeys(topologyKeys, own)];
  });
}

/** The path is the driver's, and what is shown are all keys, as upstream has it. */
function validateTopologyKeys(keys: readonly string[], path: string): FieldProblem[] {
  const seen = new Set<string>();
  return keys.flatMap((key) => {
    const problems = key === '' ? [required(path)] : [];
    if (seen.has(key)) problems.push(duplicate(path, key));
    seen.add(key);
    return [...problems, ...invalidEach(path, keys, qualifiedNameProblems(key))];
  });
}

/** Drivers come and go; of one that stays, only what the node can hold changes. */
function validateSameDrivers(next: readonly V1CSINodeDriver[], prev: readonly V1CSINodeDriver[], field: string): FieldProblem[] {
  return prev.flatMap((old) =>
    next
      .filter(({ name }) => name === old.name)
      .filter((now) => !equalValues({ ...now, allocatable: undefined }, { ...old, allocatable: undefined }))
      .map(({ name, nodeID, topologyKeys = null }) => {
        const shown = { Name: name, NodeID: nodeID, TopologyKeys: topologyKeys, Allocatable: null };
        return invalid(field, shown, immutableText);
      }),
  );
}
