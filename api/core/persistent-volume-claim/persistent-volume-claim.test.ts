import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../../testing.ts';
import { persistentVolumeClaim, type PersistentVolumeClaim } from './persistent-volume-claim.ts';

const fine = 'accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}';
const claim = (spec: string, annotations = ''): string =>
  `metadata: {name: c, namespace: a, annotations: {${annotations}}}\nspec: {${spec}}`;
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const fixed = 'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

test.each<[string, string, string[]]>([
  ['fine', fine, []],
  ['nothing', '', ['spec.accessModes: Required value: at least 1 access mode is required', 'spec.resources[storage]: Required value']],
  [
    'all wrong',
    'accessModes: [Odd], resources: {requests: {storage: 0}}, storageClassName: A, volumeMode: Odd, volumeAttributesClassName: B',
    [
      'spec.accessModes: Unsupported value: "Odd": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.resources[storage]: Invalid value: "0": must be greater than zero',
      expect.stringMatching(/^spec\.storageClassName: Invalid value: "A": a lowercase RFC 1123 subdomain/) as never,
      'spec.volumeMode: Unsupported value: "Odd": supported values: "Block", "Filesystem"',
      expect.stringMatching(/^spec\.volumeAttributesClassName: Invalid value: "B": a lowercase RFC 1123 subdomain/) as never,
    ],
  ],
  [
    'source',
    `${fine}, dataSourceRef: {kind: Odd, name: ""}`,
    [
      'spec.dataSource.name: Required value',
      `spec.dataSource: Invalid value: "Odd": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
      'spec.dataSourceRef.name: Required value',
      `spec.dataSourceRef: Invalid value: "Odd": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
    ],
  ],
  [
    'two sources',
    `${fine}, dataSource: {kind: PersistentVolumeClaim, name: a}, dataSourceRef: {kind: PersistentVolumeClaim, name: b}`,
    ['spec: Invalid value: {}: must match dataSourceRef'],
  ],
])('create: %s', (_name, spec, expected) => {
  expect(createProblems(persistentVolumeClaim, claim(spec))).toEqual(expected);
});

