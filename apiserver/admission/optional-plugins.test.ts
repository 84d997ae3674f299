import { describe, expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { Authorizer } from '../authz/contract.ts';
import type { AdmissionPlugin, RequestContext } from '../registry/contract.ts';
import type { GenericRegistry } from '../registry/registry.ts';
import { aBody, aContext, aKind, startRegistry } from '../registry/testing.ts';
import { alwaysAdmit, alwaysDeny } from './always.ts';
import { alwaysPullImages } from './always-pull-images.ts';
import { denyServiceExternalIps } from './deny-service-external-ips.ts';
import { extendedResourceToleration } from './extended-resource-toleration.ts';
import { limitPodHardAntiAffinityTopology } from './limit-anti-affinity.ts';
import { namespaceAutoProvision, namespaceExists } from './namespace-presence.ts';
import { ownerReferencesPermissionEnforcement } from './owner-references.ts';

type Plugin = (registry: () => GenericRegistry) => AdmissionPlugin;

/** A registry with one plugin. */
async function withPlugin(plugin: Plugin) {
  const made: { registry?: GenericRegistry } = {};
  const running = await startRegistry({ kinds: builtinKinds, admission: [plugin(() => made.registry as GenericRegistry)] });
  const { registry } = running;
  made.registry = registry;
  const create = async (plural: string, object: object, parts: Partial<RequestContext> = {}): Promise<KubeObject> => {
    const kind = aKind(plural);
    return (await registry.create(kind, aBody({ apiVersion: kind.version, kind: kind.kind, ...object }), aContext(parts))).object();
  };
  const merge = async (plural: string, name: string, change: object): Promise<KubeObject> => {
    const patch = { type: 'merge', bytes: Buffer.from(JSON.stringify(change)), force: false } as const;
    return (await registry.patch(aKind(plural), name, patch, aContext())).encoded.object();
  };
  return { registry, create, merge, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );
const aPod = (spec: object = {}): object => ({ metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec } });

test('AlwaysAdmit does nothing, AlwaysDeny refuses everything', async () => {
  await using admitting = await withPlugin(() => alwaysAdmit);
  await admitting.create('configmaps', { metadata: { name: 'c' } });
  await using denying = await withPlugin(() => alwaysDeny);
  expect(await refusal(denying.create('configmaps', { metadata: { name: 'c' } }))).toBe(
    'configmaps "c" is forbidden: admission control is denying all modifications',
  );
});

test('AlwaysPullImages sets the policy of new images', async () => {
  await using one = await withPlugin(() => alwaysPullImages);
  const spec = {
    containers: [{ name: 'c', image: 'i:1', imagePullPolicy: 'Never' }],
    initContainers: [{ name: 'i', image: 'i:1' }],
    volumes: [{ name: 'v', image: { reference: 'r:1', pullPolicy: 'IfNotPresent' } }],
  };
  const made = (await one.create('pods', aPod(spec))) as V1Pod;
  expect(made.spec?.containers[0]?.imagePullPolicy).toBe('Always');
  expect(made.spec?.initContainers?.[0]?.imagePullPolicy).toBe('Always');
  expect(made.spec?.volumes?.[0]?.image?.pullPolicy).toBe('Always');
});

test('LimitPodHardAntiAffinityTopology allows nodes only', async () => {
  await using one = await withPlugin(() => limitPodHardAntiAffinityTopology);
  const apart = (topologyKey: string): object => {
    const term = { topologyKey, labelSelector: { matchLabels: { a: 'b' } } };
    return aPod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } });
  };
  expect(await refusal(one.create('pods', apart('zone')))).toBe(
    'pods "p" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed',
  );
  await one.create('pods', apart('kubernetes.io/hostname'));
});

test('ExtendedResourceToleration tolerates the taints of devices', async () => {
  await using one = await withPlugin(() => extendedResourceToleration);
  const resources = {
    requests: { 'example.com/b': '1', 'example.com/a': '1', cpu: '1' },
    limits: { 'example.com/b': '1', 'example.com/a': '1' },
  };
  const made = (await one.create('pods', aPod({ containers: [{ name: 'c', image: 'i', resources }] }))) as V1Pod;
  expect(made.spec?.tolerations).toEqual([
    { key: 'example.com/a', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'example.com/b', operator: 'Exists', effect: 'NoSchedule' },
  ]);
});

test('DenyServiceExternalIPs lets Services keep what they have', async () => {
  await using one = await withPlugin(() => denyServiceExternalIps);
  const service = { metadata: { name: 's' }, spec: { clusterIP: 'None', ports: [{ port: 1 }] } };
  const denied = 'services "s" is forbidden: Use of external IPs is denied by admission control.';
  expect(await refusal(one.create('services', { ...service, spec: { ...service.spec, externalIPs: ['192.0.2.7'] } }))).toBe(denied);
  await one.create('services', service);
  expect(await refusal(one.merge('services', 's', { spec: { externalIPs: ['192.0.2.7'] } }))).toBe(denied);
  await one.merge('services', 's', { metadata: { labels: { a: 'b' } } });
});

describe('namespaces', () => {
  test('NamespaceExists refuses, NamespaceAutoProvision makes them', async () => {
    await using refusing = await withPlugin(namespaceExists);
    expect(await refusal(refusing.create('configmaps', { metadata: { name: 'c' } }))).toBe('namespaces "default" not found');
    await refusing.create('namespaces', { metadata: { name: 'default' } }, { namespace: '' });
    await refusing.create('configmaps', { metadata: { name: 'c' } });
    await using making = await withPlugin(namespaceAutoProvision);
    await making.create('configmaps', { metadata: { name: 'c' } }, { dryRun: true });
    expect(making.registry.peek(aKind('namespaces'), '', 'default')).toBeUndefined();
    await making.create('configmaps', { metadata: { name: 'c' } });
    expect(making.registry.peek(aKind('namespaces'), '', 'default')).toBeDefined();
  });
});

test('OwnerReferencesPermissionEnforcement asks for rights to delete, and to finalizers of owners that are held back', async () => {
  const mayNot = new Set(['weak delete', 'middling update deployments/finalizers']);
  const authorizer: Authorizer = {
    authorize: ({ user, verb, resource, subresource }) => {
      const asked = [`${user.name} ${verb}`, `${user.name} ${verb} ${resource}/${subresource}`];
      return { verdict: asked.some((one) => mayNot.has(one)) ? 'none' : 'allow', reason: '' };
    },
    rightsOf: () => ({ resourceRules: [], nonResourceRules: [], isIncomplete: false, errors: [] }),
  };
  await using one = await withPlugin((registry) => ownerReferencesPermissionEnforcement({ registry, authorizer }));
  const owned = (name: string, parts: object = {}): object => ({
    metadata: { name, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u', ...parts }] },
  });
  const by = (name: string): Partial<RequestContext> => ({ user: { name, groups: [] } });
  await one.create('configmaps', { metadata: { name: 'free' } }, by('weak'));
  expect(await refusal(one.create('configmaps', owned('a'), by('weak')))).toBe(
    `configmaps "a" is forbidden: cannot set an ownerRef on a resource you can't delete: , <nil>`,
  );
  await one.create('configmaps', owned('a'), by('middling'));
  expect(await refusal(one.create('configmaps', owned('b', { blockOwnerDeletion: true }), by('middling')))).toBe(
    `configmaps "b" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>`,
  );
  await one.create('configmaps', owned('b', { blockOwnerDeletion: true }), by('strong'));
});
