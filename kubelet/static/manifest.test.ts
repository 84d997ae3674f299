import { describe, expect, test } from 'vitest';
import { createCodec } from '#api/schema/codec.ts';
import { type Origin, readPod, readPods } from './manifest.ts';

const codec = createCodec();
const origin: Origin = { kind: 'file', location: '/m/web.yaml', nodeName: 'node-1', nowMs: 0 };
const text = `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: c
    image: app
`;
const bytes = (of: string): Buffer => Buffer.from(of);
const read = (of: string, from: Partial<Origin> = {}) => readPod(bytes(of), { ...origin, ...from }, codec);

describe('a manifest', () => {
  test('becomes a pod of this node, with defaults', () => {
    const { metadata, spec, status } = read(text);
    expect(metadata).toMatchObject({
      name: 'web-node-1',
      namespace: 'default',
      annotations: { 'kubernetes.io/config.hash': metadata.uid },
    });
    expect(metadata.uid).toMatch(/^[0-9a-f]{32}$/);
    expect(spec).toMatchObject({
      nodeName: 'node-1',
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
    });
    expect(spec.containers[0]).toMatchObject({ imagePullPolicy: 'Always', terminationMessagePath: '/dev/termination-log' });
    expect(spec.tolerations).toEqual([{ operator: 'Exists', effect: 'NoExecute' }]);
    expect(status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  test('has a uid that follows from what it says, where it lies and which node this is, not from how it is written', () => {
    const { uid } = read(text).metadata;
    const asJson = JSON.stringify({
      spec: { containers: [{ image: 'app', name: 'c' }] },
      metadata: { name: 'web' },
      kind: 'Pod',
      apiVersion: 'v1',
    });
    expect(read(`# a comment\n${text}`).metadata.uid).toBe(uid);
    expect(read(asJson).metadata.uid).toBe(uid);
    const others = [
      read(text.replace('app', 'app:2')),
      read(text, { location: '/m/b.yaml' }),
      read(text, { nodeName: 'n2' }),
      read(text, { kind: 'http' }),
    ];
    expect(new Set([uid, ...others.map(({ metadata }) => metadata.uid)]).size).toBe(5);
    expect(read(text.replace('name: web', 'name: web\n  uid: mine')).metadata).toMatchObject({
      uid: 'mine',
      annotations: { 'kubernetes.io/config.hash': 'mine' },
    });
  });

  test('of several documents, the first counts', () =>
    expect(read(`---\n${text}---\n${text.replace('web', 'b')}`).metadata.name).toBe('web-node-1'));

  test('from a page tolerates nothing more than it says', () => expect(read(text, { kind: 'http' }).spec.tolerations).toBeUndefined());

  test('keeps a toleration only once', () => {
    const tolerant = `${text}  tolerations:\n  - operator: Exists\n    effect: NoExecute\n  - key: a\n    operator: Exists\n`;
    expect(read(tolerant).spec.tolerations).toEqual([
      { key: 'a', operator: 'Exists' },
      { operator: 'Exists', effect: 'NoExecute' },
    ]);
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'not an object'],
    ['no YAML', 'a: [', 'yaml: '],
    ['a list', '- a', 'not an object'],
    ['no kind', 'apiVersion: v1\nmetadata: {}', "Object 'Kind' is missing"],
    ['another kind', 'apiVersion: v1\nkind: Service\nmetadata: {name: a}', 'Service'],
    ['no name', text.replace('name: web', 'labels: {}'), 'invalid pod: name is needed for the pod'],
    ['no container', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}', 'invalid pod: [spec.containers: Required value]'],
    ['a bad name', text.replace('web', 'Web_'), 'metadata.name: Invalid value: "Web_-node-1"'],
    ['a wrong type', text.replace('image: app', 'image: [1]'), 'unmarshal'],
    ['an account', `${text}  serviceAccountName: sa\n`, 'static pods may not reference serviceaccounts'],
    ['a secret', `${text}  imagePullSecrets: [{name: s}]\n`, 'static pods may not reference secrets'],
    ['a config map', `${text}    envFrom: [{configMapRef: {name: s}}]\n`, 'static pods may not reference configmaps'],
    [
      'a claim',
      `${text}  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]\n`,
      'static pods may not reference persistentvolumeclaims',
    ],
    [
      'trust bundles',
      `${text}  volumes: [{name: v, projected: {sources: [{clusterTrustBundle: {name: b, path: p}}]}}]\n`,
      'static pods may not reference clustertrustbundles',
    ],
  ])('%s is refused', (_, of, message) => expect(() => read(of)).toThrow(message));
});

describe('a page', () => {
  const from = { ...origin, kind: 'http' } as const;
  test('may be a list', () => {
    const item = { metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const list = { apiVersion: 'v1', kind: 'PodList', items: [item, { ...item, metadata: { name: 'b' } }] };
    expect(readPods(bytes(JSON.stringify(list)), from, codec).map(({ metadata }) => metadata.name)).toEqual(['a-node-1', 'b-node-1']);
    const bad = { ...list, items: [item, { metadata: { name: 'b' } }] };
    expect(() => readPods(bytes(JSON.stringify(bad)), from, codec)).toThrow('invalid pod');
  });
  test('may be one pod', () => expect(readPods(bytes(text), from, codec)).toHaveLength(1));
});
