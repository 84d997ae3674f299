import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EngineRecord } from './engine-record.ts';

const labels = {
  'io.kubernetes.pod.name': 'db-0',
  'io.kubernetes.pod.namespace': 'default',
  'io.kubernetes.pod.uid': 'u',
  'io.kubernetes.container.name': 'main',
};
const startedMs = Date.UTC(2026, 0, 1);
let engine: Engine;

/** An engine that answers what it is told to. */
class Engine {
  /** By id: what is listed, and what is told of each; undefined: it has just been removed. */
  containers: Record<string, object | undefined> = {};
  readonly folder = mkdtempSync(join(tmpdir(), 'coxswain-engine-'));
  readonly host = { name: 'host4', pid: 7, dockerSocket: join(this.folder, 'docker.sock') };
  readonly #followers = new Set<ServerResponse>();
  readonly #server = createServer(({ url = '' }, response) => {
    if (url.startsWith('/events')) {
      this.#followers.add(response);
      return response.writeHead(200).flushHeaders();
    }
    const id = /^\/containers\/(\w+)\/json$/.exec(url.replace(/\?.*/, ''))?.[1];
    if (id === undefined) return void response.end(JSON.stringify(Object.keys(this.containers).map((Id) => ({ Id }))));
    response.end(JSON.stringify(this.containers[id] ?? { message: `No such container: ${id}` }));
  });

  async start(): Promise<void> {
    this.#server.listen(this.host.dockerSocket);
    await once(this.#server, 'listening');
  }

  tell(Action: 'start' | 'die', ID: string, atMs: number): void {
    const event = { Action, Actor: { ID, Attributes: labels }, timeNano: atMs * 1e6 };
    for (const follower of this.#followers) follower.write(`${JSON.stringify(event)}\n`);
  }

  /** Breaks off what it tells; whoever comes again is answered. */
  breakOff(): void {
    for (const follower of this.#followers) follower.destroy();
    this.#followers.clear();
  }

  stop(): void {
    this.breakOff();
    this.#server.close();
    rmSync(this.folder, { recursive: true });
  }
}

beforeEach(() => (engine = new Engine()).start());
afterEach(() => engine.stop());

const running = (startMs: number): object => ({
  Config: { Labels: labels },
  State: { Running: true, StartedAt: new Date(startMs).toISOString(), FinishedAt: '0001-01-01T00:00:00Z' },
});
const over = (startMs: number, endMs: number): object => ({
  Config: { Labels: labels },
  State: { Running: false, StartedAt: new Date(startMs).toISOString(), FinishedAt: new Date(endMs).toISOString() },
});

test('what runs already is known, and what starts and ends is heard', async () => {
  engine.containers = { a: running(startedMs) };
  await using record = await EngineRecord.follow([engine.host]);
  expect(record.runs).toMatchObject([{ host: 'host4', pod: 'db-0', container: 'main', id: 'a', startMs: startedMs, endMs: undefined }]);
  engine.tell('die', 'a', startedMs + 10);
  engine.tell('start', 'b', startedMs + 20);
  await vi.waitFor(() =>
    expect(record.runs).toMatchObject([
      { id: 'a', endMs: expect.closeTo(startedMs + 10, 0) },
      { id: 'b', startMs: expect.closeTo(startedMs + 20, 0) },
    ]),
  );
});

test.each<[string, Record<string, object | undefined>, unknown]>([
  ['is over', { a: over(startedMs, startedMs + 500) }, startedMs + 500],
  ['is not there any more', {}, expect.any(Number)],
  ['is removed at that moment', { a: undefined }, expect.any(Number)],
  ['runs on', { a: running(startedMs) }, undefined],
])('a container that %s when the engine is back', async (_, containers, endMs) => {
  engine.containers = { a: running(startedMs) };
  await using record = await EngineRecord.follow([engine.host]);
  engine.containers = { ...containers, z: running(startedMs) };
  engine.breakOff();
  // All has been looked at when the one that is new is known and the other judged.
  await vi.waitFor(() => expect(record.runs).toMatchObject([{ id: 'a', endMs }, { id: 'z' }]));
});

test('a host that was off ended all that ran there', async () => {
  engine.containers = { a: running(startedMs) };
  await using record = await EngineRecord.follow([engine.host]);
  engine.containers = { a: over(startedMs, Date.now() + 1_000_000) };
  engine.host.pid = 8;
  engine.breakOff();
  await vi.waitFor(() => expect(record.runs[0]?.endMs).toBeDefined());
  expect(record.runs[0]?.endMs).toBeLessThanOrEqual(Date.now());
});
