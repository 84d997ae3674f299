import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import type { Program } from '../runtime/simulated/program.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { apiServerUser } from './admit.ts';
import { KubeletServer } from './kubelet-server.ts';

const stop = new AbortController();
const { signal } = stop;
const pod = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  spec: {
    containers: [
      { name: 'main', image: 'hello:1' },
      { name: 'late', image: 'hello:1' },
    ],
  },
  status: { containerStatuses: [{ name: 'late', state: { waiting: { reason: 'ContainerCreating' } } }] },
} as V1Pod;
const hello: Program = async ({ print, terminated }) => {
  for (const line of [1, 2, 3]) await print(`line ${line}\n`);
  await terminated;
  return 0;
};
const programs: Record<string, Program> = {
  greet: async ({ print, command }) => {
    await print(`hello ${command.slice(1).join(',')}\n`);
    return 0;
  },
};

let ca: KeyPair;
let apiServer: KeyPair;
let somebody: KeyPair;
let stranger: KeyPair;
let server: KubeletServer;
let running: Promise<void>;
let id: string;
const runtime = new SimulatedRuntime(systemClock, { default: hello, programs, images: ['hello:1'] });

beforeAll(async () => {
  const nowMs = systemClock.nowMs();
  ca = await createCa('ca', nowMs);
  const usages = ['client'] as const;
  const serving = await signCertificate(ca, { commonName: 'node', dnsNames: ['localhost'], ips: ['127.0.0.1'], usages: ['server'] }, nowMs);
  apiServer = await signCertificate(ca, { commonName: apiServerUser, usages }, nowMs);
  somebody = await signCertificate(ca, { commonName: 'system:node:other', usages }, nowMs);
  stranger = await signCertificate(await createCa('other ca', nowMs), { commonName: apiServerUser, usages }, nowMs);
  const pods = {
    pods: () => [pod],
    pod: (namespace: string, name: string) => (namespace === 'shop' && name === 'web' ? pod : undefined),
    status: () => undefined,
  };
  server = new KubeletServer(
    { runtime, pods, clock: systemClock, log: silentLog, metrics: createMetrics() },
    { host: '127.0.0.1', port: 0, tls: serving, clientCa: ca.cert, nodeName: 'n1' },
  );
  const ready = Promise.withResolvers<void>();
  running = server.run(signal, ready.resolve);
  await ready.promise;
  const sandbox = await runtime.createSandbox({ pod: { name: 'web', namespace: 'shop', uid: 'u1' }, attempt: 0, hostname: 'web' });
  id = await runtime.createContainer(sandbox.id, { name: 'main', attempt: 0, image: 'hello:1' });
  await runtime.startContainer(id);
});

afterAll(async () => {
  stop.abort();
  await running;
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

function ask(path: string, client: KeyPair | 'nobody' = apiServer, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const identity = client === 'nobody' ? {} : { cert: client.cert, key: client.key };
    const asking = request({ host: '127.0.0.1', port: server.port, path, method, ca: ca.cert, agent: false, ...identity }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asking.on('error', reject);
    asking.end();
  });
}

describe('KubeletServer', () => {
  it('lets only the API server in', async () => {
    expect(await ask('/healthz')).toEqual({ status: 200, text: 'ok' });
    expect(await ask('/pods', 'nobody')).toEqual({ status: 401, text: 'Unauthorized' });
    expect(await ask('/pods', stranger)).toEqual({ status: 401, text: 'Unauthorized' });
    const forbidden = 'Forbidden (user=system:node:other, verb=get, resource=nodes, subresource(s)=[proxy])\n';
    expect(await ask('/pods', somebody)).toEqual({ status: 403, text: forbidden });
  });

  it('answers logs with the cuts that are asked for', async () => {
    expect(await ask('/containerLogs/shop/web/main')).toEqual({ status: 200, text: 'line 1\nline 2\nline 3\n' });
    expect((await ask('/containerLogs/shop/web/main?tailLines=1')).text).toBe('line 3\n');
    expect((await ask('/containerLogs/shop/web/main?limitBytes=4')).text).toBe('line');
  });

  it.each<[string, number, string]>([
    ['/containerLogs/shop/gone/main', 404, 'pod "gone" does not exist'],
    ['/containerLogs/shop/web/none', 404, 'container "none" not found in pod "web"'],
    ['/containerLogs/shop/web/late', 400, 'container "late" in pod "web" is waiting to start: ContainerCreating'],
    ['/containerLogs/shop/web/main?previous=true', 400, 'previous terminated container "main" in pod "web" not found'],
    ['/containerLogs/shop/web/main?tailLines=-1', 422, '{"message": "Invalid request."}'],
    ['/exec/shop/web/main?command=greet&output=1', 400, 'Upgrade request required'],
    ['/nothing', 404, '404 page not found'],
  ])('%s', async (path, status, text) => {
    expect(await ask(path)).toEqual({ status, text });
  });

  it('runs a command', async () => {
    expect(await ask('/run/shop/web/main?cmd=greet+you', apiServer, 'POST')).toEqual({ status: 200, text: 'hello you\n' });
  });

  it('lists pods and what they use', async () => {
    expect(JSON.parse((await ask('/pods')).text)).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'web' } }] });
    expect(JSON.parse((await ask('/runningpods')).text)).toMatchObject({ items: [{ spec: { containers: [{ name: 'main' }] } }] });
    const summary = JSON.parse((await ask('/stats/summary')).text) as object;
    expect(summary).toMatchObject({ node: { nodeName: 'n1' }, pods: [{ podRef: { name: 'web' }, containers: [{ name: 'main' }] }] });
    expect((await ask('/metrics/resource')).text).toContain(
      'container_memory_working_set_bytes{container="main",namespace="shop",pod="web"} 0',
    );
  });

  it('follows a log until the container ends', async () => {
    const following = ask('/containerLogs/shop/web/main?follow=true&tailLines=1');
    await runtime.stopContainer(id, 1_000, signal);
    expect((await following).text).toBe('line 3\n');
  });
});
