import { beforeEach, describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { AuthorizationRequest } from '../contract.ts';
import { nodeAuthorizer } from './authorizer.ts';
import { NodeGraph } from './graph.ts';

let graph: NodeGraph;
beforeEach(() => {
  graph = new NodeGraph();
  graph.setPod(aPod('p', 'n1', spec));
  graph.setPod(aPod('other', 'n2', { serviceAccountName: 'sa', containers: [] }));
  graph.setPod({
    ...aPod('mirror', 'n1', spec, 'kube-system'),
    metadata: { name: 'mirror', namespace: 'kube-system', annotations: mirror },
  } as Pod);
  graph.setVolume({
    metadata: { name: 'pv' },
    spec: {
      claimRef: { namespace: 'a', name: 'claim' },
      csi: {
        driver: 'd',
        volumeHandle: 'h',
        nodeStageSecretRef: { name: 'stage', namespace: 'b' },
        controllerPublishSecretRef: { name: 'publish', namespace: 'b' },
      },
    },
  });
  graph.setVolume({ metadata: { name: 'free' }, spec: {} });
  graph.setAttachment({ metadata: { name: 'va' }, spec: { attacher: 'x', nodeName: 'n1', source: {} } });
  graph.setSlice({ metadata: { name: 'slice' }, spec: { driver: 'd', nodeName: 'n1', pool: {} } } as never);
});

const mirror = { 'kubernetes.io/config.mirror': 'x' };
const spec = {
  serviceAccountName: 'sa',
  imagePullSecrets: [{ name: 'pull' }],
  containers: [
    {
      name: 'c',
      env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }],
      envFrom: [{ configMapRef: { name: 'all' } }],
    },
  ],
  volumes: [
    { name: 'v', persistentVolumeClaim: { claimName: 'claim' } },
    { name: 'scratch', ephemeral: {} },
    { name: 'w', projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'map' } }] } },
  ],
  resourceClaims: [
    { name: 'direct', resourceClaimName: 'rc' },
    { name: 'made', resourceClaimTemplateName: 't' },
  ],
};

function aPod(name: string, nodeName: string, more: object, namespace = 'a'): Pod {
  return {
    metadata: { name, namespace },
    spec: { nodeName, containers: [], ...more },
    status: { resourceClaimStatuses: [{ name: 'made', resourceClaimName: 'rc-made' }] },
  } as unknown as Pod;
}

/** Reads `verb group/resource/subresource namespace/name?selector`. */
function question(text: string, node = 'n1'): AuthorizationRequest {
  const [verb = '', what = '', where = '/'] = text.split(' ');
  const [group = '', resource = '', subresource = ''] = what.split('/');
  const [place = '', fieldSelector] = where.split('?');
  const [namespace = '', name = ''] = place.split('/');
  const user = { name: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] };
  return { user, isResource: true, verb, path: '', group, version: 'v1', resource, subresource, namespace, name, fieldSelector };
}

