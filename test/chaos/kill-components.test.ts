// kill -9 of each process in the middle of a rollout: nothing that was acknowledged is lost, and the rollout ends right.
import { beforeAll, expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { useCluster } from '#test/e2e/use-cluster.ts';
import { Writer } from './writer.ts';

const cluster = useCluster();
let version = 1;

async function webPods(): Promise<V1Pod[]> {
  return (await cluster().get<{ items: V1Pod[] }>('pods -l app=web')).items;
}

beforeAll(async () => {
  await cluster().kubectl('create deployment web --image=coxswain/hello:1 --replicas=4');
  await cluster().kubectl('expose deployment web --port=80 --target-port=8080');
  await cluster().kubectl('rollout status deployment/web --timeout=60s');
});

test.each(['kube-apiserver', 'kube-scheduler', 'kube-controller-manager', 'kubelet', 'kube-proxy', 'coxswain-dns'])(
  '%s is killed during a rollout',
  async (component) => {
    const before = await cluster().pids();
    await using writer = new Writer(cluster(), component);
    await writer.started();
    version = 3 - version;
    await cluster().kubectl(`set image deployment/web hello=coxswain/hello:${version}`);
    await cluster().until('the rollout is under way', async () =>
      (await webPods()).some(({ spec }) => spec?.containers[0]?.image?.endsWith(`:${version}`)),
    );
    await cluster().host.sh(`kill -9 ${before[component]}`);
    await cluster().until('the supervisor started it again', async () => {
      const after = await cluster().pids();
      return after[component] !== undefined && after[component] !== before[component];
    });
    await cluster().until('the rollout ends', () => cluster().kubectl('rollout status deployment/web --timeout=60s'), 60_000);
    await cluster().until('four pods of the new version run', async () => {
      const pods = await webPods();
      return (
        pods.length === 4 &&
        pods.every(({ spec, status }) => spec?.containers[0]?.image === `coxswain/hello:${version}` && status?.phase === 'Running')
      );
    });
    const ip = await cluster().kubectl(['get', 'svc', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
    await cluster().until('its Service answers', async () => (await cluster().curl(`http://${ip}/`)).includes(`version ${version}`));
    await writer.check();
    const after = await cluster().pids();
    expect(Object.keys(after).toSorted()).toEqual(Object.keys(before).toSorted());
    for (const [name, pid] of Object.entries(before)) if (name !== component) expect(after[name], name).toBe(pid);
  },
);
