// Pods that a node runs by itself, beside a control plane that kubeadm made, as kubectl sees them.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDemoImages } from '#cli/demo/images.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { until } from './cluster.ts';
import { busybox, podManifest, waits } from './manifests.ts';

const hello = join(import.meta.dirname, '../../cli/demo/hello.mjs');
const folder = '/etc/kubernetes/manifests';
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 1, workers: 1 });
  await buildDemoImages(fleet.host('host2').dockerSocket, hello, () => undefined);
});
afterAll(() => fleet.stop());

async function kubectl(words: string): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words.split(' '), { timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`kubectl ${words}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}
const field = (what: string, path: string): Promise<string> => kubectl(`get ${what} -o jsonpath={${path}}`);
const containerId = (name: string): Promise<string> => field(`pod ${name}`, '.status.containerStatuses[0].containerID');
const write = (name: string, manifest: object): Promise<string> =>
  fleet.host('host2').sh(`cat > ${folder}/${name} <<'END'\n${JSON.stringify(manifest)}\nEND`);
const containers = (host: string): Promise<string> => fleet.host(host).sh(`docker ps --format '{{.Names}}'`);
const says = (text: string): object => busybox('main', { command: ['sh', '-c', `echo ${text}; ${waits}`] });
const isGone = async (name: string): Promise<boolean> => (await fleet.kubectl(['get', 'pod', name])).stderr.includes('NotFound');

test('a manifest on a worker is a pod, which kubectl shows and cannot end', async () => {
  await write('web.yaml', podManifest('web', { containers: [says('one')] }));
  await until('its mirror', async () => !(await isGone('web-host2')));
  await kubectl('wait pod/web-host2 --for=condition=Ready --timeout=60s');
  expect(await kubectl('logs web-host2')).toBe('one\n');
  expect((await kubectl('exec web-host2 -- hostname')).trim()).toBe('web-host2');
  const described = await until('its events', async () => {
    const text = await kubectl('describe pod web-host2');
    return /Normal +Started/.test(text) && text;
  });
  expect(described).toMatch(/Controlled By: +Node\/host2/);
  expect(described).toMatch(/kubernetes\.io\/config\.source: +file/);

  const before = await containerId('web-host2');
  const uid = await field('pod web-host2', '.metadata.uid');
  await kubectl('delete pod web-host2');
  await until('another mirror', async () => !(await isGone('web-host2')) && (await field('pod web-host2', '.metadata.uid')) !== uid);
  await kubectl('wait pod/web-host2 --for=condition=Ready --timeout=60s');
  expect(await containerId('web-host2')).toBe(before);

  await kubectl('drain host2 --ignore-daemonsets --timeout=60s');
  expect(await containerId('web-host2')).toBe(before);
  await kubectl('uncordon host2');
});

test('what runs as a process of the host does not run as a pod, too', async () => {
  expect(await fleet.host('host1').sh(`ls ${folder}`)).toContain('kube-apiserver.yaml');
  expect(await containers('host1')).not.toMatch(/kube-apiserver|etcd|kube-scheduler/);
  expect(await kubectl('get pods -n kube-system -o name')).not.toContain('kube-apiserver');
});

test('a changed manifest is another pod; one that is gone ends it', async () => {
  const before = await containerId('web-host2');
  await write('web.yaml', podManifest('web', { containers: [says('two')] }));
  await until('the other pod', async () => (await fleet.kubectl(['logs', 'web-host2'])).stdout === 'two\n');
  await kubectl('wait pod/web-host2 --for=condition=Ready --timeout=60s');
  expect(await containerId('web-host2')).not.toBe(before);
  await fleet.host('host2').sh(`rm ${folder}/web.yaml`);
  await until('no mirror', () => isGone('web-host2'));
  expect(await containers('host2')).not.toContain('_web-host2_');
});

test('static pods start while there is no API server, also under a kubelet that starts then', async () => {
  const [first, second] = [fleet.host('host1'), fleet.host('host2')];
  await first.sh(`mv ${folder}/kube-apiserver.yaml /root/`);
  await until('no API server', async () => (await first.exec(['curl', '-sk', 'https://127.0.0.1:6443/readyz'])).code !== 0);
  await second.sh(`kill -9 $(sed -E 's/.*"pid":([0-9]+).*/\\1/' /var/lib/coxswain/node/run/kubelet.json)`);
  await write('alone.yaml', podManifest('alone', { containers: [says('alone')], hostNetwork: true }));
  await until('its container', async () => (await containers('host2')).includes('k8s_main_alone-host2_default_'));
  await first.sh(`mv /root/kube-apiserver.yaml ${folder}/`);
  await until('its mirror', async () => (await fleet.kubectl(['get', 'pod', 'alone-host2'])).code === 0, 60_000);
  await kubectl('wait pod/alone-host2 --for=condition=Ready --timeout=60s');
  expect(await kubectl('logs alone-host2')).toBe('alone\n');
});
