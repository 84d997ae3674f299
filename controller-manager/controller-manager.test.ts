import { afterEach, describe, expect, test } from 'vitest';
import { replicaSet } from '#api/apps/replica-set.ts';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type ServiceAccount, serviceAccount } from '#api/core/service-account.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { aTemplate } from './builders.ts';
import { ControlPlane, type ControlPlaneOptions } from './testing.ts';

const never = new AbortController().signal;

describe('the controller manager', () => {
  let plane: ControlPlane;
  const start = async (options: ControlPlaneOptions = {}): Promise<ControlPlane> => (plane = await ControlPlane.start(options));
  afterEach(() => plane[Symbol.asyncDispose]());

  /** What replica sets are to have, not what pods there are: one may make a pod before another has deleted its own. */
  const wantedPods = async (ns: string): Promise<number> =>
    (await plane.list(replicaSet, ns)).reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
  const isRolled = async (ns: string, replicas: number): Promise<boolean> => {
    const { metadata, status } = await plane.getDeployment(ns);
    const { updatedReplicas, replicas: all, availableReplicas } = status ?? {};
    return (
      status?.observedGeneration === metadata.generation && [updatedReplicas, all, availableReplicas].every((count) => count === replicas)
    );
  };

  test('furnishes namespaces, and mends what is changed', async () => {
    await start({ rootCa: 'the CA' });
    const ns = await plane.inNamespace('furnished');
    const data = async (): Promise<object | undefined> => (await plane.find<ConfigMap>(configMap, 'kube-root-ca.crt', ns))?.data;
    await plane.until('the CA', async () => (await data()) !== undefined);
    expect(await data()).toEqual({ 'ca.crt': 'the CA' });
    const key = { namespace: ns, name: 'kube-root-ca.crt' };
    await plane.client.patch<ConfigMap>(configMap, key, { data: { 'ca.crt': 'forged', more: 'x' } }, { type: 'merge' }, never);
    await plane.until('the CA again', async () => JSON.stringify(await data()) === '{"ca.crt":"the CA"}');
    await plane.client.delete(serviceAccount, { namespace: ns, name: 'default' }, {}, never);
    await plane.until('a new account', async () => (await plane.list<ServiceAccount>(serviceAccount, ns)).length === 1);
  });

  test('killed again and again in the middle of a rollout, ends it right', async () => {
    await start();
    const ns = await plane.inNamespace('restarted');
    await plane.client.create<Service>(
      service,
      { metadata: { name: 'web', namespace: ns }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
      {},
      never,
    );
    await plane.deploy(ns, { replicas: 4 });
    await plane.until('rolled out', async () => {
      await plane.runPods(ns);
      return await isRolled(ns, 4);
    });
    await plane.patchDeployment(ns, { template: aTemplate('web:2') });
    const most: number[] = [];
    for (let kills = 0; kills < 4; kills++) {
      await plane.restart();
      // On a busy machine few looks see many steps, and the rollout may end before the last kill.
      await plane.until('a step', async () => {
        most.push(await wantedPods(ns));
        return (await plane.runPods(ns)) > 0 || (await isRolled(ns, 4));
      });
    }
    await plane.until('rolled out', async () => {
      most.push(await wantedPods(ns));
      await plane.runPods(ns);
      return await isRolled(ns, 4);
    });
    expect(Math.max(...most)).toBeLessThanOrEqual(5);
    expect((await plane.list(replicaSet, ns)).length).toBe(2);
    await plane.until('four endpoints in one slice', async () => {
      const [slice, ...others] = await plane.list<EndpointSlice>(endpointSlice, ns);
      return others.length === 0 && slice?.endpoints?.length === 4;
    });
  });

  test('with caches that lag behind makes nothing twice', async () => {
    await start({ lagMs: 15 });
    const ns = await plane.inNamespace('late');
    await plane.client.create<Service>(
      service,
      { metadata: { name: 'web', namespace: ns }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
      {},
      never,
    );
    await plane.deploy(ns, { replicas: 4 });
    const [most, wanted]: [number[], number[]] = [[], []];
    const rolled = () =>
      plane.until('rolled out', async () => {
        most.push((await plane.podsOf(ns)).length);
        wanted.push(await wantedPods(ns));
        await plane.runPods(ns);
        return await isRolled(ns, 4);
      });
    await rolled();
    expect(Math.max(...most)).toBe(4);
    await plane.patchDeployment(ns, { template: aTemplate('web:2') });
    await rolled();
    expect(Math.max(...wanted)).toBeLessThanOrEqual(5);
    expect((await plane.list(replicaSet, ns)).length).toBe(2);
    expect((await plane.list(endpointSlice, ns)).length).toBe(1);
  });

  test('runs what it is told to run', async () => {
    await start({ selection: ['*', '-replicaset-controller'] });
    const ns = await plane.inNamespace('partial');
    await plane.deploy(ns, { replicas: 1 });
    await plane.until('a set', async () => (await plane.list(replicaSet, ns)).length === 1);
    expect((await plane.list(pod, ns)).length).toBe(0);
  });
});
