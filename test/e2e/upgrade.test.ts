// `kubeadm upgrade` on hosts of their own: what the cluster is configured to be reaches every host, and what does not work is taken back.
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { version } from '#base/version.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { until } from './cluster.ts';

const target = version.replace(/\+.*$/, '');
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 2, workers: 1 });
  const ready = async (): Promise<number> => ((await kubectl(['get', 'nodes', '--no-headers'])).match(/ Ready /g) ?? []).length;
  await until('three nodes are Ready', async () => (await ready()) === 3, 60_000);
});
afterAll(() => fleet.stop());

async function kubectl(words: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words, { timeoutMs: 60_000, input });
  if (code !== 0) throw new Error(`kubectl ${words.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Changes what all control planes are made from. */
async function configure(extraArgs: readonly { name: string; value: string }[]): Promise<void> {
  const text = await kubectl(['get', 'configmap', 'kubeadm-config', '-n', 'kube-system', '-o', 'jsonpath={.data.ClusterConfiguration}']);
  const changed = stringify({ ...(parse(text) as object), apiServer: { extraArgs } });
  await kubectl([
    'patch',
    'configmap',
    'kubeadm-config',
    '-n',
    'kube-system',
    '--type=merge',
    '-p',
    JSON.stringify({ data: { ClusterConfiguration: changed } }),
  ]);
}

const on = (name: string, script: string): Promise<string> => fleet.host(name).sh(script);
const serial = async (name: string): Promise<string> =>
  new X509Certificate(await on(name, 'cat /etc/kubernetes/pki/apiserver.crt')).serialNumber;
/** How many processes have the flag; the brackets keep grep from finding its own. */
const runs = (name: string): Promise<string> => on(name, "grep -lsz -e 'max-requests-inflight=45[1]' /proc/[0-9]*/cmdline | wc -l");

test('a plan says that all is new, and versions that this kubeadm does not bring are refused', async () => {
  expect(await fleet.kubeadm('host1', 'upgrade plan')).toContain("Awesome, you're up-to-date! Enjoy!");
  const text = await fleet.kubeadm('host1', 'upgrade plan v1.36.99 -o json 2>/dev/null');
  expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({
    kind: 'UpgradePlan',
    availableUpgrades: [
      {
        description: 'version in the v1.36 series',
        components: expect.arrayContaining([expect.objectContaining({ name: 'kubelet', nodeName: 'host3' })]),
      },
    ],
  });
  await expect(fleet.kubeadm('host1', 'upgrade apply v1.37.0 --yes')).rejects.toThrow(/is higher than the kubeadm version/);
});

test('what was changed reaches the first control plane, with new certificates, and etcd of another version', async () => {
  await configure([{ name: 'max-requests-inflight', value: '451' }]);
  expect(await fleet.kubeadm('host1', 'upgrade diff')).toContain('\n+    - --max-requests-inflight=451\n');
  expect(await fleet.kubeadm('host1', `upgrade apply ${target} --dry-run`)).toContain('+    - --max-requests-inflight=451');
  expect(await runs('host1')).toBe('0\n');

  // As one that an older etcd was installed for.
  await on('host1', "sed -Ei 's#(/etcd:3)\\.[0-9.]+#\\1.4.1#' /etc/kubernetes/manifests/etcd.yaml");
  await until('etcd runs again', async () => (await fleet.kubectl(['get', 'nodes'], { timeoutMs: 5_000 })).code === 0, 60_000);
  const before = await serial('host1');
  const text = await fleet.kubeadm('host1', `upgrade apply ${target} --yes`);
  expect(text.match(/Component "[a-z-]+" upgraded successfully!/g)).toEqual(
    ['etcd', 'kube-apiserver'].map((name) => `Component "${name}" upgraded successfully!`),
  );
  expect(text).toContain('[upgrade/staticpods] Renewing apiserver certificate');
  expect(text).toContain(`[upgrade] SUCCESS! A control plane node of your cluster was upgraded to "${target}".`);
  expect(await serial('host1')).not.toBe(before);
  expect(await runs('host1')).toBe('1\n');
  expect(await on('host1', 'grep image: /etc/kubernetes/manifests/etcd.yaml')).not.toContain('3.4.1\n');
  expect(await kubectl(['get', 'nodes', '--no-headers'])).toMatch(/host1 +Ready/);
});

test('and the other hosts, one after the other', async () => {
  expect(await fleet.kubeadm('host2', 'upgrade node --certificate-renewal=false')).toContain(
    'Component "kube-apiserver" upgraded successfully!',
  );
  expect(await runs('host2')).toBe('1\n');
  const config = '/var/lib/kubelet/config.yaml';
  await on('host3', `sed -i 's/^rotateCertificates: true/rotateCertificates: false/' ${config}`);
  const text = await fleet.kubeadm('host3', 'upgrade node');
  expect(text).toContain('[upgrade/control-plane] Skipping phase. Not a control plane node.');
  expect(await on('host3', `grep rotateCertificates ${config}`)).toBe('rotateCertificates: true\n');
});

test('a change with which an API server does not start is taken back', async () => {
  await configure([{ name: 'no-such-flag', value: '1' }]);
  const manifests = await on('host1', 'cat /etc/kubernetes/manifests/*.yaml');
  const document = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'UpgradeConfiguration',
    apply: { kubernetesVersion: target },
    timeouts: { upgradeManifests: '3s' },
  };
  writeFileSync(fleet.host('host1').pathOf('/root/upgrade.yaml'), JSON.stringify(document));
  await expect(fleet.kubeadm('host1', 'upgrade apply --config /root/upgrade.yaml --yes')).rejects.toThrow(
    /kubeadm has tried to recover everything into the earlier state/,
  );
  expect(await on('host1', 'cat /etc/kubernetes/manifests/*.yaml')).toBe(manifests);
  const isReady = async (): Promise<boolean> =>
    (await fleet.host('host1').exec(['curl', '-sk', 'https://127.0.0.1:6443/readyz'])).stdout === 'ok';
  await until('host1 serves again', isReady, 60_000);
});

test('each phase can be run alone', async () => {
  await configure([]);
  expect(await fleet.kubeadm('host1', `upgrade apply phase control-plane ${target}`)).toContain(
    'Component "kube-apiserver" upgraded successfully!',
  );
  expect(await fleet.kubeadm('host2', 'upgrade node phase kubelet-config')).toContain('successfully upgraded!');
});
