// A cluster on an etcd of somebody else, and every way to join it: by certificates that were uploaded, by a file, by a page, by a token
// without a pin, and phase by phase.
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCa, signCertificate } from '#base/pki.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { until } from './cluster.ts';

let fleet: Fleet;
const balancer = '192.168.77.19:16443';

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 2, workers: 3, etcd: 'external', joins: false });
});
afterAll(() => fleet.stop());

async function kubectl(words: string): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words.split(' '), { timeoutMs: 60_000 });
  if (code !== 0) throw new Error(`kubectl ${words}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function becomesReady(name: string): Promise<void> {
  await until(`${name} is Ready`, async () => / Ready /.test(await kubectl(`get node ${name} --no-headers`)), 60_000);
}

function writeOn(name: string, path: string, text: string): void {
  writeFileSync(fleet.host(name).pathOf(path), text);
}

function joinConfiguration(discovery: object): string {
  return JSON.stringify({ apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'JoinConfiguration', discovery });
}

const newToken = async (): Promise<string> => (await fleet.kubeadm('host1', 'token create')).trim();
const clusterInfo = (): Promise<string> => kubectl('get configmap cluster-info -n kube-public -o jsonpath={.data.kubeconfig}');

test('the cluster keeps its objects in that etcd, and has no member of its own', async () => {
  expect(await fleet.etcd.ctl('get /registry/namespaces/default --keys-only')).toContain('/registry/namespaces/default');
  expect(await fleet.host('host1').sh('ls /etc/kubernetes/manifests; ls /etc/kubernetes/pki; pgrep -x etcd || true')).not.toMatch(/etcd/);
  expect(await fleet.kubeadm('host1', 'certs check-expiration')).not.toMatch(/etcd/);
});

test('what preflight finds of an etcd that cannot be had is said', async () => {
  const document = { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'ClusterConfiguration', etcd: fleet.etcd.document };
  writeOn('host2', '/root/init.yaml', JSON.stringify(document));
  const refused = await fleet.kubeadm('host2', 'init phase preflight --config /root/init.yaml').catch(String);
  expect(refused).toMatch(
    /ERROR ExternalEtcdVersion\]: failed to get the version of etcd from https:\/\/192\.168\.77\.18:2379: .*\/etc\/etcd-client\/ca\.crt/,
  );
  expect(refused).toContain("[ERROR ExternalEtcdClientCertificates]: /etc/etcd-client/client.key doesn't exist");
});

test('a control plane that only tries to join leaves no key of the cluster', async () => {
  const text = await fleet.kubeadm('host2', `${fleet.joinWords('control-plane')} --dry-run`);
  const [, folder = ''] = /Files are written below (\S+),/.exec(text) ?? [];
  expect(await fleet.host('host2').sh(`find ${folder} -type f | wc -l`)).not.toBe('0\n');
  const key = (await fleet.host('host1').sh('sed -n 2p /etc/kubernetes/pki/ca.key')).trim();
  expect(key.length).toBeGreaterThan(20);
  expect(await fleet.host('host2').sh(`grep -rlF '${key}' /tmp /etc /root || true`)).toBe('');
  expect(await fleet.host('host2').sh('ls /etc/kubernetes /etc/etcd-client 2>/dev/null || true')).toBe('');
});

test('a further control plane fetches what leads to etcd, and serves', async () => {
  const text = await fleet.kubeadm('host2', fleet.joinWords('control-plane'));
  expect(text).toContain('[certs] External etcd mode: Skipping etcd/ca certificate authority generation');
  expect(text).not.toContain('A new etcd member was added');
  expect(await fleet.host('host2').sh('stat -c %a:%n /etc/etcd-client/*')).toBe(
    '644:/etc/etcd-client/ca.crt\n644:/etc/etcd-client/client.crt\n600:/etc/etcd-client/client.key\n',
  );
  await becomesReady('host2');
  const addresses = await kubectl('get endpoints kubernetes -o jsonpath={.subsets[0].addresses[*].ip}');
  expect(addresses.split(' ').sort()).toEqual(['192.168.77.11', '192.168.77.12']);
  expect((await fleet.etcd.ctl('member list')).trim().split('\n')).toHaveLength(1);
});

test('a worker joins by a file that says where the cluster is, and a token', async () => {
  writeOn('host3', '/root/cluster-info.conf', await clusterInfo());
  const discovery = { file: { kubeConfigPath: '/root/cluster-info.conf' }, tlsBootstrapToken: await newToken() };
  writeOn('host3', '/root/join.yaml', joinConfiguration(discovery));
  await fleet.kubeadm('host3', 'join --config /root/join.yaml');
  await becomesReady('host3');
});

test('a worker joins by a page, as whom it names', async () => {
  const ca = await createCa('authority of pages', Date.now());
  const pair = await signCertificate(ca, { commonName: 'pages', ips: ['192.168.77.19'], usages: ['server'] }, Date.now());
  const page = await fleet.host('host9').sh('cat /root/admin.conf');
  const script = `require('node:https').createServer(${JSON.stringify(pair)}, (_, answer) => answer.end(${JSON.stringify(page)})).listen(8443)`;
  writeOn('host9', '/root/page.cjs', script);
  await fleet.host('host9').sh(`setsid ${process.execPath} /root/page.cjs >/dev/null 2>&1 </dev/null &`);
  writeOn('host4', '/root/authorities.pem', ca.cert);
  const words = 'join --discovery-file https://192.168.77.19:8443/admin.conf';
  await expect(fleet.kubeadm('host4', words)).rejects.toThrow("couldn't load https://192.168.77.19:8443/admin.conf");
  await fleet.kubeadm('host4', words, { SSL_CERT_FILE: '/root/authorities.pem' });
  await becomesReady('host4');
});

test('a worker joins by a token alone where the user asks for that, phase by phase', async () => {
  const bootstrapToken = { apiServerEndpoint: balancer, token: await newToken() };
  writeOn('host5', '/root/join.yaml', joinConfiguration({ bootstrapToken }));
  await expect(fleet.kubeadm('host5', 'join --config /root/join.yaml')).rejects.toThrow('without caCertHashes can be unsafe');
  writeOn('host5', '/root/join.yaml', joinConfiguration({ bootstrapToken: { ...bootstrapToken, unsafeSkipCAVerification: true } }));
  await fleet.kubeadm('host5', 'join phase preflight --config /root/join.yaml');
  expect(await fleet.host('host5').sh('ls /etc/kubernetes/kubelet.conf 2>/dev/null || true')).toBe('');
  await fleet.kubeadm('host5', 'join phase kubelet-start --config /root/join.yaml');
  await fleet.kubeadm('host5', 'join phase kubelet-wait-bootstrap --config /root/join.yaml');
  await becomesReady('host5');
  const { subject, issuer } = new X509Certificate(await fleet.host('host5').sh('cat /var/lib/kubelet/pki/kubelet-client-current.pem'));
  expect([subject, issuer]).toEqual(['O=system:nodes\nCN=system:node:host5', 'CN=kubernetes']);
});

test('a control plane leaves, and the etcd of somebody else is left to them', async () => {
  expect(await fleet.kubeadm('host2', 'reset --dry-run')).toContain('[reset] Would delete files: [/etc/kubernetes/admin.conf');
  expect(await fleet.host('host2').sh('ls /etc/kubernetes/admin.conf')).toContain('admin.conf');
  const text = await fleet.kubeadm('host2', 'reset --force');
  expect(text).toContain(
    '[reset] No etcd config found. Assuming external etcd\n[reset] Please, manually reset etcd to prevent further issues',
  );
  await kubectl('delete node host2');
  await until(
    'host1 serves alone',
    async () => (await kubectl('get endpoints kubernetes -o jsonpath={.subsets[0].addresses[*].ip}')) === '192.168.77.11',
    60_000,
  );
});
