// What a node may write, over the wire and beyond what its rights say.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lease } from '#api/coordination/lease.ts';
import { node } from '#api/core/node/node.ts';
import { persistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import type { KindDefinition } from '#api/kind.ts';
import { type KubeObject } from '#api/meta/object.ts';
import { resourceSlice } from '#api/resource/resource-slice.ts';
import { csiNode } from '#api/storage/csi-node.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../../testing.ts';

const { signal } = new AbortController();
let server: TestApiServer;
let admin: RestClient;
let n1: RestClient;
let n1Uid: string;
let podUid: string;

const container = { name: 'c', image: 'i' };
const here = (name: string) => ({ namespace: 'default', name });
const create = (client: RestClient, kind: unknown, object: object): Promise<KubeObject> =>
  client.create(kind as KindDefinition<KubeObject>, object as KubeObject, {}, signal);

beforeAll(async () => {
  server = await startTestApiServer({ admissionPlugins: ['NamespaceLifecycle', 'NodeRestriction'] });
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  n1 = connect(await server.clientConfigFor('system:node:n1', ['system:nodes']), { clock: systemClock, component: 'kubelet' });
  n1Uid = (await create(n1, node, { metadata: { name: 'n1', labels: { 'kubernetes.io/os': 'linux' } } })).metadata.uid ?? '';
  await create(admin, node, { metadata: { name: 'n2' } });
  await create(admin, serviceAccount, { metadata: here('sa') });
  const volumes = [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } }];
  const spec = (nodeName: string) => ({ nodeName, serviceAccountName: 'sa', containers: [container], volumes });
  podUid = (await create(admin, pod, { metadata: here('mine'), spec: spec('n1') })).metadata.uid ?? '';
  await create(admin, pod, { metadata: here('other'), spec: spec('n2') });
  await create(admin, pod, { metadata: here('guest'), spec: { ...spec('n2'), volumes: [] } });
  const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'pv' };
  await create(admin, persistentVolumeClaim, { metadata: here('claim'), spec: claimSpec });
  const claims = [{ name: 'v', persistentVolumeClaim: { claimName: 'claim' } }];
  await create(admin, pod, { metadata: here('claimer'), spec: { nodeName: 'n1', containers: [container], volumes: claims } });
  // The node's rights follow the store at once, but not in step.
  await expectSoon(() => n1.get(pod, here('claimer'), signal));
});
afterAll(async () => {
  await Promise.all([admin, n1].map((client) => client[Symbol.asyncDispose]()));
  await server.stop();
});

async function expectSoon(work: () => Promise<unknown>): Promise<void> {
  while ((await outcome(work())) !== 'done') await new Promise((resolve) => setImmediate(resolve));
}

function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: Error) => error.message,
  );
}

const patch = (kind: unknown, key: { name: string; namespace?: string }, body: object, subresource = ''): Promise<unknown> =>
  n1.patch(kind as KindDefinition<KubeObject>, key, body, { type: 'merge', subresource }, signal);

