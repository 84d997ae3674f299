// A cluster on an etcd of somebody else that is reached by plain HTTP: no certificate leads to it, on no host, and it may be away for a while.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '#base/version.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { until } from './cluster.ts';

const target = version.replace(/\+.*$/, '');
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 2, workers: 1, etcd: 'plain' });
});
afterAll(() => fleet.stop());

async function kubectl(words: string): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words.split(' '), { timeoutMs: 60_000 });
  if (code !== 0) throw new Error(`kubectl ${words}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

test('both control planes keep their objects there, without a certificate', async () => {
  await until(
    'three nodes are Ready',
    async () => ((await kubectl('get nodes --no-headers')).match(/ Ready /g) ?? []).length === 3,
    60_000,
  );
  for (const name of ['host1', 'host2']) {
    expect(await fleet.host(name).sh('grep -- --etcd /etc/kubernetes/manifests/kube-apiserver.yaml')).toMatch(
      /^ *- --etcd-servers=http:\/\/192\.168\.77\.18:2379\n$/,
    );
    expect(await fleet.host(name).sh('find /etc/kubernetes -name "*etcd*"; pgrep -x etcd || true')).toBe('');
  }
  await kubectl('create configmap kept --from-literal=a=b');
  expect(await fleet.etcd.ctl('get /registry/configmaps/default/kept --keys-only')).toContain('/registry/configmaps/default/kept');
});

test('certificates and upgrades do without, too', async () => {
  expect(await fleet.kubeadm('host1', 'certs check-expiration')).not.toMatch(/etcd/);
  expect(await fleet.kubeadm('host1', 'certs renew all')).not.toMatch(/etcd/);
  const text = await fleet.kubeadm('host1', `upgrade apply ${target} --yes`);
  expect(text).toContain(`[upgrade] SUCCESS! A control plane node of your cluster was upgraded to "${target}".`);
  expect(text).not.toContain('Component "etcd"');
  expect(await fleet.kubeadm('host2', 'upgrade node')).not.toContain('Component "etcd"');
});

test('what was written is there when etcd comes back from a power cut', async () => {
  await fleet.powerOff('host8');
  let count = 0;
  const write = async (): Promise<boolean> =>
    (await fleet.kubectl(['create', 'configmap', `late-${count++}`], { timeoutMs: 10_000 })).code === 0;
  await until('writes fail', async () => !(await write()), 60_000);
  await fleet.powerOn('host8');
  await until(
    'writes are served',
    async () => (await fleet.kubectl(['create', 'configmap', 'after'], { timeoutMs: 10_000 })).code === 0,
    60_000,
  );
  expect(await kubectl('get configmap kept -o jsonpath={.data.a}')).toBe('b');
});
