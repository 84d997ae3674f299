// The guides for clusters of several machines, pasted: block by block, in their order, on machines with systemd and nothing of Coxswain before.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDemoImages } from '#cli/demo/images.ts';
import { until } from '#test/e2e/cluster.ts';
import { Guide } from './guide.ts';
import { Machines } from './machines.ts';

const controlPlanes = ['host1', 'host2', 'host3'];
const workers = ['host4', 'host5'];
const machines = new Machines();
const threeControlPlanes = new Guide('three-control-planes');
const certificates = new Guide('certificates');

beforeAll(async () => {
  const names = { lb: '192.168.77.19' };
  await Promise.all([1, 2, 3, 4, 5, 9].map((index) => machines.add(index, names)));
});
afterAll(() => machines[Symbol.asyncDispose]());

const on = (name: string, text: string, answer = ''): Promise<string> => machines.on(name, text, { answer });

async function readyNodes(name: string): Promise<number> {
  return ((await machines.try(name, 'kubectl get nodes --no-headers')).output.match(/ Ready /g) ?? []).length;
}

async function install(name: string, archive: string): Promise<void> {
  machines.copyPackage(name, archive);
  const [all = '', onControlPlanes = ''] = threeControlPlanes.block('apt-get install -y docker.io').split('\n');
  await on(name, all);
  if (controlPlanes.includes(name)) await on(name, onControlPlanes);
  // Debian's package does that when it is installed.
  await on(name, 'systemctl enable --now docker');
  await on(name, threeControlPlanes.block('tar -xzf'));
}

test('three control planes on VMs: five nodes are Ready', async () => {
  const guide = threeControlPlanes;
  const [archive = ''] = machines.inCheckout(guide.block('./coxswain package')).split('\n');
  guide.leaveOut('dnf install -y docker-ce', 'these are Debian hosts');
  guide.leaveOut('external:', 'test/e2e/ways-to-join.test.ts has an etcd of somebody else');
  await Promise.all([...controlPlanes, ...workers].map((name) => install(name, archive)));
  await on('host9', guide.block('apt-get install -y haproxy'));

  const text = await on('host1', guide.block('kubeadm init --control-plane-endpoint'));
  const joins = [...text.matchAll(/kubeadm join(?:[^\n\\]|\\\n)*/g)].map(([command]) => command);
  const [asControlPlane = '', asWorker = ''] = joins;
  expect(asControlPlane).toContain('--certificate-key');
  for (const name of ['host2', 'host3']) await on(name, asControlPlane);
  for (const name of workers) await on(name, asWorker);
  await on('host1', guide.block('export KUBECONFIG='));
  await until('five Ready nodes', async () => (await readyNodes('host1')) === 5, 120_000);
});

test('load balancers: a Service answers at an address of the network', async () => {
  const guide = new Guide('load-balancers');
  const engine = machines.host('host4').dockerSocket;
  await buildDemoImages(engine, join(import.meta.dirname, '../../../cli/demo/hello.mjs'), () => undefined);
  await on('host4', guide.block('--announce-load-balancers='));
  await on('host1', guide.block('cloud-controller-manager-rbac'));
  for (const words of ['# /etc/kubernetes/cloud.yaml', '# /etc/kubernetes/manifests/cloud-controller-manager.yaml']) {
    machines.write('host1', words.slice(2), guide.block(words));
  }
  guide.leaveOut('machines:', 'test/e2e/load-balancers.test.ts has a list of machines');
  await on('host1', 'kubectl create deployment web --image=coxswain/hello:1');
  await on('host1', `kubectl patch deployment web -p '{"spec":{"template":{"spec":{"nodeName":"host4"}}}}'`);
  await on('host1', 'kubectl rollout status deployment/web --timeout=120s');
  const [expose = '', ...look] = guide.block('kubectl expose deployment web').split('\n');
  await on('host1', expose);
  const answer = await until('an answer', async () => {
    const { output, failed } = await machines.try('host1', look.join('\n'));
    return failed.length === 0 && output;
  });
  expect(answer).toMatch(/LoadBalancer +\S+ +192\.168\.77\.200 /);
  expect(answer).toContain('Message: Hello from Coxswain');
  expect(guide.untouched).toEqual([]);
});

