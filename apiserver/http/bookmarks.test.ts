import { type Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from './testing.ts';

interface Frame {
  readonly type: string;
  readonly object: { apiVersion: string; kind: string; metadata: { resourceVersion: string; annotations?: Record<string, string> } };
}

const lifetimeSeconds = 20;
const clock = new FakeClock();
let server: TestApiServer;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer({ clock, limits: { minWatchSeconds: lifetimeSeconds } });
  admin = agentOf(server.adminClientConfig, { bodyTimeout: 0 });
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

/** A watch that collects its frames. */
class Watching {
  readonly frames: Frame[] = [];
  hasEnded = false;

  static async open(path: string): Promise<Watching> {
    const watching = new Watching();
    const { statusCode, body } = await request(`${server.url}${path}`, { dispatcher: admin });
    expect([path, statusCode]).toEqual([path, 200]);
    let text = '';
    body.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) watching.frames.push(JSON.parse(line) as Frame);
    });
    body.on('end', () => (watching.hasEnded = true));
    body.on('error', () => (watching.hasEnded = true));
    return watching;
  }

  get bookmarks(): Frame[] {
    return this.frames.filter(({ type }) => type === 'BOOKMARK');
  }

  /** Waits for what is on its way over the connection. */
  async told(count: number): Promise<Frame[]> {
    await expect.poll(() => this.bookmarks.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
    return this.bookmarks;
  }
}

function pathOf({ group, version, names }: Pick<KindDefinition, 'group' | 'version' | 'names'>): string {
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}/${names.plural}`;
}

const watched = builtinKinds.filter(({ verbs }) => verbs === undefined || verbs.includes('watch'));
const asking = 'watch=1&allowWatchBookmarks=true';

test('every kind gets a bookmark about every minute, and nobody who did not ask', async () => {
  const paths = watched.map((kind) => `${pathOf(kind)}?${asking}&resourceVersion=1&timeoutSeconds=600`);
  const ours = await Promise.all(
    [...paths, `/api/v1/pods?${asking}&fieldSelector=spec.nodeName%3Dn1&timeoutSeconds=600`].map(Watching.open),
  );
  const other = await Watching.open('/api/v1/pods?watch=1&timeoutSeconds=600');
  await clock.advance(58_000);
  expect(ours.flatMap(({ bookmarks }) => bookmarks)).toEqual([]);
  await clock.advance(4_000);
  for (const [at, watching] of ours.entries()) {
    const kind = watched[at] ?? { group: '', version: 'v1', kind: 'Pod' };
    const [first] = await watching.told(1);
    expect(first?.object).toMatchObject({ apiVersion: apiVersionOf(kind), kind: kind.kind });
    expect(Number(first?.object.metadata.resourceVersion)).toBeGreaterThan(1);
    expect(first?.object.metadata.annotations).toBeUndefined();
  }
  await clock.advance(62_000);
  for (const watching of ours) expect(await watching.told(2)).toHaveLength(2);
  expect(other.frames.filter(({ type }) => type === 'BOOKMARK')).toEqual([]);
});

test('a watch ends with one: two seconds before its own time is up', async () => {
  const watching = await Watching.open(`/api/v1/pods?${asking}&fieldSelector=spec.nodeName%3Dn1&timeoutSeconds=30`);
  await clock.advance(27_000);
  expect(watching.bookmarks).toEqual([]);
  await clock.advance(2_500);
  expect(await watching.told(1)).toHaveLength(1);
  await clock.advance(2_000);
  await expect.poll(() => watching.hasEnded).toBe(true);
  expect(watching.bookmarks).toHaveLength(1);
});

test('also where the server chose how long it lasts', async () => {
  const watching = await Watching.open(`/api/v1/pods?${asking}`);
  for (let second = 0; second < 2 * lifetimeSeconds && !watching.hasEnded; second++) {
    await clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => watching.hasEnded).toBe(true);
  // It lives less than a minute, so there is but the last.
  expect(watching.bookmarks).toHaveLength(1);
});

test.each(['/api/v1/namespaces', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1'])(
  '%s: a streamed list ends with its own',
  async (path) => {
    const query = `${asking}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=600`;
    const watching = await Watching.open(`${path}${path.includes('?') ? '&' : '?'}${query}`);
    const [end] = await watching.told(1);
    expect(end?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(watching.frames.at(-1)).toBe(end);
    await clock.advance(62_000);
    const [, later] = await watching.told(2);
    expect(later?.object.metadata.annotations).toBeUndefined();
  },
);
