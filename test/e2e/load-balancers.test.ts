// Load balancers on plain machines, set up as the guide says: a neighbour of the nodes reaches a Service, also after the node that answered dies.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDemoImages } from '#cli/demo/images.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { defaultKubectl } from '#test/testbed/kubectl.ts';
import { until } from './cluster.ts';
import { deploymentManifest, serviceManifest } from './manifests.ts';

const root = join(import.meta.dirname, '../..');
const workers = ['host2', 'host3'];
const range = '192.168.77.200-192.168.77.209';
const address = '192.168.77.200';
let fleet: Fleet;

const cloud = `apiVersion: cloud.coxswain.dev/v1alpha1
kind: PlainCloud
loadBalancers:
  ranges: [${range}]
machines:
- {name: host1}
- {name: host2}
- {name: host3, zone: rack-1, region: cellar, instanceType: small, addresses: [{type: InternalIP, address: 192.168.77.13}]}
`;
const manifest = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'cloud-controller-manager', namespace: 'kube-system' },
  spec: {
    hostNetwork: true,
    containers: [
      {
        name: 'cloud-controller-manager',
        image: 'coxswain/cloud-controller-manager',
        command: [
          'cloud-controller-manager',
          '--cloud-provider=plain',
          '--cloud-config=/etc/kubernetes/cloud.yaml',
          '--kubeconfig=/etc/kubernetes/cloud-controller-manager.conf',
          '--authentication-kubeconfig=/etc/kubernetes/cloud-controller-manager.conf',
          '--authorization-kubeconfig=/etc/kubernetes/cloud-controller-manager.conf',
          '--use-service-account-credentials=true',
        ],
      },
    ],
  },
};

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 1, workers: workers.length });
  await Promise.all([startCloud(), ...workers.map(prepareWorker)]);
});
afterAll(() => fleet.stop());

async function prepareWorker(name: string): Promise<void> {
  const host = fleet.host(name);
  const flag = `--announce-load-balancers=${range}`;
  await host.sh(`sed -i '/--kubeconfig=/{p;s/--kubeconfig=.*/${flag}/}' /etc/kubernetes/manifests/kube-proxy.yaml`);
  await buildDemoImages(host.dockerSocket, join(root, 'cli/demo/hello.mjs'), () => undefined);
}

/** The guide's commands. */
async function startCloud(): Promise<void> {
  const { path: kubectl } = defaultKubectl();
  await fleet.host('host1').sh(`set -e
    export KUBECONFIG=/etc/kubernetes/admin.conf
    ${kubectl} apply -f ${root}/deploy/manifests/cloud-controller-manager-rbac.yaml
    cd /etc/kubernetes
    openssl req -new -newkey rsa:2048 -nodes -keyout cloud.key -subj /CN=system:cloud-controller-manager |
      openssl x509 -req -CA pki/ca.crt -CAkey pki/ca.key -CAcreateserial -days 365 -out cloud.crt
    server=$(${kubectl} config view -o jsonpath='{.clusters[0].cluster.server}')
    export KUBECONFIG=/etc/kubernetes/cloud-controller-manager.conf
    ${kubectl} config set-cluster kubernetes --server="$server" --certificate-authority=pki/ca.crt --embed-certs
    ${kubectl} config set-credentials cloud --client-certificate=cloud.crt --client-key=cloud.key --embed-certs
    ${kubectl} config set-context cloud --cluster=kubernetes --user=cloud
    ${kubectl} config use-context cloud
    rm cloud.key cloud.crt
    cat >cloud.yaml <<'END'
${cloud}END
    cat >manifests/cloud-controller-manager.yaml <<'END'
${JSON.stringify(manifest)}
END`);
}