test('backup and restore: what was made after the snapshot is gone, the rest is there', async () => {
  const guide = new Guide('backup-and-restore');
  await on('host1', guide.block('coxswain snapshot save'));
  await on('host1', guide.block('tar czf'));
  expect(await on('host1', guide.block('etcdctl snapshot save'))).toMatch(/HASH .* REVISION/);
  await on('host1', 'kubectl create configmap after-the-snapshot');

  for (const name of controlPlanes) await on(name, guide.block('mkdir -p /etc/kubernetes/stopped'));
  expect(await on('host1', guide.block('coxswain snapshot restore'))).toContain('objects of revision');
  for (const name of controlPlanes) await on(name, guide.block('mv /etc/kubernetes/stopped/kube-apiserver.yaml'));
  await until('five Ready nodes', async () => (await readyNodes('host1')) === 5, 120_000);
  expect((await machines.try('host1', 'kubectl get configmap after-the-snapshot')).output).toContain('NotFound');
  expect(await on('host1', 'kubectl get deployment web -o name')).toBe('deployment.apps/web\n');

  guide.leaveOut('etcdctl member remove', 'this cluster is needed whole');
  guide.leaveOut('tar xzf', 'as before');
  expect(await on('host1', guide.block('key=$(kubeadm init phase upload-certs'))).toMatch(
    /^kubeadm join lb:16443 .* --certificate-key [0-9a-f]{64}\n$/m,
  );
  expect(guide.untouched).toEqual([]);
});

test('upgrade: each kind of host', async () => {
  const guide = new Guide('upgrade');
  expect(await on('host1', guide.block('kubeadm upgrade plan'))).toContain("Awesome, you're up-to-date! Enjoy!");
  expect(await on('host1', guide.block('kubeadm upgrade apply v1.36.2                 # asks'), 'y\n')).toContain('[upgrade] SUCCESS!');
  const others = guide.blocks.filter(({ text }) => text.includes('kubeadm upgrade node\nsystemctl'));
  expect(others).toHaveLength(2);
  guide.leaveOut('coxswain node >>', 'these hosts have systemd');
  await on('host2', guide.block('kubeadm upgrade node\nsystemctl restart coxswain-node\nuntil'));
  await on('host4', guide.block('daemon-reload\nkubeadm upgrade node'));
  guide.leaveOut('edit configmap', 'test/e2e/upgrade.test.ts changes the configuration of a cluster');
  await until('five Ready nodes', async () => (await readyNodes('host1')) === 5, 120_000);
  expect(guide.untouched).toEqual([]);
});

test('certificates: renewed ones are served by the API server that runs already, and others’ rights are what roles say', async () => {
  const guide = certificates;
  const process = 'pgrep -f /kube-apiserver.js';
  const before = await on('host1', process);
  expect(await on('host1', guide.block('kubeadm certs check-expiration'))).toContain('Done renewing certificates.');
  await until('the new certificate', async () => {
    const [served, onDisk] = (await on('host1', guide.block('openssl s_client -connect'))).split('\n');
    return served === onDisk;
  });
  expect(await on('host1', process)).toBe(before);
  expect(await on('host1', guide.block('--client-name ann'))).toMatch(/Username +ann/);
  const figures = await on('host1', guide.block('kubectl create serviceaccount scraper').replaceAll('NODE', 'host4'));
  // Of the scheduler, and of a kubelet.
  expect(figures.match(/^process_start_time_seconds /gm)).toHaveLength(2);
});

test('a node is removed, and makes a cluster of its own with certificates of an external CA', async () => {
  const [drain = '', reset = '', remove = ''] = threeControlPlanes.block('kubectl drain NODE').replaceAll('NODE', 'host5').split('\n');
  await on('host1', drain);
  await on('host5', reset, 'y\n');
  await on('host1', remove);
  expect(threeControlPlanes.untouched).toEqual([]);

  const config = { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'ClusterConfiguration', networking: { podSubnet: '10.245.0.0/16' } };
  machines.write('host5', '/root/cluster.yaml', JSON.stringify(config));
  const authority = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 2>/dev/null';
  await on(
    'host5',
    `mkdir -p /root/ca/etcd /root/csr/etcd && cd /root/ca
     for name in ca front-proxy-ca etcd/ca; do ${authority} -subj "/CN=$(basename $name)" -keyout $name.key -out $name.crt; cp $name.crt /root/csr/$name.crt; done`,
  );
  const paste = (words: string): Promise<string> => on('host5', certificates.block(words).replaceAll('FILE', '/root/cluster.yaml'));
  await paste('kubeadm certs generate-csr');
  await paste('sign() {');
  expect(await paste('kubectl --kubeconfig $file config set-credentials')).toContain('initialized successfully!');
  await on('host5', 'export KUBECONFIG=/etc/kubernetes/admin.conf');
  await until('a Ready node', async () => (await readyNodes('host5')) === 1, 60_000);
  expect(await on('host5', 'kubeadm certs check-expiration')).toMatch(/dns\.conf .* yes/);
  certificates.leaveOut('rm /etc/kubernetes/pki/apiserver.crt', 'there is no key to sign with here');
  expect(certificates.untouched).toEqual([]);
});
