// What Kubernetes requires of probes: each handler, each effect.
import { expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { busybox, podManifest } from '../manifests.ts';
import { useCluster } from '../use-cluster.ts';
import { containerOf, podOf, runReady } from './pod-run.ts';

const cluster = useCluster();
const image = 'coxswain/hello:1';
/** A machine with much to do answers late. */
const quick = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 10 };
const server = (code: string): object => ({ name: 'main', image, command: ['node', '-e', code] });
/** Well for some seconds, then not; the port stays open. */
const failsSoon = (ms: number): string =>
  `const t=Date.now(); require('http').createServer((q,r)=>{r.statusCode=Date.now()-t>${ms}?500:200; r.end(q.headers['x-probe']??'')}).listen(8080)`;
/** gRPC's health service, over plain HTTP/2: SERVING for \`well\`, else NOT_SERVING. */
const grpc = `require('http2').createServer().on('stream',(s)=>{let b=Buffer.alloc(0); s.on('data',(d)=>b=Buffer.concat([b,d])); s.on('end',()=>{
  s.respond({':status':200,'content-type':'application/grpc'},{waitForTrailers:true});
  s.on('wantTrailers',()=>s.sendTrailers({'grpc-status':'0'})); s.end(Buffer.from([0,0,0,0,2,8,b.includes('well')?1:2]))})}).listen(5000)`;

async function restarts(name: string, count: number): Promise<V1Pod> {
  return await cluster().until(
    `restart ${count} of ${name}`,
    async () => {
      const pod = await podOf(cluster(), name);
      return containerOf(pod).restartCount >= count && pod;
    },
    120_000,
  );
}

/** Looks for a while whether nothing happens. */
async function staysUp(name: string, ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  await cluster().until('some time', async () => {
    const { restartCount, state } = containerOf(await podOf(cluster(), name));
    expect([restartCount, state?.running !== undefined]).toEqual([0, true]);
    return performance.now() > endMs;
  });
}

test.concurrent('a liveness probe by HTTP restarts, again and again', async () => {
  const probe = {
    httpGet: { path: '/healthz', port: 8080, httpHeaders: [{ name: 'X-Probe', value: 'yes' }] },
    initialDelaySeconds: 1,
    ...quick,
  };
  await cluster().apply(podManifest('live-http', { containers: [{ ...server(failsSoon(2_000)), livenessProbe: probe }] }));
  await restarts('live-http', 2);
  const events = await cluster().kubectl('get events --field-selector involvedObject.name=live-http');
  expect(events).toMatch(/Unhealthy +pod\/live-http +Liveness probe failed: HTTP probe failed with statuscode: 500/);
});

test.concurrent('a liveness probe by TCP is content with an open port', async () => {
  await runReady(cluster(), 'live-tcp', {
    containers: [{ ...server(failsSoon(0)), livenessProbe: { tcpSocket: { port: 8080 }, initialDelaySeconds: 2, ...quick } }],
  });
  await staysUp('live-tcp', 6_000);
});

test.concurrent('a liveness probe by a command stays quiet, a failing one restarts', async () => {
  const exec = (path: string): object => ({ exec: { command: ['cat', path] }, initialDelaySeconds: 1, ...quick });
  await runReady(cluster(), 'live-exec', { containers: [busybox('main', { livenessProbe: exec('/etc/passwd') })] });
  await cluster().apply(podManifest('dead-exec', { containers: [busybox('main', { livenessProbe: exec('/nowhere') })] }));
  await restarts('dead-exec', 1);
  await staysUp('live-exec', 1_000);
});

test.concurrent('a liveness probe by gRPC', async () => {
  const probe = (port: number, service: string): object => ({ grpc: { port, service }, initialDelaySeconds: 1, ...quick });
  await runReady(cluster(), 'live-grpc', { containers: [{ ...server(grpc), livenessProbe: probe(5_000, 'well') }] });
  await cluster().apply(podManifest('dead-grpc', { containers: [{ ...server(grpc), livenessProbe: probe(5_000, 'ill') }] }));
  await cluster().apply(podManifest('no-grpc', { containers: [{ ...server(grpc), livenessProbe: probe(5_333, 'well') }] }));
  await restarts('dead-grpc', 1);
  await restarts('no-grpc', 1);
  await staysUp('live-grpc', 1_000);
  const events = await cluster().kubectl('get events --field-selector involvedObject.name=dead-grpc');
  expect(events).toContain('Liveness probe failed: service unhealthy (responded with "NOT_SERVING")');
});

test.concurrent('a readiness probe waits for its delay', async () => {
  const readinessProbe = { exec: { command: ['true'] }, initialDelaySeconds: 4, periodSeconds: 1 };
  const pod = await runReady(cluster(), 'ready-late', { containers: [busybox('main', { readinessProbe })] });
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
  const started = containerOf(pod).state?.running?.startedAt ?? '';
  expect(Date.parse(ready) - Date.parse(started)).toBeGreaterThanOrEqual(3_000);
  expect(containerOf(pod).restartCount).toBe(0);
});

test.concurrent('a pod whose readiness probe fails is never ready and never restarted', async () => {
  const probe = { exec: { command: ['false'] }, ...quick };
  await cluster().apply(podManifest('ready-never', { containers: [busybox('main', { readinessProbe: probe })] }));
  await cluster().until('it runs', async () => (await podOf(cluster(), 'ready-never')).status?.phase === 'Running');
  await staysUp('ready-never', 4_000);
  expect(containerOf(await podOf(cluster(), 'ready-never'))).toMatchObject({ ready: false, started: true });
});

test.concurrent('a startup probe holds the others back, and restarts what never starts', async () => {
  const startupProbe = { exec: { command: ['test', '-e', '/tmp/started'] }, periodSeconds: 1, failureThreshold: 60 };
  const livenessProbe = { exec: { command: ['test', '-e', '/tmp/started'] }, ...quick };
  await cluster().apply(podManifest('starts', { containers: [busybox('main', { startupProbe, livenessProbe })] }));
  await cluster().until('it runs', async () => (await podOf(cluster(), 'starts')).status?.phase === 'Running');
  await staysUp('starts', 4_000);
  expect(containerOf(await podOf(cluster(), 'starts'))).toMatchObject({ ready: false, started: false });
  await cluster().kubectl('exec starts -- touch /tmp/started');
  await cluster().kubectl('wait pod/starts --for=condition=Ready --timeout=30s');
  const never = { ...startupProbe, failureThreshold: 2 };
  await cluster().apply(podManifest('starts-never', { containers: [busybox('main', { startupProbe: never })] }));
  await restarts('starts-never', 1);
});
