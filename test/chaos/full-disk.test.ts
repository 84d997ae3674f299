// Disks that are full, and have room again: of a worker, which says so and takes no more pods; and of the only control plane, whose etcd cannot go on.
// Nothing that was acknowledged is lost, and nobody has to lend a hand.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDemoImages } from '#cli/demo/images.ts';
import { until } from '#test/e2e/cluster.ts';
import { busybox, podManifest } from '#test/e2e/manifests.ts';
import { Fleet } from '#test/testbed/fleet.ts';

const hello = join(import.meta.dirname, '../../cli/demo/hello.mjs');
const kubeletConfig = '/var/lib/kubelet/config.yaml';
const limitMs = 180_000;
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 1, workers: 1, host: { diskMegabytes: 1_024 } });
  await buildDemoImages(fleet.host('host2').dockerSocket, hello, () => undefined);
  // By default a condition stays for five minutes after its cause is gone.
  await fleet
    .host('host2')
    .sh(`sed -i '/^evictionPressureTransitionPeriod:/d' ${kubeletConfig}; echo 'evictionPressureTransitionPeriod: 5s' >>${kubeletConfig}`);
  await fleet.restartAgent('host2');
  await until(
    'both nodes are Ready',
    async () => ((await kubectl('get nodes --no-headers')).match(/ Ready /g) ?? []).length === 2,
    limitMs,
  );
});
afterAll(() => fleet.stop());

async function kubectl(words: string, input = ''): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words.split(' '), { timeoutMs: 60_000, input });
  if (code !== 0) throw new Error(`kubectl ${words}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

const condition = (): Promise<string> => kubectl('get node host2 -o jsonpath={.status.conditions[?(@.type=="DiskPressure")].status}');

test('a worker without room says so, takes no pods until it has some, and is well again by itself', async () => {
  expect(await condition()).toBe('False');
  const host = fleet.host('host2');
  const onWorker = { nodeSelector: { 'kubernetes.io/hostname': 'host2' } };
  const volumes = [{ name: 'v', configMap: { name: 'settings' } }];
  const containers = [busybox('main', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })];
  await kubectl('create configmap settings --from-literal=a=one');
  // The node needs it itself, so it is not ended to make room.
  await kubectl(
    'apply -f -',
    JSON.stringify(podManifest('vital', { ...onWorker, volumes, containers, priorityClassName: 'system-node-critical' })),
  );
  await kubectl('wait pod/vital --for=condition=Ready --timeout=120s');
  const container = (): Promise<string> => kubectl('get pod vital -o jsonpath={.status.containerStatuses[*].containerID}');
  const before = await container();
  const free = await host.fillDisk();
  await until('the node tells of the pressure', async () => (await condition()) === 'True', limitMs);
  await until(
    'it is tainted',
    async () => (await kubectl('get node host2 -o jsonpath={.spec.taints[*].key}')).includes('node.kubernetes.io/disk-pressure'),
    limitMs,
  );
  expect(await kubectl('describe node host2')).toContain('KubeletHasDiskPressure');
  await kubectl('apply -f -', JSON.stringify(podManifest('waits', onWorker)));
  await until(
    'a new pod is told why it waits',
    async () =>
      (await kubectl('describe pod waits')).includes('untolerated taint(s)') ||
      (await kubectl('describe pod waits')).includes('untolerated taint {node.kubernetes.io/disk-pressure'),
    limitMs,
  );
  await kubectl('patch configmap settings -p {"data":{"a":"two"}}');
  const failed = 'get events --field-selector involvedObject.name=vital,reason=FailedMount -o name';
  await until('files cannot be brought up to date', async () => (await kubectl(failed)).startsWith('event/'), limitMs);
  // Nor does one that starts now need room.
  const kubelet = (): Promise<string> => host.sh('pgrep -f [k]ubelet.js');
  const killed = await kubelet();
  await host.sh(`kill -9 ${killed}`);
  await until('another kubelet', async () => ![killed, ''].includes(await kubelet()), limitMs);
  const leased = (): Promise<string> => kubectl('get lease host2 -n kube-node-lease -o jsonpath={.spec.renewTime}');
  const last = await leased();
  await until('it serves', async () => (await leased()) !== last, limitMs);
  expect(await kubectl('exec vital -- cat /v/a')).toBe('one');
  await free();
  await until('the pressure is gone', async () => (await condition()) === 'False', limitMs);
  await kubectl('wait pod/waits --for=condition=Ready --timeout=120s');
  await until('files are up to date', async () => (await kubectl('exec vital -- cat /v/a')) === 'two', limitMs);
  expect(await container()).toBe(before);
});

test('the only control plane without room refuses writes, and goes on with all that it acknowledged once it has some', async () => {
  const kept: string[] = [];
  const write = async (name: string): Promise<string> => {
    const { code, stderr } = await fleet.kubectl(['create', 'configmap', name, '--from-literal=a=b'], { timeoutMs: 30_000 });
    if (code === 0) kept.push(name);
    return code === 0 ? '' : stderr;
  };
  for (const name of ['one', 'two', 'three']) expect(await write(name)).toBe('');
  const free = await fleet.host('host1').fillDisk();
  let count = 0;
  let refusal = '';
  await until(
    'writes are refused',
    async () => {
      refusal = await write(`more-${count++}`);
      return refusal !== '';
    },
    limitMs,
  );
  expect(refusal).toMatch(/^(Error|error|Unable|The connection)/);
  await free();
  await until('writes are served', async () => (await write(`again-${count++}`)) === '', limitMs);
  await until(
    'the API server is ready',
    async () => (await fleet.host('host1').exec(['curl', '-sk', 'https://127.0.0.1:6443/readyz'])).stdout === 'ok',
    limitMs,
  );
  const there = new Set((await kubectl('get configmaps -o jsonpath={.items[*].metadata.name}')).split(' '));
  expect(kept.filter((name) => !there.has(name))).toEqual([]);
  await until(
    'both nodes are Ready',
    async () => ((await kubectl('get nodes --no-headers')).match(/ Ready /g) ?? []).length === 2,
    limitMs,
  );
});
