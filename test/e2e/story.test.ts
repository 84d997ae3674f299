// What a user does first, in the order of the README, on a host where nothing of the cluster was before.
import { expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { useCluster } from './use-cluster.ts';

const cluster = useCluster({ images: false, flags: ['--demo'] });

async function podNames(selector: string): Promise<string[]> {
  const { items } = await cluster().get<{ items: V1Pod[] }>(`pods -l ${selector}`);
  return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map(({ metadata }) => metadata?.name ?? '');
}

/** Host names that answered, of `times` requests. */
async function answering(address: string, times = 40): Promise<Set<string>> {
  const script = `for i in $(seq ${times}); do curl -sS -m 3 http://${address}/ || exit 1; done`;
  const text = await cluster().host.sh(script);
  return new Set([...text.matchAll(/^Hostname: (\S+)$/gm)].map(([, name = '']) => name));
}

const clusterIp = async (): Promise<string> => cluster().kubectl(['get', 'svc', 'web', '-o', 'jsonpath={.spec.clusterIP}']);

test('the demo is deployed from examples/hello.yaml and its Service answers', async () => {
  const ip = await cluster().kubectl(['-n', 'hello', 'get', 'svc', 'hello', '-o', 'jsonpath={.spec.clusterIP}']);
  const text = await cluster().curl(`http://${ip}/`);
  for (const line of ['Message', 'Hostname', 'Platform', 'Uptime', 'IP', 'DNS']) expect(text).toMatch(new RegExp(`^${line}: .+$`, 'm'));
  expect(text).toContain('DNS: kubernetes.default is 10.96.0.1');
});

test('get nodes -o wide shows one Ready node with the role control-plane', async () => {
  const [header = '', row = '', ...more] = (await cluster().kubectl('get nodes -o wide')).trim().split('\n');
  const columns = 'NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME';
  expect(header.split(/ {2,}/)).toEqual(columns.split(' '));
  expect(row).toMatch(/^host1 +Ready +control-plane +\d+s +v1\.36\.2\+coxswain\.\d+ +192\.168\.77\.11 +<none> +.+ docker:\/\/[\d.]+/);
  expect(more).toEqual([]);
});

test('create deployment runs three pods', async () => {
  expect(await cluster().kubectl('create deployment web --image=coxswain/hello:1 --replicas=3')).toBe('deployment.apps/web created\n');
  expect(await cluster().kubectl('rollout status deployment/web --timeout=60s')).toContain('deployment "web" successfully rolled out');
  const wide = (await cluster().kubectl('get pods -o wide')).trim().split('\n');
  expect(wide).toHaveLength(4);
  for (const row of wide.slice(1)) expect(row).toMatch(/^web-[a-z0-9]+-[a-z0-9]{5} +1\/1 +Running +0 +\d+s +10\.244\.\d+\.\d+ +host1 /);
  expect(await cluster().kubectl('get deployment web')).toMatch(/^web +3\/3 +3 +3 +\d+s$/m);
});

test('expose gives an address that answers from all three pods', async () => {
  expect(await cluster().kubectl('expose deployment web --port=80 --target-port=8080')).toBe('service/web exposed\n');
  expect(await cluster().kubectl('get svc web')).toMatch(/^web +ClusterIP +10\.\d+\.\d+\.\d+ +<none> +80\/TCP +\d+s$/m);
  const ip = await clusterIp();
  const pods = await podNames('app=web');
  await cluster().until('all pods answer', async () => (await answering(ip)).size === 3);
  expect([...(await answering(ip))].toSorted()).toEqual(pods.toSorted());
});

test('a deleted pod is replaced within seconds', async () => {
  const before = await podNames('app=web');
  expect(await cluster().kubectl(`delete pod ${before[0]}`)).toContain(`pod "${before[0]}" deleted`);
  await cluster().until(
    'three pods are Ready again',
    async () => /^web +3\/3/m.test(await cluster().kubectl('get deployment web')),
    10_000,
  );
  const after = await podNames('app=web');
  expect(after).toHaveLength(3);
  expect(after).not.toContain(before[0]);
  const ip = await clusterIp();
  await cluster().until('the new ones answer', async () => (await answering(ip)).size === 3);
  expect([...(await answering(ip))].toSorted()).toEqual(after.toSorted());
});

test('scale and set image roll out', async () => {
  expect(await cluster().kubectl('scale deployment web --replicas=5')).toBe('deployment.apps/web scaled\n');
  await cluster().kubectl('rollout status deployment/web --timeout=60s');
  expect(await cluster().kubectl('set image deployment/web hello=coxswain/hello:2')).toBe('deployment.apps/web image updated\n');
  expect(await cluster().kubectl('rollout status deployment/web --timeout=90s')).toMatch(/successfully rolled out\n$/);
  expect(await cluster().curl(`http://${await clusterIp()}/`)).toContain('Message: Hello from Coxswain, version 2');
  await cluster().until('old pods are gone', async () => (await podNames('app=web')).length === 5);
});

test('rollout history, undo, pause and resume', async () => {
  const history = await cluster().kubectl('rollout history deployment/web');
  expect(history).toMatch(/^1 +<none>\n2 +<none>$/m);
  expect(await cluster().kubectl('rollout history deployment/web --revision=1')).toContain('coxswain/hello:1');
  expect(await cluster().kubectl('rollout undo deployment/web')).toBe('deployment.apps/web rolled back\n');
  await cluster().kubectl('rollout status deployment/web --timeout=90s');
  expect(await cluster().curl(`http://${await clusterIp()}/`)).toContain('version 1');
  expect(await cluster().kubectl('rollout history deployment/web')).toMatch(/^2 +<none>\n3 +<none>$/m);
  await cluster().kubectl('rollout pause deployment/web');
  await cluster().kubectl('set env deployment/web MESSAGE=paused');
  expect(await cluster().kubectl(['get', 'deployment', 'web', '-o', 'jsonpath={.status.updatedReplicas}'])).toMatch(/^(5)?$/);
  expect(await cluster().curl(`http://${await clusterIp()}/`)).toContain('version 1');
  await cluster().kubectl('rollout resume deployment/web');
  await cluster().kubectl('rollout status deployment/web --timeout=90s');
  expect(await cluster().curl(`http://${await clusterIp()}/`)).toContain('Message: paused');
});

test('logs, exec and describe', async () => {
  const [pod = ''] = await podNames('app=web');
  const ip = await cluster().kubectl(['get', 'pod', pod, '-o', 'jsonpath={.status.podIP}']);
  await cluster().curl(`http://${ip}:8080/`);
  expect(await cluster().kubectl(`logs ${pod}`)).toMatch(/^hello listens on port 8080\n(Received Request From .+\n)+$/);
  expect(await cluster().kubectl(`exec ${pod} -- hostname`)).toBe(`${pod}\n`);
  const description = await cluster().kubectl(`describe pod ${pod}`);
  for (const part of [/^Node: +host1\/192\.168\.77\.11$/m, /^Status: +Running$/m, /^Controlled By: +ReplicaSet\/web-/m])
    expect(description).toMatch(part);
  for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(description).toMatch(new RegExp(`Normal +${reason} +`));
});

test('status says that all is well', async () => {
  const { code, stdout } = await cluster().coxswain(['status']);
  expect(code).toBe(0);
  for (const name of ['kube-apiserver', 'kube-scheduler', 'kube-controller-manager', 'kubelet', 'kube-proxy'])
    expect(stdout).toMatch(new RegExp(`^${name} +running +\\d+ +1$`, 'm'));
  expect(stdout).toMatch(/^host1 +Ready +v1\.36\.2/m);
});

test('delete deployment takes its pods along', async () => {
  expect(await cluster().kubectl('delete deployment web')).toContain('deployment.apps "web" deleted');
  await cluster().until(
    'no pod is left',
    async () => (await cluster().get<{ items: V1Pod[] }>('pods -l app=web')).items.length === 0,
    20_000,
  );
  expect(await cluster().kubectl('get replicasets')).toBe('');
});

test('no part of the cluster was refused what it asked for', async () => {
  // The DNS may come before its roles do.
  const script = `cd /var/lib/coxswain/logs && grep -ho '[^"]* is forbidden: User .*' kube-*.log kubelet.log supervisor.log | cut -c1-300 | sort | uniq -c`;
  const { stdout } = await cluster().host.exec(['bash', '-c', script]);
  expect(stdout).toBe('');
});
