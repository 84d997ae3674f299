import { expect, test } from 'vitest';
import { decoded } from '../../testing.ts';
import { pod } from './pod.ts';
import { podSpecWarnings } from './warnings.ts';

const container = 'containers: [{name: c, image: i}]';
const podOf = (spec: string, annotations = ''): string =>
  `metadata: {name: p, annotations: {${annotations}}}\nspec: {${spec.includes('containers: [') ? spec : `${container}, ${spec}`}}`;
const warningsOf = (spec: string, annotations = ''): string[] => pod.warnings?.(decoded(pod, podOf(spec, annotations)), undefined) ?? [];

const zone = 'failure-domain.beta.kubernetes.io/zone';
const text = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead';
const term = `{matchExpressions: [{key: ${zone}, operator: Exists}]}`;
const ports = (...list: string[]): string => list.map((one, at) => `{name: c${at}, image: i, ports: [${one}]}`).join(', ');

const labelText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

test.each<[string, string[]]>([
  [`nodeSelector: {${zone}: a}`, [`spec.nodeSelector[${zone}]: ${text}`]],
  [
    `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [${term}]}, preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: ${term}}]}}`,
    [
      `spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: ${zone} is ${text}`,
      `spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: ${zone} is ${text}`,
    ],
  ],
  [
    'affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: node-role.kubernetes.io/master, operator: In, values: ["-a"]}]}}]}}',
    [
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: node-role.kubernetes.io/master is use "node-role.kubernetes.io/control-plane" instead',
      `spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values[0]: -a is invalid, ${labelText}`,
    ],
  ],
  [
    'affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a}], preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: a}}]}}',
    [
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
    ],
  ],
  [
    `topologySpreadConstraints: [{maxSkew: 1, topologyKey: ${zone}, whenUnsatisfiable: DoNotSchedule}]`,
    [
      `spec.topologySpreadConstraints[0].topologyKey: ${zone} is ${text}`,
      'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
    ],
  ],
  [
    'volumes: [{name: a, quobyte: {registry: "a:1", volume: v}}, {name: b, storageos: {}}, {name: c, gitRepo: {repository: r}}]',
    [
      'spec.volumes[0].quobyte: deprecated in v1.22, non-functional in v1.25+',
      'spec.volumes[1].storageOS: deprecated in v1.22, non-functional in v1.25+',
      'spec.volumes[2].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
    ],
  ],
  [
    'volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 100m}}}}}}]',
    [
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer',
    ],
  ],
  [
    'volumes: [{name: a, configMap: {name: m, items: [{key: k, path: d}, {key: l, path: d/e}]}}, {name: b, secret: {secretName: s, items: [{key: k, path: f/}, {key: l, path: f}]}}]',
    ['volume "a" (ConfigMap "m"): overlapping paths: "d/e" with "d"', 'volume "b" (Secret "s"): overlapping paths: "f" with "f"'],
  ],
  [
    'volumes: [{name: a, projected: {sources: [{}, {serviceAccountToken: {path: t}}, {configMap: {name: m, items: [{key: k, path: t/x}]}}]}}]',
    [
      'volume "a" (Projected) has no sources provided',
      'volume "a" (Projected): overlapping paths: "t/x" (ConfigMap "m") with "t" (ServiceAccountToken)',
    ],
  ],
  [
    'volumes: [{name: v, projected: {sources: [{downwardAPI: {items: [{path: t/u, fieldRef: {fieldPath: metadata.name}}]}}, {secret: {name: s, items: [{key: k, path: t}]}}, {configMap: {name: m}}, {serviceAccountToken: {path: t}}]}}]',
    [
      'volume "v" (Projected): overlapping paths: "t" (Secret "s") with "t/u" (DownwardAPI)',
      'volume "v" (Projected): overlapping paths: "t" (ServiceAccountToken) with "t/u" (DownwardAPI)',
      'volume "v" (Projected): overlapping paths: "t" (ServiceAccountToken) with "t" (Secret "s")',
    ],
  ],
  [
    'volumes: [{name: v, downwardAPI: {items: [{path: d/f3, fieldRef: {fieldPath: metadata.name}}, {path: d/f345, fieldRef: {fieldPath: metadata.name}}, {path: e, fieldRef: {fieldPath: metadata.name}}, {path: d, fieldRef: {fieldPath: metadata.name}}]}}]',
    ['volume "v" (DownwardAPI): overlapping paths: "d" with "d/f3"', 'volume "v" (DownwardAPI): overlapping paths: "d" with "d/f345"'],
  ],
  [
    'dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.1, "2001:DB8::1"]}, hostAliases: [{ip: "2001:DB8::2"}]',
    [
      'spec.dnsConfig.nameservers[1]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.hostAliases[0].ip: IPv6 address "2001:DB8::2" should be in RFC 5952 canonical format ("2001:db8::2")',
    ],
  ],
  [
    `initContainers: [{name: s, image: i, restartPolicy: Always, ports: [{name: w, containerPort: 1}]}], containers: [${ports('{name: w, containerPort: 2}', '{name: x, containerPort: 3}')}]`,
    [
      'spec.containers[0].ports[0]: duplicate port name "w" with spec.initContainers[0].ports[0], services and probes that select ports by name will use spec.initContainers[0].ports[0]',
    ],
  ],
  [
    'hostAliases: [{ip: 10.0.0.1}, {ip: 10.0.0.1}], imagePullSecrets: [{name: a}, {name: a}, {}]',
    [
      'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
      'spec.imagePullSecrets[1].name: duplicate name "a"',
      'spec.imagePullSecrets[2].name: invalid empty name ""',
    ],
  ],
  [
    'overhead: {memory: 1500m}, containers: [{name: c, image: i, resources: {limits: {memory: 2500m}, requests: {memory: 1}}}]',
    [
      'spec.overhead[memory]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.containers[0].resources.limits[memory]: fractional byte value "2500m" is invalid, must be an integer',
    ],
  ],
  [
    'containers: [{name: c, image: i, env: [{name: A, value: a}, {name: A, value: "$(A):b"}, {name: A, value: "$(A)"}, {name: A, value: c}]}]',
    [
      'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
      'spec.containers[0].env[3]: hides previous definition of "A", which may be dropped when using apply',
    ],
  ],
  [
    `containers: [${ports('{containerPort: 80}', '{containerPort: 80}', '{containerPort: 80, protocol: UDP}', '{containerPort: 80, hostPort: 8080}')}]`,
    [
      'spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[3].ports[0]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[3].ports[0]: overlapping port definition with spec.containers[1].ports[0]',
    ],
  ],
  [
    `containers: [${ports('{containerPort: 80, hostPort: 80}', '{containerPort: 80, hostPort: 80, hostIP: 10.0.0.1}', '{name: w, containerPort: 81, hostIP: 10.0.0.1}')}]`,
    [
      'spec.containers[1].ports[0]: dangerously ambiguous port definition with spec.containers[0].ports[0]',
      'spec.containers[2].ports[0]: hostIP set without hostPort: {Name:w HostPort:0 ContainerPort:81 Protocol:TCP HostIP:10.0.0.1}',
    ],
  ],
  // It is 1 second by then.
  ['terminationGracePeriodSeconds: -1', []],
])('%s', (spec, expected) => {
  expect(warningsOf(spec)).toEqual(expected);
});

