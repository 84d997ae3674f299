import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Endpoints, endpoints } from '#api/core/endpoints.ts';
import { type Namespace, namespace } from '#api/core/namespace.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type ReplicationController, replicationController } from '#api/core/replication-controller.ts';
import { type ServiceAccount, serviceAccount } from '#api/core/service-account.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { hasReason } from '#api/meta/status.ts';
import { ControlPlane } from './testing.ts';

const never = new AbortController().signal;
const template = (image: string, app: string) => ({ metadata: { labels: { app } }, spec: { containers: [{ name: 'web', image }] } });

describe('control loops', () => {
  let plane: ControlPlane;
  const inNamespace = async (name: string): Promise<string> => {
    await plane.client.create<Namespace>(namespace, { metadata: { name } }, {}, never);
    await plane.until('the default service account', async () => (await plane.list<ServiceAccount>(serviceAccount, name)).length > 0);
    return name;
  };
  const deploy = (ns: string, name: string, spec: Partial<Deployment['spec']>): Promise<Deployment> =>
    plane.client.create<Deployment>(
      deployment,
      { metadata: { name, namespace: ns }, spec: { selector: { matchLabels: { app: name } }, template: template('web:1', name), ...spec } },
      {},
      never,
    );
  const podsOf = async (ns: string): Promise<readonly Pod[]> =>
    (await plane.list<Pod>(pod, ns)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const getDeployment = (ns: string, name: string): Promise<Deployment> =>
    plane.client.get<Deployment>(deployment, { namespace: ns, name }, never);

  beforeAll(async () => {
    plane = await ControlPlane.start({ rootCa: 'the CA', loadBalancerCidr: '172.31.254.0/29' });
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  test('a namespace gets its service account and the root CA', async () => {
    const ns = await inNamespace('furnished');
    const map = await plane.until('the CA', async () =>
      (await plane.list<ConfigMap>(configMap, ns)).find(({ metadata }) => metadata.name === 'kube-root-ca.crt'),
    );
    expect(map.data).toEqual({ 'ca.crt': 'the CA' });
    await plane.client.delete(serviceAccount, { namespace: ns, name: 'default' }, {}, never);
    await plane.until('a new account', async () => (await plane.list<ServiceAccount>(serviceAccount, ns)).length === 1);
  });

  test('a Deployment rolls from one template to the next and back, and completes', async () => {
    const ns = await inNamespace('rolling');
    await deploy(ns, 'web', { replicas: 3 });
    await plane.until('three pods', async () => (await podsOf(ns)).length === 3);
    await plane.runPods();
    const first = await plane.until('complete', async () => {
      const found = await getDeployment(ns, 'web');
      return findCondition(found.status?.conditions, 'Progressing')?.reason === 'NewReplicaSetAvailable' && found;
    });
    expect(first.status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 });
    expect(first.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');

    await plane.client.patch<Deployment>(
      deployment,
      { namespace: ns, name: 'web' },
      { spec: { template: template('web:2', 'web') } },
      { type: 'merge' },
      never,
    );
    const mostPods: number[] = [];
    const leastReady: number[] = [];
    await plane.until('rolled', async () => {
      const pods = await podsOf(ns);
      mostPods.push(pods.length);
      leastReady.push(pods.filter(({ status }) => status?.phase === 'Running').length);
      await plane.runPods();
      const found = await getDeployment(ns, 'web');
      return (
        found.status?.observedGeneration === found.metadata.generation &&
        found.status?.updatedReplicas === 3 &&
        found.status.replicas === 3 &&
        found.status.availableReplicas === 3
      );
    });
    // 25% of three: one more at most, none less.
    expect(Math.max(...mostPods)).toBe(4);
    expect(Math.min(...leastReady)).toBeGreaterThanOrEqual(3);
    const sets = await plane.list<ReplicaSet>(replicaSet, ns);
    expect(new Map(sets.map(({ metadata, spec }) => [metadata.annotations?.['deployment.kubernetes.io/revision'], spec.replicas]))).toEqual(
      new Map([
        ['1', 0],
        ['2', 3],
      ]),
    );

    await plane.client.patch<Deployment>(
      deployment,
      { namespace: ns, name: 'web' },
      { spec: { template: template('web:1', 'web') } },
      { type: 'merge' },
      never,
    );
    await plane.until(
      'revision 3',
      async () => (await getDeployment(ns, 'web')).metadata.annotations?.['deployment.kubernetes.io/revision'] === '3',
    );
    expect((await plane.list<ReplicaSet>(replicaSet, ns)).length).toBe(2);
  });

  test('Recreate makes no new pod before the last old one has gone', async () => {
    const ns = await inNamespace('recreating');
    await deploy(ns, 'web', { replicas: 2, strategy: { type: 'Recreate' } });
    await plane.until('two pods', async () => (await podsOf(ns)).length === 2);
    await plane.runPods();
    await plane.client.patch<Deployment>(
      deployment,
      { namespace: ns, name: 'web' },
      { spec: { template: template('web:2', 'web') } },
      { type: 'merge' },
      never,
    );
    await plane.until('new pods', async () => {
      const pods = await plane.list<Pod>(pod, ns);
      const images = new Set(pods.map(({ spec }) => spec.containers[0]?.image));
      expect(images.size).toBeLessThan(2);
      await plane.runPods();
      return images.has('web:2') && pods.length === 2;
    });
  });

  test('a ReplicationController replaces what goes and adopts what matches', async () => {
    const ns = await inNamespace('controlled');
    await plane.client.create<Pod>(
      pod,
      { metadata: { name: 'stray', namespace: ns, labels: { app: 'rc' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
      {},
      never,
    );
    await plane.client.create<ReplicationController>(
      replicationController,
      { metadata: { name: 'rc', namespace: ns }, spec: { replicas: 2, selector: { app: 'rc' }, template: template('web:1', 'rc') } },
      {},
      never,
    );
    const pods = await plane.until('two pods', async () => {
      const found = await podsOf(ns);
      return found.length === 2 && found.every(({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'ReplicationController') && found;
    });
    expect(pods.map(({ metadata }) => metadata.name)).toContain('stray');
    await plane.client.delete(pod, { namespace: ns, name: 'stray' }, { gracePeriodSeconds: 0 }, never);
    await plane.until(
      'a replacement',
      async () => (await podsOf(ns)).length === 2 && (await podsOf(ns)).every(({ metadata }) => metadata.name !== 'stray'),
    );
  });

  test('Services get slices and Endpoints that follow their pods', async () => {
    const ns = await inNamespace('served');
    await plane.client.create<Service>(
      service,
      { metadata: { name: 'web', namespace: ns }, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8_080 }] } },
      {},
      never,
    );
    await plane.until('an empty slice', async () =>
      (await plane.list<EndpointSlice>(endpointSlice, ns)).some(({ endpoints: list = [] }) => list.length === 0),
    );
    await deploy(ns, 'web', { replicas: 2 });
    await plane.until('two pods', async () => (await podsOf(ns)).length === 2);
    await plane.runPods();
    const [slice] = await plane.until('both ready', async () => {
      const found = await plane.list<EndpointSlice>(endpointSlice, ns);
      return (
        found.length === 1 &&
        found[0]?.endpoints?.length === 2 &&
        found[0].endpoints.every(({ conditions }) => conditions?.ready === true) &&
        found
      );
    });
    expect(slice?.ports).toEqual([{ name: '', port: 8_080, protocol: 'TCP' }]);
    const list = await plane.until('Endpoints', async () => {
      const [found] = await plane.list<Endpoints>(endpoints, ns);
      return (found?.subsets?.[0]?.addresses ?? []).length === 2 && found;
    });
    expect(list.subsets?.[0]?.ports).toEqual([{ port: 8_080, protocol: 'TCP' }]);
    await plane.client.patch<Deployment>(deployment, { namespace: ns, name: 'web' }, { spec: { replicas: 0 } }, { type: 'merge' }, never);
    await plane.until('none left', async () => {
      await plane.runPods();
      const found = await plane.list<EndpointSlice>(endpointSlice, ns);
      return found.length === 1 && (found[0]?.endpoints ?? []).length === 0;
    });
    await plane.client.delete(service, { namespace: ns, name: 'web' }, {}, never);
    await plane.until(
      'slices and Endpoints go with their Service',
      async () => (await plane.list(endpointSlice, ns)).length === 0 && (await plane.list(endpoints, ns)).length === 0,
    );
  });

  test('load balancers get addresses from the pool, each once', async () => {
    const ns = await inNamespace('balanced');
    for (const name of ['a', 'b']) {
      await plane.client.create<Service>(
        service,
        { metadata: { name, namespace: ns }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } },
        {},
        never,
      );
    }
    const addresses = await plane.until('two addresses', async () => {
      const found = (await plane.list<Service>(service, ns)).flatMap(({ status }) =>
        (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip),
      );
      return found.length === 2 && found;
    });
    expect(new Set(addresses)).toEqual(new Set(['172.31.254.1', '172.31.254.2']));
  });

  describe('deletion', () => {
    test('in the background takes the dependents along', async () => {
      const ns = await inNamespace('background');
      await deploy(ns, 'web', { replicas: 1 });
      await plane.until('a pod', async () => (await podsOf(ns)).length === 1);
      await plane.client.delete(deployment, { namespace: ns, name: 'web' }, {}, never);
      await plane.until('all gone', async () => {
        await plane.runPods();
        return (await plane.list(replicaSet, ns)).length === 0 && (await plane.list(pod, ns)).length === 0;
      });
    });

    test('in the foreground keeps the owner until the dependents are gone', async () => {
      const ns = await inNamespace('foreground');
      await deploy(ns, 'web', { replicas: 1 });
      await plane.until('a pod', async () => (await podsOf(ns)).length === 1);
      await plane.client.patch<Pod>(
        pod,
        { namespace: ns, name: (await podsOf(ns))[0]?.metadata.name ?? '' },
        { metadata: { finalizers: ['example.com/hold'] } },
        { type: 'merge' },
        never,
      );
      await plane.client.delete(deployment, { namespace: ns, name: 'web' }, { propagation: 'Foreground' }, never);
      const held = await plane.until('the pod is going', async () =>
        (await plane.list<Pod>(pod, ns)).find(({ metadata }) => metadata.deletionTimestamp !== undefined),
      );
      expect((await getDeployment(ns, 'web')).metadata.finalizers).toContain('foregroundDeletion');
      await plane.client.patch<Pod>(
        pod,
        { namespace: ns, name: held.metadata.name ?? '' },
        { metadata: { finalizers: null } },
        { type: 'merge' },
        never,
      );
      await plane.until('all gone', async () => {
        await plane.runPods();
        return (await plane.list(deployment, ns)).length === 0 && (await plane.list(pod, ns)).length === 0;
      });
    });

    test('with orphans leaves the dependents without owner', async () => {
      const ns = await inNamespace('orphans');
      await deploy(ns, 'web', { replicas: 1 });
      const [set] = await plane.until('a set', async () => {
        const found = await plane.list<ReplicaSet>(replicaSet, ns);
        return found.length === 1 && (await podsOf(ns)).length === 1 && found;
      });
      await plane.client.delete(deployment, { namespace: ns, name: 'web' }, { propagation: 'Orphan' }, never);
      await plane.until('the owner is gone', async () => (await plane.list(deployment, ns)).length === 0);
      const left = await plane.client.get<ReplicaSet>(replicaSet, { namespace: ns, name: set?.metadata.name ?? '' }, never);
      expect(left.metadata.ownerReferences ?? []).toEqual([]);
      expect((await podsOf(ns)).length).toBe(1);
    });

    test('of a namespace empties it, and then it is gone', async () => {
      const ns = await inNamespace('doomed');
      await deploy(ns, 'web', { replicas: 2 });
      await plane.until('pods', async () => (await podsOf(ns)).length === 2);
      await plane.client.delete(namespace, { name: ns }, {}, never);
      await plane.until('gone', async () => {
        await plane.runPods();
        try {
          await plane.client.get<Namespace>(namespace, { name: ns }, never);
          return false;
        } catch (error) {
          return hasReason(error, 'NotFound');
        }
      });
      expect((await plane.list(replicaSet, ns)).length).toBe(0);
    });
  });
});