async function kubectl(words: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words.split(' '), { timeoutMs: 120_000, ...(input === undefined ? {} : { input }) });
  if (code !== 0) throw new Error(`kubectl ${words}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** The hosts whose kernel answers for the address. */
async function announcers(names: readonly string[] = workers): Promise<readonly string[]> {
  const answers = await Promise.all(names.map((name) => fleet.host(name).sh('ip neigh show proxy')));
  return names.filter((_name, at) => answers[at]?.includes(address));
}

test('the cloud controller manager leads, says that it is well, and its figures to nobody else', async () => {
  const holder = 'get lease cloud-controller-manager -n kube-system -o jsonpath={.spec.holderIdentity}';
  await until('a leader', async () => (await kubectl(holder)).startsWith('host1_'));
  const ask = (path: string): Promise<string> => fleet.host('host1').sh(`curl -sk https://127.0.0.1:10258${path}`);
  expect(await ask('/healthz')).toBe('ok');
  expect(await ask('/metrics')).toContain('cannot get path \\"/metrics\\"');
});

test('a node of an external cloud is told where it is before it takes pods', async () => {
  const host = fleet.host('host3');
  await host.sh(`sed -i 's/="/="--cloud-provider=external /' /var/lib/kubelet/kubeadm-flags.env`);
  // A whole argument; the brackets keep grep from finding its own.
  const runs = (): Promise<string> => host.sh(`grep -lszx -e '--cloud-provider=externa[l]' /proc/[0-9]*/cmdline || true`);
  await until('the kubelet with its new flag', async () => (await runs()) !== '');
  await kubectl('delete node host3');
  const labels =
    "jsonpath={.metadata.labels['topology\\.kubernetes\\.io/zone']} {.spec.providerID} {.status.addresses[*].address} {.spec.taints}";
  const told = async (): Promise<string> => (await fleet.kubectl(['get', 'node', 'host3', '-o', labels])).stdout;
  await until('all that the file says', async () => (await told()).startsWith('rack-1 plain://host3 192.168.77.13 host3'));
  await until('a node that takes pods', async () => (await told()).endsWith('host3 '));
});

test('a Service gets an address of the pool, and answers there also after the node that announced it has died', async () => {
  const spec = { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 8080 }] };
  await kubectl('apply -f -', JSON.stringify(serviceManifest('web', spec)));
  const ingress = (): Promise<string> => kubectl('get svc web -o jsonpath={.status.loadBalancer.ingress}');
  await until('an address', async () => (await ingress()) === JSON.stringify([{ ip: address, ipMode: 'VIP' }]));
  const [first = ''] = await until('a node that announces it', async () => {
    const found = await announcers();
    return found.length === 1 && found;
  });

  // Its pods are elsewhere, and go on.
  const other = workers.find((name) => name !== first) ?? '';
  await kubectl('apply -f -', JSON.stringify(deploymentManifest('web', 2, {}, { nodeSelector: { 'kubernetes.io/hostname': other } })));
  await kubectl('rollout status deployment/web --timeout=90s');
  const ask = (): Promise<string> => fleet.network.sh(`curl -sS -m 2 http://${address}/`);
  await until('an answer', async () => (await ask()).includes('Message: '));
  expect(await announcers()).toEqual([first]);

  // A proxy that is told to end hands over first: whoever asks all the while gets an answer.
  const asking = fleet.network.sh(
    `for i in $(seq 60); do curl -sS -m 2 -o /dev/null http://${address}/ || echo lost; sleep 0.05; done 2>&1`,
  );
  await fleet.host(first).sh('mv /etc/kubernetes/manifests/kube-proxy.yaml /root/');
  await until('the other one announces it alone', async () => (await announcers()).join() === other);
  expect(await asking).toBe('');
  await fleet.host(first).sh('mv /root/kube-proxy.yaml /etc/kubernetes/manifests/');
  await until('the first one has it again', async () => (await announcers()).join() === first);

  // What stays of the host's network, without power, must not answer either.
  fleet.cut(first);
  await fleet.powerOff(first);
  // Far sooner than the node counts as lost.
  await until('an answer again', async () => (await ask()).includes('Message: '), 30_000);
  expect(await announcers([other])).toEqual([other]);

  await kubectl('delete svc web');
  await until('nobody announces it', async () => (await announcers([other])).length === 0);
});