const unrelated = "no relationship found between node 'n1' and this object";
test.each<[string, true | string]>([
  ['get /secrets a/pull', true],
  ['list /secrets a/env', true],
  ['watch /secrets a/projected', true],
  ['get /secrets b/stage', true],
  ['get /secrets b/publish', unrelated],
  ['get /secrets a/none', unrelated],
  ['get /secrets kube-system/pull', unrelated],
  ['get /secrets /pull', 'can only read namespaced object of this type'],
  ['list /secrets a/', 'No Object name found'],
  ['update /secrets a/pull', 'can only read resources of this type'],
  ['get /secrets/x a/pull', 'cannot read subresource'],
  ['get /configmaps a/all', true],
  ['get /configmaps a/map', true],
  ['get /persistentvolumeclaims a/claim', true],
  ['get /persistentvolumeclaims a/p-scratch', true],
  ['list /persistentvolumeclaims a/', 'can only get individual resources of this type'],
  ['patch /persistentvolumeclaims/status a/claim', true],
  ['get /persistentvolumeclaims/status a/claim', 'can only get/update/patch this type'],
  ['get /persistentvolumes /pv', true],
  ['get /persistentvolumes /free', unrelated],
  ['get resource.k8s.io/resourceclaims a/rc', true],
  ['get resource.k8s.io/resourceclaims a/rc-made', true],
  ['get resource.k8s.io/resourceclaims/status a/rc', 'cannot get subresource'],
  ['get storage.k8s.io/volumeattachments /va', true],
  ['create /serviceaccounts/token a/sa', true],
  ['create /serviceaccounts/token a/none', unrelated],
  ['create /serviceaccounts/token a/', 'can only create tokens for individual service accounts'],
  ['create /serviceaccounts a/sa', 'can only create token subresource of serviceaccount'],
  ['get /serviceaccounts a/sa', true],
  ['update coordination.k8s.io/leases kube-node-lease/n1', true],
  ['create coordination.k8s.io/leases kube-node-lease/', true],
  ['list coordination.k8s.io/leases kube-node-lease/', 'can only get, create, update, patch, or delete a node lease'],
  ['get coordination.k8s.io/leases default/n1', 'can only access leases in the "kube-node-lease" system namespace'],
  ['get coordination.k8s.io/leases kube-node-lease/n2', 'can only access node lease with the same name as the requesting node'],
  ['patch storage.k8s.io/csinodes /n1', true],
  ['list storage.k8s.io/csinodes /', 'can only get, create, update, patch, or delete a CSINode'],
  ['get storage.k8s.io/csinodes/x /n1', 'cannot authorize CSINode subresources'],
  ['get storage.k8s.io/csinodes /n2', 'can only access CSINode with the same name as the requesting node'],
  ['create resource.k8s.io/resourceslices /', true],
  ['patch resource.k8s.io/resourceslices /slice', true],
  ['patch resource.k8s.io/resourceslices /other', unrelated],
  ['deletecollection resource.k8s.io/resourceslices /?spec.nodeName=n1', true],
  ['list resource.k8s.io/resourceslices /', 'can only list/watch/deletecollection resourceslices with nodeName field selector'],
  ['get resource.k8s.io/resourceslices/x /slice', 'cannot authorize ResourceSlice subresources'],
  [
    'bind resource.k8s.io/resourceslices /slice',
    'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
  ],
  ['create /nodes /', true],
  ['patch /nodes /n2', true],
  ['watch /nodes /n1', true],
  ['list /nodes /', "node 'n1' cannot read all nodes, only its own Node object"],
  ['get /nodes /n2', "node 'n1' cannot read 'n2', only its own Node object"],
  ['delete /nodes /n1', ''],
  ['patch /nodes/status /n1', true],
  ['get /nodes/proxy /n1', ''],
  ['watch /pods /?spec.nodeName=n1', true],
  ['watch /pods /?status.phase=Running,spec.nodeName=n1', true],
  ['watch /pods /?spec.nodeName!=n1', 'can only list/watch pods with spec.nodeName field selector'],
  ['watch /pods /?spec.nodeName=n2', 'can only list/watch pods with spec.nodeName field selector'],
  ['list /pods /', 'can only list/watch pods with spec.nodeName field selector'],
  ['get /pods a/p', true],
  ['watch /pods a/p', true],
  ['get /pods kube-system/mirror', true],
  ['get /pods a/other', unrelated],
  ['create /pods a/', true],
  ['delete /pods a/other', true],
  ['patch /pods a/p', ''],
  ['patch /pods/status a/p', true],
  ['create /pods/eviction a/p', true],
  ['create /pods/exec a/p', ''],
  ['list /services /', true],
  ['create /events a/', true],
  ['list certificates.k8s.io/certificatesigningrequests /', true],
  ['delete /services a/x', ''],
  ['watch node.k8s.io/runtimeclasses /', true],
])('%s: %s', async (text, expected) => {
  const decision = await nodeAuthorizer(graph).authorize(question(text));
  expect(decision).toEqual(expected === true ? { verdict: 'allow', reason: '' } : { verdict: 'none', reason: expected });
});

describe('rights end', () => {
  const may = async (text: string, node?: string): Promise<boolean> =>
    (await nodeAuthorizer(graph).authorize(question(text, node))).verdict === 'allow';

  test('with the last pod', async () => {
    graph.setPod(aPod('second', 'n1', { serviceAccountName: 'sa' }));
    graph.removePod('a', 'p');
    expect(await may('create /serviceaccounts/token a/sa')).toBe(true);
    expect(await may('get /persistentvolumes /pv')).toBe(false);
    expect(await may('get /secrets b/stage')).toBe(false);
    graph.removePod('a', 'second');
    expect(await may('create /serviceaccounts/token a/sa')).toBe(false);
    expect(await may('create /serviceaccounts/token a/sa', 'n2')).toBe(true);
  });

  test('of what a new list no longer holds', async () => {
    graph.retain('pods', new Set(['a/other']));
    graph.retain('attachments', new Set());
    expect(await may('create /serviceaccounts/token a/sa')).toBe(false);
    expect(await may('create /serviceaccounts/token a/sa', 'n2')).toBe(true);
    expect(await may('get storage.k8s.io/volumeattachments /va')).toBe(false);
    expect(await may('get resource.k8s.io/resourceslices /slice')).toBe(true);
    graph.retain('volumes', new Set());
    graph.retain('slices', new Set(['slice']));
    expect(await may('get resource.k8s.io/resourceslices /slice')).toBe(true);
  });

  test('with the volume, its attachment and the slice', async () => {
    graph.removeVolume('pv');
    graph.removeAttachment('va');
    graph.removeSlice('slice');
    for (const text of ['get /secrets b/stage', 'get storage.k8s.io/volumeattachments /va', 'get resource.k8s.io/resourceslices /slice']) {
      expect(await may(text)).toBe(false);
    }
  });
});

test.each([
  [{ name: 'system:node:n1', groups: [] }, ''],
  [{ name: 'ann', groups: ['system:nodes'] }, ''],
  [{ name: 'system:node:', groups: ['system:nodes'] }, 'unknown node for user "system:node:"'],
])('%j is no node: %s', async (user, reason) => {
  expect(await nodeAuthorizer(graph).authorize({ ...question('list /services /'), user })).toEqual({ verdict: 'none', reason });
});