test('annotations that fields have replaced', () => {
  const annotations = [
    'security.alpha.kubernetes.io/sysctls',
    'seccomp.security.alpha.kubernetes.io/pod',
    'container.seccomp.security.alpha.kubernetes.io/c',
    'container.apparmor.security.beta.kubernetes.io/c',
  ];
  const written = annotations.map((key) => `${key}: x`).join(', ');
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
  const ofPod = [
    'metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
    `metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: ${seccomp}`,
    `metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: ${seccomp}`,
  ];
  expect(warningsOf(container, written)).toEqual(ofPod);
  const { spec, metadata } = decoded(pod, podOf(container, written));
  expect(podSpecWarnings(spec, 'spec.template.spec', metadata)).toEqual([
    ...ofPod.map((line) => `spec.template.${line}`),
    'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead',
  ]);
});

test('pods of a template that end before they are told to', () => {
  const { spec } = decoded(pod, podOf(container));
  expect(podSpecWarnings({ ...spec, terminationGracePeriodSeconds: -1 }, 'spec.template.spec')).toEqual([
    'spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
  ]);
});

test('a name that makes a bad host name', () => {
  const [warning] = pod.warnings?.(decoded(pod, `metadata: {name: a.b}\nspec: {${container}}`), undefined) ?? [];
  expect(warning).toBe(
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  );
});
