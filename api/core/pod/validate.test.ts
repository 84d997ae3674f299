import { expect, test } from 'vitest';
import { createProblems, updateProblems } from '../../testing.ts';
import { type Pod, pod } from './pod.ts';

const basic = 'metadata: {name: web, namespace: a}\nspec: {containers: [{name: c, image: i}]}';

/** A pod with one container that has these members too, and these members of the spec. */
function aPod(container: string, spec = ''): string {
  return `metadata: {name: web, namespace: a}\nspec: {${spec}${spec === '' ? '' : ','} containers: [{name: c, image: i, ${container}}]}`;
}

test.each<[string, string, string[]]>([
  ['fine', basic, []],
  ['no containers', 'metadata: {name: web, namespace: a}\nspec: {}', ['spec.containers: Required value']],
  ['no image', 'metadata: {name: web, namespace: a}\nspec: {containers: [{name: c}]}', ['spec.containers[0].image: Required value']],
  [
    'names',
    'metadata: {name: web, namespace: a}\nspec: {containers: [{name: c, image: i}, {name: c, image: i}]}',
    ['spec.containers[1].name: Duplicate value: "c"'],
  ],
  ['no system', aPod('', 'os: {name: ""}'), ['spec.os.name: Required value']],
  ['odd system', aPod('', 'os: {name: odd}'), ['spec.os: Unsupported value: "odd": supported values: "linux", "windows"']],
  [
    'request over limit',
    aPod('resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}'),
    ['spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi'],
  ],
  [
    'resource names',
    aPod('resources: {requests: {gpu: 1}}'),
    [
      'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers',
    ],
  ],
  [
    'extended resources',
    aPod('resources: {limits: {example.com/gpu: 500m}}'),
    [
      'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
      'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer',
    ],
  ],
  [
    'negative amounts',
    aPod('resources: {requests: {cpu: -1}}'),
    ['spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  ],
  [
    'a pod that asks for less than its containers',
    aPod('resources: {requests: {cpu: 2, memory: 1Gi}}', 'resources: {requests: {cpu: 1, memory: 1Gi}}'),
    ['spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2'],
  ],
  [
    'a pod that says nothing of what its containers ask for',
    aPod('resources: {requests: {memory: 1Gi, ephemeral-storage: 1Gi}, limits: {example.com/gpu: 1}}', 'resources: {requests: {cpu: 1}}'),
    [],
  ],
  [
    'a pod with fewer huge pages than its containers',
    aPod('resources: {limits: {cpu: 1, hugepages-2Mi: 4Mi}}', 'resources: {limits: {cpu: 1, hugepages-2Mi: 2Mi}}'),
    [
      'spec.resources.requests[hugepages-2Mi]: Invalid value: "2Mi": must be greater than or equal to aggregate container requests of 4Mi',
      'spec.resources.limits[hugepages-2Mi]: Invalid value: "2Mi": must be greater than or equal to aggregate container limits of 4Mi',
      'spec.resources.containers[0][hugepages-2Mi].limits: Invalid value: "4Mi": must be less than or equal to pod limits of 2Mi',
    ],
  ],
  ['mounts', aPod('volumeMounts: [{name: v, mountPath: /v}]'), ['spec.containers[0].volumeMounts[0].name: Not found: "v"']],
  [
    'host paths',
    aPod('volumeMounts: [{name: v, mountPath: /v}]', 'volumes: [{name: v, hostPath: {path: /a/../b}}]'),
    [
      'spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
  ],
  [
    'two sources',
    aPod('', 'volumes: [{name: v, emptyDir: {}, secret: {secretName: s}}]'),
    ['spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'probes',
    aPod('livenessProbe: {successThreshold: 2, tcpSocket: {port: 70000}, exec: {command: [a]}}'),
    [
      'spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
      'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
    ],
  ],
  ['no handler', aPod('readinessProbe: {}'), ['spec.containers[0].readinessProbe: Required value: must specify a handler type']],
  [
    'ports',
    aPod('ports: [{name: a, containerPort: 0}, {name: a, containerPort: 70000, protocol: X}]'),
    [
      'spec.containers[0].ports[0].containerPort: Required value',
      'spec.containers[0].ports[1].name: Duplicate value: "a"',
      'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ],
  ],
  [
    'host ports',
    aPod('ports: [{containerPort: 1, hostPort: 8}, {containerPort: 2, hostPort: 8}]'),
    ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8"'],
  ],
  [
    'variables',
    aPod('env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}, {value: x}]'),
    [
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      'spec.containers[0].env[1].name: Required value',
    ],
  ],
  [
    'unknown fields',
    aPod('env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.x}}}]'),
    [
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "status.x": error converting fieldPath: field label not supported: status.x',
    ],
  ],
  [
    'policies',
    aPod('imagePullPolicy: Sometimes', 'restartPolicy: Never2, dnsPolicy: X'),
    [
      'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
      'spec.restartPolicy: Unsupported value: "Never2": supported values: "Always", "OnFailure", "Never"',
      'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
  ],
  [
    'tolerations',
    aPod('', 'tolerations: [{operator: Equal, value: a}, {key: k, operator: Exists, value: v, tolerationSeconds: 3}]'),
    [
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      'spec.tolerations[1].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      'spec.tolerations[1].operator: Invalid value: "v": value must be empty when `operator` is \'Exists\'',
    ],
  ],
  [
    'affinity',
    aPod(
      '',
      'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}',
    ),
    [
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  ],
  [
    'pod affinity',
    aPod(
      '',
      'affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, podAffinityTerm: {topologyKey: a}}]}}',
    ),
    [
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
    ],
  ],
  [
    'spreading',
    aPod('', 'topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: X}]'),
    [
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ],
  ],
  [
    'security',
    aPod('securityContext: {runAsUser: -1, privileged: true, allowPrivilegeEscalation: false}'),
    [
      'spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'spec.containers[0].securityContext: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":-1,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    ],
  ],
  [
    'init containers',
    aPod('', 'initContainers: [{name: c, image: i, livenessProbe: {tcpSocket: {port: 1}}}]'),
    [
      'spec.initContainers[0].name: Duplicate value: "c"',
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    'host network',
    aPod('ports: [{containerPort: 1, hostPort: 2}]', 'hostNetwork: true'),
    ['spec.containers[0].ports[0].hostPort: Invalid value: 2: must match `containerPort` when `hostNetwork` is true'],
  ],
  [
    'image with spaces',
    'metadata: {name: web, namespace: a}\nspec: {containers: [{name: c, image: " i"}]}',
    ['spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace'],
  ],
  [
    'token volume without account',
    aPod('', 'volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 60}}]}}]'),
    [
      'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
      'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
  ],
  [
    'restart rules',
    aPod('restartPolicy: Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [3]}}]'),
    [],
  ],
  [
    'odd restart rules',
    aPod('restartPolicyRules: [{action: Stop, exitCodes: {operator: "", values: [3]}}, {action: Restart}]'),
    [
      'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
      'spec.containers[0].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart", "RestartAllContainers"',
      'spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: "": supported values: "In", "NotIn"',
      'spec.containers[0].restartPolicyRules[1].exitCodes: Required value: must be specified',
    ],
  ],
  [
    'many restart rules',
    aPod(
      `restartPolicy: Never, restartPolicyRules: [${`{action: Restart, exitCodes: {operator: In, values: [${'1,'.repeat(256)}]}},`.repeat(21)}]`,
    ),
    [
      'spec.containers[0].restartPolicyRules: Too many: 21: must have at most 20 items',
      ...Array.from(
        { length: 21 },
        (_one, at) => `spec.containers[0].restartPolicyRules[${at}].exitCodes.values: Too many: 256: must have at most 255 items`,
      ),
    ],
  ],
  [
    'label keys that the selector names',
    'metadata: {name: web, namespace: a, labels: {app: x}}\nspec: {containers: [{name: c, image: i}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: x}}, matchLabelKeys: [tier, app]}]}',
    ['spec.topologySpreadConstraints[0][1]: Invalid value: "app": exists in both matchLabelKeys and labelSelector'],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(pod, yaml)).toEqual(expected);
});

const onlyThese =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';

test.each<[string, (object: Pod) => void, string[]]>([
  ['image', ({ spec }) => void (spec.containers[0]!.image = 'j'), []],
  ['added toleration', ({ spec }) => void (spec.tolerations = [{ operator: 'Exists' }]), []],
  ['deadline', ({ spec }) => void (spec.activeDeadlineSeconds = 5), []],
  [
    'containers',
    ({ spec }) => void spec.containers.push({ name: 'd', image: 'i' }),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  ],
  [
    'deadline below',
    ({ spec }) => void (spec.activeDeadlineSeconds = -1),
    [
      'spec.activeDeadlineSeconds: Invalid value: -1: must be between 1 and 2147483647, inclusive',
      'spec.activeDeadlineSeconds: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
  ],
])('update: %s', (_name, change, expected) => {
  const problems = updateProblems(pod, basic, change).filter((text) => !text.startsWith('spec.containers[1]'));
  expect(problems).toEqual(expected);
});

test('what was let in once may stay, but not become more', () => {
  const odd = aPod('', 'hostUsers: false, hostPID: true');
  expect(createProblems(pod, odd)).toEqual(['spec.HostPID: Forbidden: when `hostUsers` is false']);
  expect(updateProblems(pod, odd, ({ metadata }) => void (metadata.labels = { a: 'b' }))).toEqual([]);
  expect(updateProblems(pod, odd, ({ spec }) => void (spec.containers[0]!.image = ' j'))).toEqual([
    'spec.containers[0].image: Invalid value: " j": must not have leading or trailing whitespace',
  ]);
});

test('other changes are refused with what differs', () => {
  const problems = updateProblems(pod, basic, ({ spec }) => void (spec.nodeName = 'n1'));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(onlyThese);
  expect(problems[0]).toContain('+ \tnodeName: "n1",');
});

test('an empty part cannot be added either', () => {
  const problems = updateProblems(pod, aPod(''), ({ spec }) => void (spec.containers[0]!.lifecycle = {}));
  expect(problems).toEqual([expect.stringMatching(/^spec: Forbidden: pod updates may not change fields other than/)]);
});

test('gated pods may be narrowed down and let go', () => {
  const gated = aPod('', 'schedulingGates: [{name: example.com/wait}], nodeSelector: {a: b}');
  expect(updateProblems(pod, gated, ({ spec }) => void (spec.nodeSelector = { a: 'b', c: 'd' }))).toEqual([]);
  expect(updateProblems(pod, gated, ({ spec }) => void delete spec.schedulingGates)).toEqual([]);
  const terms = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] };
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
  expect(updateProblems(pod, gated, ({ spec }) => void (spec.affinity = affinity))).toEqual([]);
  expect(updateProblems(pod, gated, ({ spec }) => void (spec.affinity = { ...affinity, podAffinity: {} }))).toHaveLength(1);
  expect(updateProblems(pod, gated, ({ spec }) => void (spec.nodeSelector = {}))).toEqual([
    'spec.nodeSelector: Invalid value: {}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ]);
});

test('status', () => {
  const never = aPod('', 'restartPolicy: Never');
  const ended = (object: Pod, name: string): void => {
    object.status = {
      ...object.status,
      containerStatuses: [{ name, image: '', imageID: '', ready: false, restartCount: 0, state: { running: {} } }],
    };
  };
  expect(updateProblems(pod, never, (object) => ended(object, 'c'), 'status')).toEqual([]);
  expect(updateProblems(pod, never, (object) => void (object.status = { ...object.status, qosClass: 'Guaranteed' }), 'status')).toEqual([
    'status.qosClass: Invalid value: "Guaranteed": field is immutable',
  ]);
});

test('ephemeral containers come, but do not go or change', () => {
  const add = (object: Pod): void => {
    object.spec.ephemeralContainers = [
      {
        name: 'dbg',
        image: 'b',
        imagePullPolicy: 'Always',
        terminationMessagePolicy: 'File',
        targetContainerName: 'x',
        ports: [{ containerPort: 1, protocol: 'TCP' }],
      },
    ];
    object.spec.nodeName = 'ignored';
  };
  expect(updateProblems(pod, basic, add, 'ephemeralcontainers')).toEqual([
    'spec.ephemeralContainers[0].targetContainerName: Not found: "x"',
    'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
  ]);
});
