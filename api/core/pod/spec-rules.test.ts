import { expect, test } from 'vitest';
import { createProblems, decoded, updateProblems } from '../../testing.ts';
import { podTemplate } from '../pod-template.ts';
import { type Pod, pod } from './pod.ts';

/** A pod with these members of its spec beside one container with these members, and these annotations. */
function aPod(spec: string, container = '', annotations = ''): string {
  return `metadata: {name: web, namespace: a, annotations: {${annotations}}}\nspec: {${spec}, containers: [{name: c, image: i, ${container}}]}`;
}

const seccomp = 'seccomp.security.alpha.kubernetes.io';
const appArmor = 'container.apparmor.security.beta.kubernetes.io';
const context = 'spec.containers[0].securityContext';
const noName =
  "Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const isTrue = 'may not be specified when hostNetwork is true';

test.each<[string, string, string[]]>([
  [
    'containers for debugging',
    aPod('ephemeralContainers: [{name: e, image: i}]'),
    ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
  ],
  [
    'labels of volumes that are mounted, not written',
    aPod('securityContext: {seLinuxChangePolicy: MountOption}'),
    ['spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"'],
  ],
  ['labels of volumes that are written', aPod('securityContext: {seLinuxChangePolicy: Recursive}'), []],
  [
    'a node behind a gate',
    aPod('nodeName: n, schedulingGates: [{name: a/b}]'),
    ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
  ],
  [
    'seccomp profiles named twice',
    aPod(
      'securityContext: {seccompProfile: {type: RuntimeDefault}}',
      'securityContext: {seccompProfile: {type: Localhost, localhostProfile: a}}',
      `${seccomp}/pod: unconfined, container.${seccomp}/c: localhost/b`,
    ),
    [
      'spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match',
      `${context}.seccompProfile.localhostProfile: Forbidden: seccomp profile in annotation and field must match`,
    ],
  ],
  [
    'seccomp profiles that match',
    aPod(
      'securityContext: {seccompProfile: {type: RuntimeDefault}}',
      'securityContext: {seccompProfile: {type: Localhost, localhostProfile: a}}',
      `${seccomp}/pod: docker/default, container.${seccomp}/c: localhost/a`,
    ),
    [],
  ],
  [
    'AppArmor profiles named twice',
    aPod('securityContext: {appArmorProfile: {type: Unconfined}}', '', `${appArmor}/c: runtime/default`),
    [],
  ],
  [
    'AppArmor profiles named twice by a container',
    aPod('', 'securityContext: {appArmorProfile: {type: Unconfined}}', `${appArmor}/c: localhost/x`).replace('{,', '{'),
    [`${context}.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match`],
  ],
  [
    'AppArmor profiles of the node',
    aPod('securityContext: {appArmorProfile: {type: Localhost, localhostProfile: " "}}'),
    ['spec.securityContext.appArmorProfile.localhostProfile: Invalid value: " ": must not be padded with whitespace'],
  ],
  [
    'long AppArmor profiles',
    aPod(`securityContext: {appArmorProfile: {type: Localhost, localhostProfile: ${'x'.repeat(4_096)}}}`),
    ['spec.securityContext.appArmorProfile.localhostProfile: Too long: may not be more than 4095 bytes'],
  ],
  [
    'claims of a static pod',
    aPod('nodeName: n, resourceClaims: [{name: ""}]', '', 'kubernetes.io/config.mirror: x'),
    ['[]: Forbidden: static pods do not support resource claims'],
  ],
  [
    'wishes that no label can grant',
    aPod(
      'affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: In, values: ["b c"]}]}}]}}',
    ),
    [],
  ],
  [
    'names of variables’ sources',
    aPod(
      'nodeName: n',
      'env: [{name: A, valueFrom: {configMapKeyRef: {key: k}}}, {name: B, valueFrom: {secretKeyRef: {name: s, key: "/"}}}], envFrom: [{configMapRef: {}}, {secretRef: {name: A}}]',
    ),
    [
      `spec.containers[0].env[0].valueFrom.configMapKeyRef.name: ${noName}`,
      expect.stringMatching(
        /^spec\.containers\[0\]\.env\[1\]\.valueFrom\.secretKeyRef\.key: Invalid value: "\/": a valid config key/,
      ) as never,
      'spec.containers[0].envFrom[0].configMapRef.name: Required value',
      expect.stringMatching(/^spec\.containers\[0\]\.envFrom\[1\]\.secretRef\.name: Invalid value: "A": a lowercase RFC 1123/) as never,
    ],
  ],
  [
    'variables from files',
    aPod(
      'volumes: [{name: v, emptyDir: {}}, {name: h, hostPath: {path: /x}}]',
      'env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: /x, key: K}}}, {name: B, valueFrom: {fileKeyRef: {volumeName: h, path: a/../b, key: K}}}, {name: C, valueFrom: {fileKeyRef: {volumeName: none, path: a}}}]',
    ),
    [
      'spec.containers[0].env[1].valueFrom.fileKeyRef.path: Invalid value: "a/../b": must not contain \'..\'',
      'spec.containers[0].env[2].valueFrom.fileKeyRef.key: Required value',
      'spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Invalid value: "h": referenced volume must be of type emptyDir',
      'spec.containers[0].env[2].valueFrom.fileKeyRef.volumeName: Not found: "none"',
    ],
  ],
  [
    'names of the pod',
    aPod(`hostnameOverride: ${'a'.repeat(65)}, hostNetwork: true, setHostnameAsFQDN: true`),
    [
      'spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true',
      `spec.hostnameOverride: Forbidden: ${isTrue}`,
      'spec.hostnameOverride: Too long: may not be more than 64 bytes',
    ],
  ],
  [
    'users of its own',
    aPod(
      'hostUsers: false, hostNetwork: true, hostPID: true, volumes: [{name: v, persistentVolumeClaim: {claimName: v}}]',
      'volumeDevices: [{name: v, devicePath: /v}]',
    ),
    [
      'spec.hostNetwork: Forbidden: when `hostUsers` is false',
      'spec.HostPID: Forbidden: when `hostUsers` is false',
      'spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false',
    ],
  ],
  [
    'what runs once cannot be restarted for other amounts',
    aPod(
      'initContainers: [{name: i, image: i, resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: memory, restartPolicy: RestartContainer}]}, {name: s, image: i, restartPolicy: Always, resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]}]',
    ),
    [
      'spec.initContainers[0].resizePolicy[1].restartPolicy: Invalid value: "RestartContainer": must not be set to \'RestartContainer\' for non-sidecar initContainers',
    ],
  ],
  [
    'nothing is restarted in a pod that is not',
    aPod('restartPolicy: Never', 'resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]'),
    ["spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'"],
  ],
  [
    'claims of the whole pod',
    aPod('resources: {claims: [{name: a}]}'),
    ['spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level'],
  ],
  [
    'sysctls that differ in how they are spelt',
    aPod(
      'hostIPC: true, securityContext: {sysctls: [{name: kernel.semx, value: a}, {name: kernel/semx, value: a}, {name: kernel/sem, value: a}]}',
    ),
    ['spec.securityContext.sysctls[2].name: Invalid value: "kernel/sem": may not be specified when \'hostIPC\' is true'],
  ],
  [
    'tolerations that compare',
    aPod('tolerations: [{key: a, operator: Lt, value: "1"}, {key: a, operator: Le}]'),
    [
      'spec.tolerations[0].operator: Unsupported value: "Lt": supported values: "Equal", "Exists", "Lt", "Gt"',
      'spec.tolerations[1].operator: Unsupported value: "Le": supported values: "Equal", "Exists"',
    ],
  ],
  [
    'values as Go prints them',
    aPod(
      'resourceClaims: [{name: a}]',
      'securityContext: {privileged: true, allowPrivilegeEscalation: false, capabilities: {add: [A]}, seLinuxOptions: {level: s0}, windowsOptions: {hostProcess: false}, seccompProfile: {type: Unconfined, localhostProfile: x}}',
    ),
    [
      'spec.resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":null,"ResourceClaimTemplateName":null}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
      `${context}.seccompProfile.localhostProfile: Invalid value: {"Type":"Unconfined","LocalhostProfile":"x"}: can only be set when seccomp type is Localhost`,
      `${context}: Invalid value: {"Capabilities":{"Add":["A"],"Drop":null},"Privileged":true,"SELinuxOptions":{"User":"","Role":"","Type":"","Level":"s0"},"WindowsOptions":{"GMSACredentialSpecName":null,"GMSACredentialSpec":null,"RunAsUserName":null,"HostProcess":false},"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":{"Type":"Unconfined","LocalhostProfile":"x"},"AppArmorProfile":null}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
    ],
  ],
  [
    'spreading over keys of any form',
    aPod('topologySpreadConstraints: [{maxSkew: 1, topologyKey: "a b", whenUnsatisfiable: DoNotSchedule}]'),
    [],
  ],
  ['no preemption policy', aPod('preemptionPolicy: ""'), ['spec.preemptionPolicy: Required value']],
  [
    'keys of annotations',
    aPod('nodeName: n', 'env: [{name: A, valueFrom: {fieldRef: {fieldPath: "metadata.annotations[\'A B\']"}}}]'),
    [expect.stringMatching(/^spec\.containers\[0\]\.env\[0\]\.valueFrom\.fieldRef: Invalid value: "a b": name part must consist/) as never],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(pod, yaml)).toEqual(expected);
});

test('a profile of the whole pod and another of a container by annotation: the annotation is taken over, and is the container’s', () => {
  const object = decoded(pod, aPod('securityContext: {appArmorProfile: {type: Unconfined}}', '', `${appArmor}/c: runtime/default`));
  pod.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  expect(object.spec.containers[0]?.securityContext?.appArmorProfile).toEqual({ type: 'RuntimeDefault' });
});

test('what lies behind gates is dropped', () => {
  const lifecycle = 'lifecycle: {stopSignal: SIGUSR1}';
  const { spec } = decoded(pod, aPod('schedulingGroup: {podGroupName: g}, os: {name: linux}', lifecycle));
  expect(spec.schedulingGroup).toBeUndefined();
  expect(spec.containers[0]).not.toHaveProperty('lifecycle');
  const kept = decoded(pod, aPod('nodeName: n', 'lifecycle: {stopSignal: SIGUSR1, preStop: {sleep: {seconds: 1}}}')).spec;
  expect(kept.containers[0]?.lifecycle).toEqual({ preStop: { sleep: { seconds: 1 } } });
});

test('templates say no more of what runs once', () => {
  const init = 'initContainers: [{name: i, image: i, resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]}]';
  const yaml = `metadata: {name: t, namespace: a}\ntemplate: {spec: {${init}, containers: [{name: c, image: i}]}}`;
  expect(createProblems(podTemplate, yaml)).toEqual([
    'template.spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": must not be set to \'RestartContainer\' for non-sidecar initContainers',
  ]);
});

test('templates, too, name a profile alike by annotation and by field', () => {
  const spec = 'spec: {securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: c, image: i}]}';
  const annotations = `annotations: {${seccomp}/pod: runtime/default, ${appArmor}c: unconfined}`;
  const yaml = `metadata: {name: t, namespace: a}\ntemplate: {metadata: {${annotations}}, ${spec}}`;
  expect(createProblems(podTemplate, yaml)).toEqual([
    'template.spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match',
  ]);
});

test.each([0, 2 ** 31 - 1, 2 ** 31, -1])('users and groups are 31 bits: %i', (id) => {
  const yaml = aPod(`securityContext: {runAsUser: ${id}, fsGroup: ${id}, supplementalGroups: [${id}]}`);
  const text = `Invalid value: ${id}: must be between 0 and 2147483647, inclusive`;
  const wrong = ['fsGroup', 'runAsUser', 'supplementalGroups[0]'].map((field) => `spec.securityContext.${field}: ${text}`);
  expect(createProblems(pod, yaml)).toEqual(id === 2 ** 31 || id < 0 ? wrong : []);
});

const gated = 'schedulingGates: [{name: a/b}]';
const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const terms = (...list: object[]) => ({ nodeAffinity: { [required]: { nodeSelectorTerms: list } } });
const needsA = { matchExpressions: [{ key: 'a', operator: 'Exists' }] };
const field = `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms`;

test.each<[string, object | undefined, object, string[]]>([
  ['affinity where there was none', undefined, terms(needsA), []],
  ['a term that is as it was', terms({}), terms({}), []],
  [
    'something where a term selected nothing',
    terms({}),
    terms(needsA),
    [
      `${field}[0]: Invalid value: {"MatchExpressions":[{"Key":"a","Operator":"Exists","Values":null}],"MatchFields":null}: only additions are allowed (no mutations or deletions)`,
    ],
  ],
])('behind a gate: %s', (_name, before, after, expected) => {
  const yaml = aPod(before === undefined ? gated : `${gated}, affinity: ${JSON.stringify(before)}`);
  expect(updateProblems(pod, yaml, ({ spec }: Pod) => void (spec.affinity = after))).toEqual(expected);
});
