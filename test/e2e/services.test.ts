// Services in all forms, asked from the host, from pods and from beside the host; and the cluster's DNS.
import { beforeAll, expect, test } from 'vitest';
import { busybox, deploymentManifest, podManifest, serviceManifest } from './manifests.ts';
import { useCluster } from './use-cluster.ts';

const cluster = useCluster();
const port = { name: 'http', port: 80, targetPort: 8080 };

const field = (what: string, path: string): Promise<string> => cluster().kubectl(`get ${what} -o jsonpath={${path}}`);

/** Runs a shell command in the pod `shell`; answers both outputs together. */
async function inPod(script: string): Promise<string> {
  return cluster().kubectl(['exec', 'shell', '--', 'sh', '-c', `${script} 2>&1 || true`]);
}

beforeAll(async () => {
  await cluster().apply(deploymentManifest('web', 2));
  await cluster().apply(serviceManifest('web', { ports: [port] }));
  await cluster().apply(serviceManifest('headless', { clusterIP: 'None', selector: { app: 'web' }, ports: [port] }));
  await cluster().apply(podManifest('shell'));
  await cluster().kubectl('rollout status deployment/web --timeout=60s');
  await cluster().kubectl('wait pod/shell --for=condition=Ready --timeout=60s');
});

test('a NodePort answers on the host and beside it', async () => {
  await cluster().apply(serviceManifest('node-port', { type: 'NodePort', selector: { app: 'web' }, ports: [port] }));
  const nodePort = await field('svc node-port', '.spec.ports[0].nodePort');
  expect(Number(nodePort)).toBeGreaterThanOrEqual(30_000);
  const url = `http://${cluster().host.address}:${nodePort}/`;
  expect(await cluster().until('it answers on the host', () => cluster().curl(url))).toContain('Message: ');
  expect(await cluster().until('it answers beside the host', () => cluster().host.network.sh(`curl -sS -m 3 ${url}`))).toContain(
    'Message: ',
  );
});

test('a LoadBalancer gets an address that answers on the host', async () => {
  await cluster().apply(serviceManifest('balanced', { type: 'LoadBalancer', selector: { app: 'web' }, ports: [port] }));
  const address = await cluster().until('it has an address', () =>
    field('svc balanced', '.status.loadBalancer.ingress[0].ip').then((ip) => ip !== '' && ip),
  );
  expect(await cluster().kubectl('get svc balanced')).toMatch(new RegExp(`^balanced +LoadBalancer +\\S+ +${address} +80:\\d+/TCP`, 'm'));
  expect(await cluster().until('it answers', () => cluster().curl(`http://${address}/`))).toContain('Message: ');
  await cluster().kubectl('delete svc balanced');
});

test('pods reach Services, also their own', async () => {
  const ip = await field('svc web', '.spec.clusterIP');
  for (const name of [ip, 'web', 'web.default', 'web.default.svc', 'web.default.svc.cluster.local'])
    expect(await inPod(`timeout 5 wget -qO- http://${name}/`), name).toContain('Message: ');
  const [pod = ''] = (await field('pods -l app=web', '.items[*].metadata.name')).split(' ');
  const answers = await cluster().kubectl([
    'exec',
    pod,
    '--',
    'sh',
    '-c',
    'for i in $(seq 16); do timeout 5 wget -qO- http://web/ || echo failed; done',
  ]);
  expect(answers).not.toContain('failed');
  expect(answers).toContain(`Hostname: ${pod}`);
});

