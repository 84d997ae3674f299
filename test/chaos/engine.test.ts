// The container engine is killed while pods begin, while they run and while they end. Containers die with it; the node agent goes on when
// it is back, makes nothing twice and leaves nothing behind.
import { expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { busybox, deploymentManifest } from '#test/e2e/manifests.ts';
import { useCluster } from '#test/e2e/use-cluster.ts';

const cluster = useCluster();
const replicas = 6;
const limitMs = 180_000;

async function killEngine(): Promise<void> {
  const { host } = cluster();
  await host.sh('kill -9 $(cat /run/docker.pid); while pgrep -x dockerd >/dev/null; do sleep 0.05; done');
  await host.startDocker();
}

async function pods(): Promise<V1Pod[]> {
  return (await cluster().get<{ items: V1Pod[] }>('pods -l app=many')).items;
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;

async function allReady(restarts: number): Promise<boolean> {
  const found = await pods();
  const counts = found.map(({ status }) => status?.containerStatuses?.[0]?.restartCount ?? 0);
  return found.length === replicas && found.every(isReady) && counts.every((count) => count >= restarts);
}

/** Of the engine, by their names without the last number. */
async function running(): Promise<string[]> {
  const text = await cluster().host.sh("docker -H unix:///run/docker.sock ps --format '{{.Names}}' | grep _many- || true");
  return text.split('\n').flatMap((name) => (name === '' ? [] : name.replace(/_\d+$/, '')));
}

test('whatever pods were about, all comes out as asked', async () => {
  const init = busybox('init', { command: ['sleep', '0.2'] });
  const memory = { name: 'm', emptyDir: { medium: 'Memory' } };
  const main = busybox('hello', { volumeMounts: [{ name: 'm', mountPath: '/m' }] });
  const spec = { initContainers: [init], volumes: [memory], terminationGracePeriodSeconds: 2 };
  await cluster().apply(deploymentManifest('many', replicas, main, spec));
  await cluster().until('some to begin', async () => (await running()).length > 2, limitMs);
  await killEngine();
  await cluster().until('all to run', () => allReady(0), limitMs);

  await killEngine();
  await cluster().until('all to run again', () => allReady(1), limitMs);
  const names = await running();
  expect(names).toHaveLength(2 * replicas);
  expect(new Set(names).size).toBe(names.length);

  await cluster().kubectl('delete deployment many --wait=false');
  await cluster().until(
    'some to end',
    async () => (await pods()).some(({ metadata }) => metadata?.deletionTimestamp !== undefined),
    limitMs,
  );
  await killEngine();
  await cluster().until('all to be gone', async () => (await pods()).length === 0, limitMs);
  const left = await cluster().host.sh(
    "docker -H unix:///run/docker.sock ps -aq --filter name=_many- ; mount | grep '/pods/.*empty-dir/m ' ; ls /var/log/pods | grep _many- ; true",
  );
  expect(left.trim()).toBe('');
}, 600_000);
