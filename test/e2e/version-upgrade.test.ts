// A cluster goes from one release to the next, host by host as docs/guides/upgrade.md says, while clients write, read and watch: with API servers of
// two versions side by side nothing is lost, and pods go on.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '#base/version.ts';
import { buildDemoImages } from '#cli/demo/images.ts';
import { checkHistory } from '#test/chaos/history/check.ts';
import type { History } from '#test/chaos/history/operation.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { Background } from './background.ts';
import { until } from './cluster.ts';
import { podManifest } from './manifests.ts';

const root = join(import.meta.dirname, '../..');
const hello = join(root, 'cli/demo/hello.mjs');
const client = join(root, 'test/chaos/history/client.ts');
const historyPath = '/root/history.json';
/** The release after this one: the same programs, which say so. */
const nextVersion = version.replace(/(\d+)\+/, (_, patch: string) => `${Number(patch) + 1}+`);
const [from, to] = [version, nextVersion].map((text) => text.replace(/\+.*$/, '')) as [string, string];
const releases = mkdtempSync(join(tmpdir(), 'coxswain-release-'));
const names = ['host1', 'host2', 'host3'];
let fleet: Fleet;
let load: Background;

beforeAll(async () => {
  cpSync(join(root, 'dist'), releases, { recursive: true });
  for (const file of readdirSync(releases)) {
    const path = join(releases, file);
    if (file.endsWith('.js')) writeFileSync(path, readFileSync(path, 'utf8').replaceAll(version, nextVersion));
  }
  fleet = await Fleet.start({ controlPlanes: 2, workers: 1, programs: 'own' });
  await until(
    'three nodes are Ready',
    async () => ((await kubectl('get nodes --no-headers')).match(/ Ready /g) ?? []).length === 3,
    60_000,
  );
  await buildDemoImages(fleet.host('host3').dockerSocket, hello, () => undefined);
  await kubectl('apply -f -', JSON.stringify(podManifest('goes-on')));
  await kubectl('wait pod/goes-on --for=condition=Ready --timeout=60s');
  load = new Background(fleet.host('host9'), [process.execPath, client, '/root/admin.conf', historyPath]);
  await load.shows(/operations 1000\n/, 120_000);
});
afterAll(async () => {
  await load[Symbol.asyncDispose]();
  await fleet.stop();
  rmSync(releases, { recursive: true });
});

async function kubectl(words: string, input = ''): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words.split(' '), { timeoutMs: 60_000, input });
  if (code !== 0) throw new Error(`kubectl ${words}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function kubelets(): Promise<string[]> {
  return (await kubectl('get nodes -o jsonpath={.items[*].status.nodeInfo.kubeletVersion}')).split(' ');
}

/** What the API server of a host says that it is. */
async function served(name: string): Promise<string> {
  const text = await fleet.host(name).sh('curl -sk -m 5 https://127.0.0.1:6443/version');
  return (JSON.parse(text) as { gitVersion: string }).gitVersion;
}

async function isReady(name: string): Promise<boolean> {
  return (await fleet.host(name).exec(['curl', '-sk', 'https://127.0.0.1:6443/readyz'])).stdout === 'ok';
}

/** All components of a host run the version that its agent brought. */
async function runsNow(name: string, wanted: string): Promise<void> {
  const at = names.indexOf(name);
  await until(`the kubelet of ${name} is ${wanted}`, async () => (await kubelets())[at] === wanted, 60_000);
  await until(`${name} is Ready`, async () => / Ready /.test(await kubectl(`get node ${name} --no-headers`)), 60_000);
  if (fleet.roles.get(name) !== 'control-plane') return;
  await until(`the API server of ${name} is ready`, () => isReady(name), 60_000);
  expect(await served(name)).toBe(wanted);
}

const container = (): Promise<string> =>
  kubectl('get pod goes-on -o jsonpath={.status.containerStatuses[0].containerID},{.status.containerStatuses[0].restartCount}');

test('a release that is installed changes nothing that runs, and its plan names what it would bring', async () => {
  await expect(fleet.kubeadm('host1', `upgrade apply ${to} --yes`)).rejects.toThrow(/is higher than the kubeadm version/);
  fleet.install('host1', releases);
  const plan = await fleet.kubeadm('host1', 'upgrade plan');
  expect(plan).toContain(`[upgrade/versions] Cluster version: ${from}\n[upgrade/versions] kubeadm version: ${to}\n`);
  for (const name of names) expect(plan).toMatch(new RegExp(`^kubelet +${name} +${from.replaceAll('.', '\\.')}\\S* +${to}$`, 'm'));
  for (const name of names.slice(0, 2)) expect(plan).toMatch(new RegExp(`^kube-apiserver +${name} +\\S+ +${to}$`, 'm'));
  expect(plan).toContain(`\tkubeadm upgrade apply ${to}\n`);
  expect(await kubelets()).toEqual([version, version, version]);
  expect(await served('host1')).toBe(version);
});

test('the first control plane goes ahead, and serves beside the other one', async () => {
  const text = await fleet.kubeadm('host1', `upgrade apply ${to} --yes`);
  expect(text).toContain(`[upgrade] SUCCESS! A control plane node of your cluster was upgraded to "${to}".`);
  await fleet.restartAgent('host1');
  await runsNow('host1', nextVersion);
  expect(await kubelets()).toEqual([nextVersion, version, version]);
  expect(await served('host2')).toBe(version);
  expect(await kubectl('get configmap kubeadm-config -n kube-system -o jsonpath={.data.ClusterConfiguration}')).toContain(
    `kubernetesVersion: ${to}\n`,
  );
});

test('the other control plane and the worker follow, whose pods go on', async () => {
  const before = await container();
  for (const name of ['host2', 'host3']) {
    fleet.install(name, releases);
    await fleet.kubeadm(name, 'upgrade node');
    await fleet.restartAgent(name);
    await runsNow(name, nextVersion);
  }
  expect(await container()).toBe(before);
  expect(await fleet.kubeadm('host2', 'upgrade plan')).toContain("Awesome, you're up-to-date! Enjoy!");
});

test('a host goes back by the release before', async () => {
  fleet.install('host3');
  await fleet.restartAgent('host3');
  await runsNow('host3', version);
});

test('clients lost nothing, and saw nothing twice, late or out of order', async () => {
  load.closeInput();
  expect(await load.ended, load.output.slice(-500)).toBe(0);
  const history = JSON.parse(readFileSync(fleet.host('host9').pathOf(historyPath), 'utf8')) as History;
  expect(checkHistory(history).slice(0, 20)).toEqual([]);
  expect(history.operations.length).toBeGreaterThan(2_000);
});
