import { expect, test } from 'vitest';
import type { V1JobStatus } from '#api/generated/types.ts';
import { createProblems, decoded, row, updateProblems } from '../../testing.ts';
import { type Job, job } from './job.ts';

const pod = 'containers: [{name: c, image: "i:1"}], restartPolicy: Never';
/** A Job with these members of its spec. */
function aJob(spec = '', { template = pod, meta = '', labels = '{}' } = {}): string {
  const own = spec === '' ? '' : `${spec}, `;
  return `metadata: {name: j, namespace: a, uid: u1${meta}}\nspec: {${own}template: {metadata: {labels: ${labels}}, spec: {${template}}}}`;
}

test.each<[string, string, object]>([
  ['nothing', '', { completions: 1, parallelism: 1, backoffLimit: 6, podReplacementPolicy: 'TerminatingOrFailed' }],
  ['a queue', 'parallelism: 3', { parallelism: 3, backoffLimit: 6, podReplacementPolicy: 'TerminatingOrFailed' }],
  ['completions', 'completions: 3', { completions: 3, parallelism: 1, backoffLimit: 6, podReplacementPolicy: 'TerminatingOrFailed' }],
  [
    'limits per index and a failure policy',
    'completions: 3, completionMode: Indexed, backoffLimitPerIndex: 1, podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}',
    {
      completions: 3,
      parallelism: 1,
      completionMode: 'Indexed',
      backoffLimit: 2_147_483_647,
      backoffLimitPerIndex: 1,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
    },
  ],
])('defaults: %s', (_name, spec, expected) => {
  const { template: _template, ...rest } = decoded(job, aJob(spec)).spec;
  expect(rest).toEqual({ completionMode: 'NonIndexed', manualSelector: false, suspend: false, ...expected });
});

test('a new Job gets labels and a selector of its own', () => {
  const object = decoded(job, aJob('', { labels: '{app: x}' }));
  job.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  const labels = {
    'batch.kubernetes.io/controller-uid': 'u1',
    'batch.kubernetes.io/job-name': 'j',
    'controller-uid': 'u1',
    'job-name': 'j',
    app: 'x',
  };
  expect(object.spec.template.metadata?.labels).toEqual(labels);
  expect(object.metadata.labels).toEqual(labels);
  expect(object.spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'u1' } });
  const own = decoded(
    job,
    aJob('manualSelector: true, selector: {matchLabels: {app: x}}', { labels: '{app: x}', meta: ', labels: {a: b}' }),
  );
  job.prepareCreate?.(own, { verb: 'create', subresource: '', nowMs: 0 });
  expect([own.spec.template.metadata?.labels, own.metadata.labels, own.spec.selector]).toEqual([
    { app: 'x' },
    { a: 'b' },
    { matchLabels: { app: 'x' } },
  ]);
});

const indexed = 'completions: 3, completionMode: Indexed';
const negative = 'must be greater than or equal to 0';
const policy = (rule: string, more = ''): string => aJob(`${more}podFailurePolicy: {rules: [${rule}]}`);
const rules = 'spec.podFailurePolicy.rules';
const success = (rule: string): string => aJob(`${indexed}, successPolicy: {rules: [${rule}]}`);
const successRule = 'spec.successPolicy.rules[0]';