test.each<[string, string, object]>([
  [
    'the old field fills the new one',
    'dataSource: {kind: PersistentVolumeClaim, name: a}',
    { dataSource: { kind: 'PersistentVolumeClaim', name: 'a' }, dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a' } },
  ],
  [
    'the new field fills the old one',
    'dataSourceRef: {apiGroup: x.io, kind: Y, name: a}',
    { dataSource: { apiGroup: 'x.io', kind: 'Y', name: 'a' }, dataSourceRef: { apiGroup: 'x.io', kind: 'Y', name: 'a' } },
  ],
  ['the old field alone names claims and snapshots only', 'dataSource: {apiGroup: x.io, kind: Y, name: a}', {}],
  ['other namespaces are behind a gate', 'dataSourceRef: {kind: PersistentVolumeClaim, name: a, namespace: b}', {}],
])('%s', (_name, spec, expected) => {
  const object = decoded(persistentVolumeClaim, claim(spec));
  persistentVolumeClaim.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  const { dataSource, dataSourceRef } = object.spec;
  expect(JSON.parse(JSON.stringify({ dataSource, dataSourceRef }))).toEqual(expected);
  expect(object.status).toEqual({ phase: 'Pending' });
});

type Change = (claim: PersistentVolumeClaim) => void;
const bound =
  (change: Change): Change =>
  (object) => {
    object.status = { phase: 'Bound', capacity: { storage: '1Gi' } };
    change(object);
  };
const resize =
  (storage: string): Change =>
  ({ spec }) =>
    void (spec.resources = { requests: { storage } });

test.each<[string, string, Change, string[]]>([
  ['binding', claim(fine), ({ spec }) => void (spec.volumeName = 'v'), []],
  [
    'another volume',
    claim(`${fine}, volumeName: v`),
    ({ spec }) => void (spec.volumeName = 'w'),
    [`${fixed}\n  {\n  \t... // 3 identical fields\n- \tvolumeName: "v",\n+ \tvolumeName: "w",\n  }\n`],
  ],
  ['a class later', claim(fine), ({ spec }) => void (spec.storageClassName = 's'), []],
  [
    'another class',
    claim(`${fine}, storageClassName: s`),
    ({ spec }) => void (spec.storageClassName = 't'),
    [expect.stringContaining(`${fixed}\n`) as never],
  ],
  [
    'from annotation to field',
    claim(fine, `${classAnnotation}: s`),
    ({ spec, metadata }) => {
      spec.storageClassName = 's';
      delete metadata.annotations?.[classAnnotation];
    },
    [],
  ],
  [
    'another annotation',
    claim(fine, `${classAnnotation}: s`),
    ({ metadata }) => void (metadata.annotations = { [classAnnotation]: 't' }),
    [`metadata.annotations.${classAnnotation}: Invalid value: "t": field is immutable`],
  ],
  ['growing while pending', claim(fine), resize('3Gi'), [expect.stringContaining(`${fixed}\n`) as never]],
  ['growing', claim(fine), bound(resize('3Gi')), []],
  ['less, but more than there is', claim(fine), bound(resize('1500Mi')), []],
  [
    'mode',
    claim(fine),
    ({ spec }) => void (spec.volumeMode = 'Block'),
    [expect.stringContaining(`${fixed}\n`) as never, 'volumeMode: Invalid value: "Block": field is immutable'],
  ],
  ['attributes', claim(fine), bound(({ spec }) => void (spec.volumeAttributesClassName = 'a')), []],
  [
    'attributes that were never applied',
    claim(`${fine}, volumeAttributesClassName: a`),
    bound(({ spec }) => void delete spec.volumeAttributesClassName),
    [],
  ],
])('update: %s', (_name, yaml, change, expected) => {
  expect(updateProblems(persistentVolumeClaim, yaml, change)).toEqual(expected);
});

test('what there is stays: its size, and the class of its attributes', () => {
  const prev = decoded(persistentVolumeClaim, claim(`${fine}, volumeAttributesClassName: a`));
  prev.status = { phase: 'Bound', capacity: { storage: '1Gi' }, currentVolumeAttributesClassName: 'a' };
  const problems = (change: Change): string[] => {
    const next = structuredClone(prev);
    change(next);
    const found = persistentVolumeClaim.validateUpdate?.(next, prev, { verb: 'update', subresource: '', nowMs: 0 }) ?? [];
    return found.map(({ field, message }) => `${field}: ${message}`);
  };
  const field = 'spec.volumeAttributesClassName';
  expect(problems(({ spec }) => void delete spec.volumeAttributesClassName)).toEqual([
    `${field}: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil`,
  ]);
  expect(problems(({ spec }) => void (spec.volumeAttributesClassName = ''))).toEqual([
    `${field}: Forbidden: update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil`,
  ]);
  expect(problems(({ spec }) => void (spec.volumeAttributesClassName = 'b'))).toEqual([]);
  expect(problems(resize('1500Mi'))).toEqual([]);
  expect(problems(resize('1Gi'))).toEqual(['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity']);
});

test('an old group of a source and an old selector may stay', () => {
  const old = `${fine}, dataSourceRef: {apiGroup: A_, kind: K, name: n}, selector: {matchLabels: {a: "b c"}}`;
  expect(createProblems(persistentVolumeClaim, claim(old))).toHaveLength(3);
  expect(updateProblems(persistentVolumeClaim, claim(old), ({ metadata }) => void (metadata.labels = { a: 'b' }))).toEqual([]);
});

test('status', () => {
  const status = {
    capacity: { storage: '-1' },
    allocatedResourceStatuses: { cpu: 'NodeResizePending', storage: 'Odd', 'example.com/a': 'NodeResizePending' },
    allocatedResources: { memory: '1', storage: '-2' },
  };
  expect(updateProblems(persistentVolumeClaim, claim(fine), (object) => void (object.status = status), 'status')).toEqual([
    'status.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
    'status.allocatedResourceStatuses: Unsupported value: "cpu": supported values: "storage"',
    'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    'status.allocatedResources: Unsupported value: "memory": supported values: "storage"',
    'status.allocatedResources[storage]: Invalid value: -2: must be a valid resource quantity',
  ]);
});

test('warnings', () => {
  const object = decoded(
    persistentVolumeClaim,
    claim('resources: {requests: {storage: 1500m}, limits: {storage: 1}}', `${classAnnotation}: s`),
  );
  expect(persistentVolumeClaim.warnings?.(object, undefined)).toEqual([
    `metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
    'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
  ]);
});

test('columns', () => {
  const pending = row(persistentVolumeClaim, decoded(persistentVolumeClaim, claim(`${fine}, storageClassName: s`)));
  expect(pending).toMatchObject({
    Status: 'Pending',
    Volume: '',
    Capacity: '',
    'Access Modes': '',
    StorageClass: 's',
    VolumeMode: 'Filesystem',
  });
  const object = decoded(
    persistentVolumeClaim,
    `${claim(`${fine}, volumeName: v`)}\nstatus: {phase: Bound, capacity: {storage: 1Gi}, accessModes: [ReadWriteOncePod]}`,
  );
  expect(row(persistentVolumeClaim, object)).toMatchObject({ Status: 'Bound', Volume: 'v', Capacity: '1Gi', 'Access Modes': 'RWOP' });
});