describe('nodes', () => {
  const forbidden = (name: string, why: string): string => `nodes "${name}" is forbidden: ${why}`;
  test.each<[string, () => Promise<unknown>, string]>([
    [
      'another',
      () => patch(node, { name: 'n2' }, { metadata: { labels: { a: 'b' } } }),
      forbidden('n2', 'node "n1" is not allowed to modify node "n2"'),
    ],
    [
      'a new other one',
      () => create(n1, node, { metadata: { name: 'n3' } }),
      forbidden('n3', 'node "n1" is not allowed to modify node "n3"'),
    ],
    [
      'its taints',
      () => patch(node, { name: 'n1' }, { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
      forbidden('n1', 'node "n1" is not allowed to modify taints'),
    ],
    [
      'labels that others trust',
      () =>
        patch(
          node,
          { name: 'n1' },
          {
            metadata: {
              labels: {
                'node-restriction.kubernetes.io/a': 'b',
                'x.node-restriction.kubernetes.io/a': 'b',
                'node-role.kubernetes.io/x': '',
                'foo.k8s.io/y': '',
              },
            },
          },
        ),
      forbidden(
        'n1',
        'is not allowed to modify labels: foo.k8s.io/y, node-restriction.kubernetes.io/a, node-role.kubernetes.io/x, x.node-restriction.kubernetes.io/a',
      ),
    ],
    [
      'its owners',
      () => patch(node, { name: 'n1' }, { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n2', uid: 'u' }] } }),
      forbidden('n1', 'node "n1" is not allowed to modify ownerReferences'),
    ],
    [
      'labels of its own',
      () =>
        patch(
          node,
          { name: 'n1' },
          { metadata: { labels: { 'acme.org/a': 'b', 'x.node.kubernetes.io/c': 'd', 'topology.kubernetes.io/zone': 'z' } } },
        ),
      'done',
    ],
    ['its status', () => patch(node, { name: 'n1' }, { status: { phase: 'Running' } }, 'status'), 'done'],
  ])('%s', async (_name, act, expected) => {
    expect(await outcome(act())).toBe(expected);
  });
});

describe('pods', () => {
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  const owner = () => ({ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: n1Uid, controller: true });
  const mirror = (spec: object = {}, owners: () => object[] = () => [owner()]) => ({
    metadata: { ...here('mirror'), annotations, ownerReferences: owners() },
    spec: { nodeName: 'n1', containers: [container], ...spec },
  });
  const refused = (why: string): string => `pods "mirror" is forbidden: ${why}`;
  const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const projected = (source: object): object => ({ volumes: [{ name: 'v', projected: { sources: [source] } }] });
  test.each<[string, () => object, string]>([
    [
      'no mirror',
      () => ({ ...mirror(), metadata: here('mirror') }),
      refused('pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods'),
    ],
    ['elsewhere', () => mirror({ nodeName: 'n2' }), refused('node "n1" can only create pods with spec.nodeName set to itself')],
    ['without owner', () => mirror({}, () => []), refused('node "n1" can only create pods with an owner reference set to itself')],
    [
      'two owners',
      () => mirror({}, () => [owner(), { ...owner(), uid: 'v', controller: false }]),
      refused('node "n1" can only create pods with a single owner reference set to itself'),
    ],
    [
      'of another',
      () => mirror({}, () => [{ ...owner(), name: 'n2' }]),
      refused('node "n1" can only create pods with an owner reference set to itself'),
    ],
    [
      'no controller',
      () => mirror({}, () => [{ ...owner(), controller: false }]),
      refused('node "n1" can only create pods with a controller owner reference set to itself'),
    ],
    [
      'blocking',
      () => mirror({}, () => [{ ...owner(), blockOwnerDeletion: true }]),
      refused('node "n1" must not set blockOwnerDeletion on an owner reference'),
    ],
    ['of an earlier node', () => mirror({}, () => [{ ...owner(), uid: 'old' }]), '/^pods? .*$/'],
    ['an account', () => mirror({ serviceAccountName: 'sa' }), refused('node "n1" can not create pods that reference serviceaccounts')],
    ['secrets', () => mirror(projected({ secret: { name: 's' } })), refused('node "n1" can not create pods that reference secrets')],
    [
      'config maps',
      () => mirror({ containers: [{ ...container, envFrom: [{ configMapRef: { name: 'm' } }] }] }),
      refused('node "n1" can not create pods that reference configmaps'),
    ],
    [
      'claims',
      () => mirror({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }),
      refused('node "n1" can not create pods that reference persistentvolumeclaims'),
    ],
    [
      'devices',
      () => mirror({ resourceClaims: [{ name: 'd', resourceClaimName: 'c' }] }),
      refused('node "n1" can not create pods that reference resourceclaims'),
    ],
    [
      'tokens',
      () => mirror(projected({ serviceAccountToken: { path: 't' } })),
      refused('node "n1" can not create pods that reference serviceaccounts (via projected volumes)'),
    ],
    [
      'claims that are made for it',
      () => mirror({ volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: claimSpec } } }] }),
      refused('node "n1" can not create pods that reference persistentvolumeclaims (via ephemeral volumes)'),
    ],
    [
      'drivers',
      () => mirror({ volumes: [{ name: 'v', csi: { driver: 'd.io' } }] }),
      refused('node "n1" can not create pods that reference csidrivers (via CSI volumes)'),
    ],
    ['fine', () => mirror({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }), 'done'],
  ])('made: %s', async (name, object, expected) => {
    const text = await outcome(create(n1, pod, object()));
    if (name === 'of an earlier node') expect(text).toBe(refused(`node n1 UID mismatch: expected old got ${n1Uid}`));
    else expect(text).toBe(expected);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'delete another',
      () => n1.delete(pod, here('other'), {}, signal),
      'pods "other" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
    ],
    [
      'status of another',
      () => patch(pod, here('other'), { status: { message: 'x' } }, 'status'),
      'pods "other" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    ],
    [
      'labels by status',
      () => patch(pod, here('mine'), { metadata: { labels: { a: 'b' } } }, 'status'),
      'pods "mine" is forbidden: node "n1" cannot update labels through pod status',
    ],
    [
      'claims by status',
      () => patch(pod, here('mine'), { status: { resourceClaimStatuses: [{ name: 'a', resourceClaimName: 'b' }] } }, 'status'),
      'pods "mine" is forbidden: node "n1" cannot update resource claim statues',
    ],
    ['status', () => patch(pod, here('mine'), { status: { message: 'x' } }, 'status'), 'done'],
    [
      'evict another',
      () => n1.createSub(pod, here('other'), 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: here('other') }, signal),
      'pods "other" is forbidden: node n1 can only evict pods with spec.nodeName set to itself',
    ],
    ['delete', () => n1.delete(pod, here('mirror'), { gracePeriodSeconds: 0 }, signal), 'done'],
  ])('%s', async (_name, act, expected) => {
    expect(await outcome(act())).toBe(expected);
  });
});