test.each<[string, string, string[]]>([
  ['fine', aJob(), []],
  ['fine by hand', aJob('manualSelector: true, selector: {matchLabels: {a: b}}', { labels: '{a: b}' }), []],
  [
    'by hand without a selector',
    aJob('manualSelector: true', { labels: '{a: b}' }),
    [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
    ],
  ],
  [
    "somebody else's labels",
    aJob('', { labels: '{job-name: x}' }),
    [
      'spec.template.metadata.labels[job-name]: Invalid value: {"batch.kubernetes.io/controller-uid":"u1","batch.kubernetes.io/job-name":"j","controller-uid":"u1","job-name":"x"}: must be \'j\'',
    ],
  ],
  [
    "somebody else's selector",
    aJob('selector: {matchLabels: {batch.kubernetes.io/controller-uid: u2}}'),
    [
      'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u2"}}: `selector` not auto-generated',
      'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u1","batch.kubernetes.io/job-name":"j","controller-uid":"u1","job-name":"j"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'negative numbers',
    aJob('parallelism: -1, completions: -1, activeDeadlineSeconds: -1, backoffLimit: -1, ttlSecondsAfterFinished: -1'),
    ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'].map(
      (name) => `spec.${name}: Invalid value: -1: ${negative}`,
    ),
  ],
  [
    'restart policy',
    aJob('', { template: 'containers: [{name: c, image: "i:1"}]' }),
    ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  ],
  [
    'completion mode',
    aJob('completionMode: Some'),
    ['spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"'],
  ],
  [
    'indexed without completions',
    aJob('completionMode: Indexed, parallelism: 1'),
    ['spec.completions: Required value: when completion mode is Indexed'],
  ],
  [
    'not indexed',
    aJob('backoffLimitPerIndex: 1, maxFailedIndexes: 1, successPolicy: {rules: [{succeededCount: 1}]}'),
    [
      'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
      'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
      'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: requires indexed completion mode',
    ],
  ],
  [
    'failed indexes',
    aJob(`${indexed}, maxFailedIndexes: 4`),
    [
      'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
      'spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions',
    ],
  ],
  [
    'many indexes',
    aJob('completions: 100001, completionMode: Indexed, parallelism: 10001, backoffLimitPerIndex: 1'),
    [
      'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
      'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
    ],
  ],
  [
    'too many pods',
    aJob('completions: 1000000, completionMode: Indexed, parallelism: 100001'),
    ['spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed'],
  ],
  [
    'long pod names',
    aJob('completions: 1000, completionMode: Indexed').replace('name: j,', `name: ${'j'.repeat(60)},`),
    [`metadata.name: Invalid value: "${'j'.repeat(60)}": will not able to create pod with invalid DNS label: ${'j'.repeat(60)}-999`],
  ],
  ['managed by', aJob(`managedBy: x.y/${'z'.repeat(60)}`), ['spec.managedBy: Too long: may not be more than 63 bytes']],
  [
    'replacement',
    aJob('podReplacementPolicy: TerminatingOrFailed, podFailurePolicy: {rules: []}'),
    ['spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
  ],
  [
    'other replacement',
    aJob('podReplacementPolicy: Never'),
    ['spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed"'],
  ],
  [
    'failure policy needs Never',
    aJob('podFailurePolicy: {rules: []}', { template: pod.replace('Never', 'OnFailure') }),
    ['spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified'],
  ],
  [
    'failure rules',
    policy(
      '{}, {action: Do, onExitCodes: {operator: Near, containerName: d, values: []}}, {action: FailIndex, onPodConditions: [{type: "-", status: Maybe}]}',
    ),
    [
      `${rules}[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
      `${rules}[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`,
      `${rules}[1].action: Unsupported value: "Do": supported values: "Count", "FailIndex", "FailJob", "Ignore"`,
      `${rules}[1].onExitCodes.operator: Unsupported value: "Near": supported values: "In", "NotIn"`,
      `${rules}[1].onExitCodes.containerName: Invalid value: "d": must be one of the container or initContainer names in the pod template`,
      `${rules}[1].onExitCodes.values: Invalid value: []: at least one value is required`,
      `${rules}[2].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
      `${rules}[2].onPodConditions[0].type: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      `${rules}[2].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"`,
    ],
  ],
  [
    'exit codes',
    policy('{action: Count, onExitCodes: {operator: In, values: [3, 0, 3]}, onPodConditions: [{type: x}]}'),
    [
      `${rules}[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator`,
      `${rules}[0].onExitCodes.values[2]: Duplicate value: 3`,
      `${rules}[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered`,
      `${rules}[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported`,
    ],
  ],
  [
    'too many rules',
    policy(Array.from({ length: 21 }, () => '{action: Count, onPodConditions: [{type: x}]}').join(',')),
    [`${rules}: Too many: 21: must have at most 20 items`],
  ],
  ['success', success('{succeededIndexes: "0-1", succeededCount: 2}'), []],
  [
    'no success rules',
    success(''),
    ['spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified'],
  ],
  [
    'empty success rule',
    success('{}'),
    [`${successRule}: Required value: at least one of succeededCount or succeededIndexes must be specified`],
  ],
  [
    'success counts',
    success('{succeededIndexes: "0", succeededCount: 4}'),
    [
      `${successRule}.succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)`,
      `${successRule}.succeededCount: Invalid value: 4: must be less than or equal to 1 (the number of indexes in the specified succeededIndexes field)`,
    ],
  ],
  ...(
    [
      ['3', 'too large index: "3"'],
      ['2,1', 'non-increasing order, previous: 2, current: 1'],
      ['1-1', 'non-increasing order, previous: 1, current: 1'],
      ['x', 'cannot convert string to integer for index: "x"'],
      ['0-1-2', 'the fragment "0-1-2" violates the requirement that an index interval can have at most two parts separated by \'-\''],
    ] as const
  ).map(([text, why]): [string, string, string[]] => [
    `success indexes ${text}`,
    success(`{succeededIndexes: "${text}"}`),
    [`${successRule}.succeededIndexes: Invalid value: "${text}": error parsing succeededIndexes: ${why}`],
  ]),
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(job, yaml)).toEqual(expected);
});

const immutable = 'field is immutable';

test.each<[string, string, (object: Job) => void, string[]]>([
  [
    'what may change',
    aJob(),
    ({ spec }) =>
      void Object.assign(spec, { parallelism: 2, suspend: true, backoffLimit: 1, ttlSecondsAfterFinished: 3, activeDeadlineSeconds: 9 }),
    [],
  ],
  ['completions', aJob(), ({ spec }) => void (spec.completions = 2), [`spec.completions: Invalid value: 2: ${immutable}`]],
  [
    'completions of indexes alone',
    aJob(indexed),
    ({ spec }) => void (spec.completions = 5),
    ['spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism'],
  ],
  ['completions of indexes', aJob(indexed), ({ spec }) => void Object.assign(spec, { completions: 5, parallelism: 5 }), []],
  [
    'failure policy',
    aJob('podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [1]}}]}'),
    ({ spec }) => void (spec.podFailurePolicy!.rules[0]!.action = 'Count'),
    [
      `spec.podFailurePolicy: Invalid value: {"Rules":[{"Action":"Count","OnExitCodes":{"ContainerName":null,"Operator":"In","Values":[1]},"OnPodConditions":null}]}: ${immutable}`,
    ],
  ],
  ['mode', aJob(), ({ spec }) => void (spec.managedBy = 'x.y/z'), [`spec.managedBy: Invalid value: "x.y/z": ${immutable}`]],
  [
    'selector',
    aJob(),
    ({ spec }) => void delete spec.selector,
    [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u1","batch.kubernetes.io/job-name":"j","controller-uid":"u1","job-name":"j"}: `selector` does not match template `labels`',
      `spec.selector: Invalid value: null: ${immutable}`,
    ],
  ],
])('update: %s', (_name, yaml, change, expected) => {
  expect(updateProblems(job, yaml, change)).toEqual(expected);
});

test.each<[string, V1JobStatus, boolean]>([
  ['has not begun', {}, true],
  ['has been stopped', { startTime: '2026-01-01T00:00:00Z', conditions: [{ type: 'Suspended', status: 'True' }] }, true],
  ['is about to be stopped', { startTime: '2026-01-01T00:00:00Z' }, false],
  ['has pods still', { active: 1, conditions: [{ type: 'Suspended', status: 'True' }] }, false],
])('what pods ask for may change in a suspended Job that %s', (_name, status, isAllowed) => {
  const prev = decoded(job, aJob('suspend: true'));
  job.prepareCreate?.(prev, { verb: 'create', subresource: '', nowMs: 0 });
  prev.status = status;
  const next = structuredClone(prev);
  next.spec.template.spec!.nodeSelector = { a: 'b' };
  next.spec.template.spec!.containers[0]!.resources = { requests: { cpu: '2' } };
  const problems = job.validateUpdate?.(next, prev, { verb: 'update', subresource: '', nowMs: 0 }) ?? [];
  expect(problems.map(({ field }) => field)).toEqual(isAllowed ? [] : ['spec.template']);
});

test.each<[string, string, (object: Job) => void, boolean]>([
  ['image', 'suspend: true', ({ spec }) => void (spec.template.spec!.containers[0]!.image = 'i:2'), false],
  ['scheduling of a running Job', '', ({ spec }) => void (spec.template.spec!.nodeSelector = { a: 'b' }), false],
  [
    'scheduling while suspended',
    'suspend: true',
    ({ spec }) => {
      Object.assign(spec.template.spec!, {
        nodeSelector: { a: 'b' },
        tolerations: [{ operator: 'Exists' }],
        schedulingGates: [{ name: 'x.y/z' }],
      });
      spec.template.spec!.affinity = { nodeAffinity: {} };
      Object.assign(spec.template.metadata!, { annotations: { a: 'b' }, labels: { ...spec.template.metadata!.labels, c: 'd' } });
    },
    true,
  ],
  [
    'other affinity while suspended',
    'suspend: true',
    ({ spec }) =>
      void (spec.template.spec!.affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a' }] } }),
    false,
  ],
  [
    'resources while suspended',
    'suspend: true',
    ({ spec }) => void (spec.template.spec!.containers[0]!.resources = { requests: { cpu: '2' }, limits: { cpu: '3' } }),
    true,
  ],
])('template: %s', (_name, spec, change, isAllowed) => {
  expect(updateProblems(job, aJob(spec), change).every((text) => !text.startsWith('spec.template:'))).toBe(isAllowed);
});

const nearNodes = 'nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{}]}}';

test.each<[string, string, object | undefined, boolean]>([
  [nearNodes, 'suspend: true', undefined, true],
  [nearNodes, 'suspend: true', {}, true],
  ['', 'suspend: true', {}, true],
  ['', '', {}, false],
  [`${nearNodes}, podAffinity: {}`, 'suspend: true', undefined, false],
  [`${nearNodes}, podAffinity: {}`, 'suspend: true', { podAffinity: {} }, true],
])('affinity {%s} of a Job with "%s" becomes %j: %s', (before, spec, affinity, isAllowed) => {
  const template = before === '' ? pod : `${pod}, affinity: {${before}}`;
  const change = (object: Job): void => {
    if (affinity === undefined) delete object.spec.template.spec!.affinity;
    else object.spec.template.spec!.affinity = affinity;
  };
  const fields = updateProblems(job, aJob(spec, { template }), change).map((text) => text.split(': ')[0]);
  expect(fields.includes('spec.template')).toBe(!isAllowed);
});

test('columns', () => {
  const nowMs = Date.parse('2026-01-01T00:05:00Z');
  const shown = (spec: string, status: string): string => {
    const { Status, Completions, Duration } = row(job, decoded(job, `${aJob(spec)}\nstatus: {${status}}`), nowMs);
    return `${String(Status)} ${String(Completions)} ${String(Duration)}`;
  };
  const start = 'startTime: "2026-01-01T00:00:00Z"';
  expect(shown('', '')).toBe('Running 0/1 ');
  expect(shown('parallelism: 3', `succeeded: 1, ${start}`)).toBe('Running 1/1 of 3 5m');
  expect(shown('', `${start}, completionTime: "2026-01-01T00:00:07Z", succeeded: 1, conditions: [{type: Complete, status: "True"}]`)).toBe(
    'Complete 1/1 7s',
  );
  expect(shown('', 'conditions: [{type: Suspended, status: "True"}, {type: FailureTarget, status: "True"}]')).toBe('Suspended 0/1 ');
  expect(shown('', 'conditions: [{type: Suspended, status: "False"}, {type: FailureTarget, status: "True"}]')).toBe('FailureTarget 0/1 ');
});

test('warnings', () => {
  const huge = decoded(job, aJob('completions: 100001, parallelism: 10001, completionMode: Indexed').replace('name: j,', 'name: a.b,'));
  const text =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';
  expect(job.warnings?.(huge, undefined)).toEqual([
    'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
    text,
  ]);
  expect(job.warnings?.(huge, huge)).toEqual([]);
});