test('DNS answers addresses, ports and headless Services', async () => {
  const ip = await field('svc web', '.spec.clusterIP');
  expect(await inPod('nslookup -type=a web.default.svc.cluster.local')).toContain(`Address: ${ip}`);
  expect(await inPod('nslookup -type=srv _http._tcp.web.default.svc.cluster.local')).toMatch(
    /service = 0 100 80 web\.default\.svc\.cluster\.local/,
  );
  const podIps = (await field('pods -l app=web', '.items[*].status.podIP')).split(' ').toSorted();
  const answered = await inPod('nslookup -type=a headless.default.svc.cluster.local');
  expect([...answered.matchAll(/^Address: (10\.244\.\S+)$/gm)].map(([, one = '']) => one).toSorted()).toEqual(podIps);
  expect(await inPod('nslookup -type=srv _http._tcp.headless.default.svc.cluster.local')).toMatch(
    /service = 0 50 8080 \S+\.headless\.default\.svc\.cluster\.local/,
  );
  expect(await inPod(`nslookup ${ip}`)).toContain('web.default.svc.cluster.local');
  expect(await inPod('nslookup -type=a kubernetes.default.svc.cluster.local')).toContain('Address: 10.96.0.1');
  expect(await inPod('nslookup -type=a nothing.default.svc.cluster.local')).toContain('NXDOMAIN');
});

test('names outside are passed on, and refused at once where nobody answers', async () => {
  // This host's resolver does not exist.
  const { elapsedMs, text } = await timed(() => inPod('nslookup -type=a example.com'));
  expect(text).toMatch(/SERVFAIL|REFUSED|NXDOMAIN/);
  expect(elapsedMs).toBeLessThan(9_000);
});

test('a pod is an endpoint only while it is Ready', async () => {
  const gated = busybox('main', {
    command: ['sh', '-c', 'mkdir /www; echo gated >/www/index.html; httpd -f -p 8080 -h /www'],
    readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1, failureThreshold: 1 },
  });
  await cluster().apply(podManifest('gated', { containers: [gated] }));
  await cluster().apply(serviceManifest('gated', { ports: [port] }));
  await cluster().until('it runs', async () => (await field('pod gated', '.status.phase')) === 'Running');
  const ip = await field('pod gated', '.status.podIP');
  await cluster().until(
    'it is a subset that is not ready',
    async () => (await field('endpoints gated', '.subsets[0].notReadyAddresses[0].ip')) === ip,
  );
  expect(await cluster().kubectl('get pod gated')).toMatch(/^gated +0\/1 +Running/m);
  const address = await field('svc gated', '.spec.clusterIP');
  // Refused, not left without an answer.
  expect((await cluster().host.exec(['curl', '-sS', '-m', '3', `http://${address}/`])).stderr).toMatch(/refused|Failed to connect/);

  await cluster().kubectl('exec gated -- touch /tmp/ready');
  await cluster().until('it is an endpoint', async () => (await field('endpoints gated', '.subsets[0].addresses[0].ip')) === ip);
  expect(await cluster().until('it answers', () => cluster().curl(`http://${address}/`))).toBe('gated\n');
  expect(await field('endpointslices -l kubernetes.io/service-name=gated', '.items[0].endpoints[0].conditions.ready')).toBe('true');

  await cluster().kubectl('exec gated -- rm /tmp/ready');
  await cluster().until('it is none', async () => (await field('endpoints gated', '.subsets[0].addresses')) === '');
  await cluster().kubectl('delete pod,service gated');
});

test('session affinity keeps a client with one pod', async () => {
  await cluster().apply(serviceManifest('sticky', { selector: { app: 'web' }, sessionAffinity: 'ClientIP', ports: [port] }));
  const ip = await field('svc sticky', '.spec.clusterIP');
  await cluster().until('it answers', () => cluster().curl(`http://${ip}/`));
  const text = await cluster().host.sh(`for i in $(seq 12); do curl -sS -m 3 http://${ip}/ || exit 1; done`);
  expect(new Set([...text.matchAll(/^Hostname: (\S+)$/gm)].map(([, name]) => name)).size).toBe(1);
});

async function timed(work: () => Promise<string>): Promise<{ elapsedMs: number; text: string }> {
  const startMs = performance.now();
  const text = await work();
  return { elapsedMs: performance.now() - startMs, text };
}
