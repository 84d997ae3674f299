import { expect, test } from 'vitest';
import { decoded } from '../../testing.ts';
import { podTemplate } from '../pod-template.ts';
import { defaultPullPolicy } from './container-defaults.ts';
import { pod } from './pod.ts';
import { qosClassOf } from './qos.ts';

test.each([
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['nginx:1.27', 'IfNotPresent'],
  ['localhost:5000/nginx', 'Always'],
  ['localhost:5000/a/nginx:2', 'IfNotPresent'],
  ['nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000', 'IfNotPresent'],
  ['coxswain/hello:1', 'IfNotPresent'],
  ['', 'IfNotPresent'],
])('image %s is pulled %s', (image, policy) => {
  expect(defaultPullPolicy(image)).toBe(policy);
});

test('a minimal pod', () => {
  const object = decoded(pod, 'metadata: {name: a}\nspec: {containers: [{name: c, image: "nginx:1", ports: [{containerPort: 80}]}]}');
  expect(object.spec).toEqual({
    containers: [
      {
        name: 'c',
        image: 'nginx:1',
        imagePullPolicy: 'IfNotPresent',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    dnsPolicy: 'ClusterFirst',
    enableServiceLinks: true,
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  });
});

test('probes, hooks and volumes', () => {
  const { spec } = decoded(
    pod,
    `
metadata: {name: a}
spec:
  serviceAccount: old
  hostNetwork: true
  volumes:
  - {name: e}
  - {name: h, hostPath: {path: /}}
  - {name: s, secret: {secretName: x}}
  - {name: p, projected: {sources: [{serviceAccountToken: {path: t}}, {downwardAPI: {items: [{path: n, fieldRef: {fieldPath: metadata.name}}]}}]}}
  containers:
  - name: c
    image: i
    ports: [{containerPort: 80}]
    env: [{name: N, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    livenessProbe: {httpGet: {port: 80}}
    readinessProbe: {grpc: {port: 80}, periodSeconds: 5}
    lifecycle: {preStop: {httpGet: {port: 80, path: /bye}}}
    resources: {limits: {cpu: 0.5, memory: 1Gi}}
`,
  );
  const [container] = spec.containers;
  expect(spec.serviceAccountName).toBe('old');
  expect(spec.volumes?.[0]).toEqual({ name: 'e', emptyDir: {} });
  expect(spec.volumes?.[1]?.hostPath).toEqual({ path: '/', type: '' });
  expect(spec.volumes?.[2]?.secret?.defaultMode).toBe(420);
  expect(spec.volumes?.[3]?.projected).toEqual({
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { path: 't', expirationSeconds: 3_600 } },
      { downwardAPI: { items: [{ path: 'n', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }] } },
    ],
  });
  expect(container?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
  expect(container?.livenessProbe).toEqual({
    httpGet: { path: '/', port: 80, scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  expect(container?.readinessProbe).toMatchObject({ grpc: { port: 80, service: '' }, periodSeconds: 5 });
  expect(container?.lifecycle?.preStop?.httpGet).toEqual({ path: '/bye', port: 80, scheme: 'HTTP' });
  expect(container?.resources).toEqual({ limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } });
});

test('defaults may be applied twice', () => {
  const once = decoded(pod, 'metadata: {name: a}\nspec: {containers: [{name: c, image: i, resources: {limits: {cpu: 1.00005}}}]}');
  expect(once.spec.containers[0]?.resources?.limits).toEqual({ cpu: '1001m' });
  const twice = structuredClone(once);
  for (const rule of pod.defaults ?? []) rule(twice);
  expect(twice).toEqual(once);
});

test.each([
  ['{}', 'BestEffort'],
  ['{requests: {cpu: 1}}', 'Burstable'],
  ['{limits: {cpu: 1, memory: 1Gi}}', 'Guaranteed'],
  ['{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}', 'Burstable'],
  ['{requests: {cpu: 0}}', 'BestEffort'],
  ['{requests: {example.com/gpu: 1}, limits: {example.com/gpu: 1}}', 'BestEffort'],
])('resources %s make a pod %s', (resources, expected) => {
  const { spec } = decoded(pod, `{metadata: {name: a}, spec: {containers: [{name: c, image: i, resources: ${resources}}]}}`);
  expect(qosClassOf(spec)).toBe(expected);
});

test.each<[string, object, object]>([
  ['the old field alone', { podIP: '10.0.0.1' }, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] }],
  [
    'the new field alone',
    { podIPs: [{ ip: 'a::1' }, { ip: '10.0.0.1' }] },
    { podIP: 'a::1', podIPs: [{ ip: 'a::1' }, { ip: '10.0.0.1' }] },
  ],
  [
    'both, and they differ',
    { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.2' }, { ip: 'a::1' }] },
    { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
  ],
  [
    'both, and they agree',
    { podIP: 'a::1', podIPs: [{ ip: 'a::1' }, { ip: 'b::1' }] },
    { podIP: 'a::1', podIPs: [{ ip: 'a::1' }, { ip: 'b::1' }] },
  ],
  ['neither', {}, {}],
])('addresses of a pod: %s', (_name, status, expected) => {
  const yaml = `metadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\nstatus: ${JSON.stringify(status)}`;
  expect(decoded(pod, yaml).status).toEqual(expected);
});

test('files with variables must be there unless they need not; init containers are no annotations', () => {
  const variable = '{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: K}}}';
  const annotations = 'pod.beta.kubernetes.io/init-containers: "[]", a: b';
  const object = decoded(
    pod,
    `metadata: {name: a, annotations: {${annotations}}}\nspec: {containers: [{name: c, image: i, env: [${variable}]}]}`,
  );
  expect(object.spec.containers[0]?.env?.[0]?.valueFrom?.fileKeyRef?.optional).toBe(false);
  expect(object.metadata.annotations).toEqual({ a: 'b' });
  expect(decoded(pod, 'spec: {containers: []}').metadata).toBeDefined();
});

const hugePages = 'resources: {limits: {cpu: 1, hugepages-2Mi: 4Mi}}';

test.each<[string, string, object | undefined]>([
  ['of a pod that says nothing of its own', '', undefined],
  ['of a pod that says nothing at all', 'resources: {}, ', {}],
  [
    'of a pod that asks for something else',
    'resources: {requests: {memory: 1Gi}}, ',
    { requests: { memory: '1Gi', cpu: '1', 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } },
  ],
  ['of a pod that asks for them', 'resources: {requests: {hugepages-2Mi: 8Mi}}, ', { requests: { 'hugepages-2Mi': '8Mi' } }],
  [
    'of a pod that is limited',
    'resources: {limits: {cpu: 2, hugepages-2Mi: 8Mi}}, ',
    { requests: { cpu: '1', 'hugepages-2Mi': '8Mi' }, limits: { cpu: '2', 'hugepages-2Mi': '8Mi' } },
  ],
])('huge pages of a container, %s', (_name, resources, expected) => {
  const { spec } = decoded(pod, `metadata: {name: a}\nspec: {${resources}containers: [{name: c, image: i, ${hugePages}}]}`);
  expect(spec.resources).toEqual(expected);
});

test('a pod cannot end before it is told to; a template may say so', () => {
  const spec = '{terminationGracePeriodSeconds: -5, containers: [{name: c, image: i}]}';
  expect(decoded(pod, `metadata: {name: a}\nspec: ${spec}`).spec.terminationGracePeriodSeconds).toBe(1);
  expect(decoded(podTemplate, `metadata: {name: a}\ntemplate: {spec: ${spec}}`).template?.spec?.terminationGracePeriodSeconds).toBe(-5);
});