describe('tokens', () => {
  const ask = (boundObjectRef: object | undefined, audiences: string[] = ['vault']): Promise<unknown> =>
    n1.createSub(
      serviceAccount,
      here('sa'),
      'token',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences, boundObjectRef } },
      signal,
    );
  const bound = (name: string, uid: string | undefined = podUid) => ({ apiVersion: 'v1', kind: 'Pod', name, uid });
  const refused = (why: string): string => `serviceaccounts "sa" is forbidden: ${why}`;
  test.each<[string, () => Promise<unknown>, string]>([
    ['free', () => ask(undefined), refused('node requested token not bound to a pod')],
    ['of a secret', () => ask({ ...bound('mine'), kind: 'Secret' }), refused('node requested token not bound to a pod')],
    [
      'without uid',
      () => ask({ apiVersion: 'v1', kind: 'Pod', name: 'mine' }),
      refused('node requested token with a pod binding without a uid'),
    ],
    ['of no pod', () => ask(bound('none')), 'pod "none" not found'],
    [
      'of an earlier pod',
      () => ask(bound('mine', 'old')),
      refused(
        'the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
      ),
    ],
    ['for many', () => ask(bound('mine'), ['a', 'b']), refused('node may only request 0 or 1 audiences')],
    [
      'for others',
      () => ask(bound('mine'), ['bank']),
      refused('audience "bank" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience'),
    ],
    ['for whom the pod names', () => ask(bound('mine')), 'done'],
  ])('%s', async (_name, act, expected) => {
    expect(await outcome(act())).toBe(expected);
  });

  test('of a pod elsewhere', async () => {
    const { metadata } = await admin.get<Pod>(pod, here('other'), signal);
    expect(await outcome(ask(bound('other', metadata.uid)))).toBe(
      refused('node requested token bound to a pod scheduled on a different node'),
    );
  });

  test('for others, where a role lets it', async () => {
    const rules = [{ verbs: ['request-serviceaccounts-token-audience'], apiGroups: [''], resources: ['registry'] }];
    const kinds = server.registry.kinds();
    const kindOf = (name: string) => kinds.find(({ kind }) => kind === name);
    await create(admin, kindOf('ClusterRole'), { metadata: { name: 'audience' }, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'audience' };
    await create(admin, kindOf('ClusterRoleBinding'), {
      metadata: { name: 'audience' },
      roleRef,
      subjects: [{ kind: 'Group', name: 'system:nodes' }],
    });
    await expect.poll(() => outcome(ask(bound('mine'), ['registry']))).toBe('done');
  });
});

describe('others', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    [
      'a lease of another',
      () => create(n1, lease, { metadata: { namespace: 'kube-node-lease', name: 'n2' } }),
      'leases.coordination.k8s.io "n2" is forbidden: can only access node lease with the same name as the requesting node',
    ],
    ['its lease', () => create(n1, lease, { metadata: { namespace: 'kube-node-lease', name: 'n1' } }), 'done'],
    [
      'a CSINode of another',
      () => create(n1, csiNode, { metadata: { name: 'n2' }, spec: { drivers: [] } }),
      'csinodes.storage.k8s.io "n2" is forbidden: can only access CSINode with the same name as the requesting node',
    ],
    [
      'a slice of another',
      () =>
        create(n1, resourceSlice, {
          metadata: { name: 's' },
          spec: { driver: 'd.org', nodeName: 'n2', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } },
        }),
      'resourceslices.resource.k8s.io "s" is forbidden: can only create ResourceSlice with the same NodeName as the requesting node',
    ],
    [
      'the phase of a claim',
      () => patch(persistentVolumeClaim, here('claim'), { status: { phase: 'Lost' } }, 'status'),
      'persistentvolumeclaims "claim" is forbidden: node "n1" is not allowed to update fields other than status.quantity and status.conditions: status',
    ],
    [
      'the capacity of a claim',
      () => patch(persistentVolumeClaim, here('claim'), { status: { capacity: { storage: '2Gi' } } }, 'status'),
      'done',
    ],
  ])('%s', async (_name, act, expected) => {
    expect(await outcome(act())).toBe(expected);
  });
});
