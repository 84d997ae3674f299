// Watches through a real haproxy with a distribution's kind of timeouts: it ends what is quiet for a while (Debian: 50 s; here a moment).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { isAbort } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import { Informer } from './informer.ts';
import { connect, type RestClient } from './rest.ts';
import { eventually } from './testing.ts';

/** A watch that lived shorter and gave nothing counts as failed, whoever ended it. */
const quietMs = 1_200;
const never = new AbortController().signal;
let server: TestApiServer;
let direct: RestClient;
let through: RestClient;
let folder: string;
let haproxy: ChildProcess;
let log = '';

beforeAll(async () => {
  server = await startTestApiServer();
  direct = connect(server.adminClientConfig, { clock: systemClock, component: 'direct' });
  folder = mkdtempSync(join(tmpdir(), 'coxswain-haproxy-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'haproxy.cfg'),
    `global
    log stdout format raw local0
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 1s
    timeout client ${quietMs}ms
    timeout server ${quietMs}ms
frontend api
    bind 127.0.0.1:${port}
    default_backend servers
backend servers
    server one 127.0.0.1:${server.port}
`,
  );
  haproxy = spawn('haproxy', ['-f', join(folder, 'haproxy.cfg')], { stdio: ['ignore', 'pipe', 'ignore'] });
  haproxy.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  through = connect({ ...server.adminClientConfig, server: `https://127.0.0.1:${port}` }, { clock: systemClock, component: 'through' });
  await eventually(async () => (await through.raw('GET', '/readyz', undefined, never).catch(() => undefined)) !== undefined);
});
afterAll(async () => {
  haproxy.kill();
  for (const client of [direct, through]) await client[Symbol.asyncDispose]();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, 'close');
  return port;
}

/** Connections that haproxy ended because one side was quiet: `cD` and `sD` in its log. */
const cuts = (): number => (log.match(/ [cs]D /g) ?? []).length;
const make = (name: string): Promise<ConfigMap> => direct.create(configMap, { metadata: { namespace: 'default', name } }, {}, never);

test('a watch that haproxy ends goes on where it was, without a list, and tells each thing once', async () => {
  const requests: string[] = [];
  const counted: RestClient = Object.create(through, {
    list: { value: (...args: Parameters<RestClient['list']>) => (requests.push('list'), through.list(...args)) },
    watch: { value: (...args: Parameters<RestClient['watch']>) => (requests.push('watch'), through.watch(...args)) },
  }) as RestClient;
  const maps = new Informer<ConfigMap>({ kind: configMap, namespace: 'default' }, { client: counted, clock: systemClock, log: silentLog });
  const told: string[] = [];
  maps.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
  const life = new AbortController();
  const ended = maps
    .run(life.signal, () => undefined)
    .catch((error: unknown) => {
      if (!isAbort(error, life.signal)) throw error;
    });
  await eventually(() => requests.length === 2);
  await make('before');
  await eventually(() => told.includes('added before'));
  // Twice it is quiet for so long; then something happens that the cut watches knew nothing of.
  await eventually(() => requests.filter((kind) => kind === 'watch').length >= 3);
  expect(cuts()).toBeGreaterThanOrEqual(2);
  await make('after');
  await eventually(() => told.includes('added after'));
  life.abort(new Error('seen'));
  await ended;
  expect(requests.filter((kind) => kind === 'list')).toEqual(['list']);
  expect(told.filter((line) => /before|after/.test(line))).toEqual(['added before', 'added after']);
});

test('a request finds a connection, also when haproxy has just ended the one that was kept', async () => {
  const before = cuts();
  for (let round = 0; round < 2; round++) {
    await through.get(configMap, { namespace: 'default', name: 'before' }, never);
    const now = cuts();
    await eventually(() => cuts() > now);
  }
  expect((await through.get(configMap, { namespace: 'default', name: 'after' }, never)).metadata.name).toBe('after');
  expect(cuts()).toBeGreaterThan(before);
});
