import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { KindDefinition } from '#api/kind.ts';
import { MemoryStore } from '../storage/memory.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { RequestContext, WatchFrame, WatchRequest } from './contract.ts';
import { aBody, aContext, aDelete, aKind, aWatch, startRegistry, type TestRegistry, wire } from './testing.ts';

const configMaps = aKind('configmaps');
const pods = aKind('pods');

/** Reads a watch as `TYPE name` texts. */
class Seen {
  readonly frames: WatchFrame[] = [];
  hasEnded = false;
  readonly #stop = new AbortController();

  static async start(
    t: TestRegistry,
    request: Partial<WatchRequest>,
    parts: Partial<RequestContext> = {},
    kind: KindDefinition = configMaps,
  ): Promise<Seen> {
    const seen = new Seen();
    const stream = await t.registry.watch(kind, aWatch(request), aContext({ ...parts, signal: seen.#stop.signal }));
    void seen.#read(stream);
    return seen;
  }

  /** Everything that came so far. */
  async texts(): Promise<string[]> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.frames.map(({ type, encoded }) => {
      const { name, resourceVersion } = wire(encoded).metadata;
      return type === 'BOOKMARK' ? `${type} ${resourceVersion}` : `${type} ${name}`;
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  async #read(stream: AsyncIterable<readonly WatchFrame[]>): Promise<void> {
    for await (const frames of stream) this.frames.push(...frames);
    this.hasEnded = true;
  }
}

async function make({ registry }: TestRegistry, name: string, parts: object = {}, namespace = 'default'): Promise<void> {
  await registry.create(configMaps, aBody({ metadata: { name, ...parts } }), aContext({ namespace }));
}

async function label({ registry }: TestRegistry, name: string, labels: object): Promise<void> {
  const bytes = Buffer.from(JSON.stringify({ metadata: { labels } }));
  await registry.patch(configMaps, name, { type: 'merge', bytes, force: false }, aContext());
}

function start(): Promise<TestRegistry> {
  return startRegistry({ kinds: builtinKinds });
}

describe('watch', () => {
  test('from now tells what happens', async () => {
    await using t = await start();
    await make(t, 'old');
    const seen = await Seen.start(t, { resourceVersion: '1' });
    await make(t, 'a');
    await label(t, 'a', { x: 'y' });
    await t.registry.delete(configMaps, 'a', aDelete(), aContext());
    expect(await seen.texts()).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    const last = seen.frames.at(-1);
    expect(last && wire(last.encoded).metadata).toMatchObject({ labels: { x: 'y' }, resourceVersion: '4' });
    for (const { type, line, encoded } of seen.frames) {
      expect(JSON.parse(Buffer.from(line).toString())).toEqual({ type, object: wire(encoded) });
      expect(encoded.resourceVersion).toBe(wire(encoded).metadata.resourceVersion);
      expect(Buffer.from(line).at(-1)).toBe(10);
    }
  });

  test('without a revision begins with what is there', async () => {
    await using t = await start();
    await make(t, 'a');
    await make(t, 'b');
    await label(t, 'b', { x: 'y' });
    const seen = await Seen.start(t, {});
    const zero = await Seen.start(t, { resourceVersion: '0' });
    await make(t, 'c');
    expect(await seen.texts()).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
    expect(await zero.texts()).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
  });

  test('from the past catches up exactly once', async () => {
    await using t = await start();
    for (const name of ['a', 'b', 'c']) await make(t, name);
    const seen = await Seen.start(t, { resourceVersion: '1' });
    await make(t, 'd');
    expect(await seen.texts()).toEqual(['ADDED b', 'ADDED c', 'ADDED d']);
  });

  test('from a revision to come begins behind it', async () => {
    await using t = await start();
    const seen = await Seen.start(t, { resourceVersion: '2' });
    for (const name of ['a', 'b', 'c']) await make(t, name);
    expect(await seen.texts()).toEqual(['ADDED c']);
  });

  test('streams a list and marks its end', async () => {
    await using t = await start();
    await make(t, 'a');
    const request = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowBookmarks: true } as const;
    const seen = await Seen.start(t, request);
    await make(t, 'b');
    expect(await seen.texts()).toEqual(['ADDED a', 'BOOKMARK 1', 'ADDED b']);
    const [, mark] = seen.frames;
    expect(mark && wire(mark.encoded)).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    const none = await Seen.start(t, { ...request, sendInitialEvents: false });
    await make(t, 'c');
    expect(await none.texts()).toEqual(['ADDED c']);
  });

  test('from too long ago is told so in the stream', async () => {
    await using t = await start();
    await make(t, 'first');
    await t.clock.advance(100_000);
    for (let at = 0; at < 150; at++) await make(t, `c${at}`);
    await t.clock.advance(100_000);
    await make(t, 'last');
    const seen = await Seen.start(t, { resourceVersion: '1' });
    await seen.texts();
    expect(seen.frames.map((frame) => [frame.type, wire(frame.encoded)])).toEqual([
      [
        'ERROR',
        expect.objectContaining({
          kind: 'Status',
          code: 410,
          reason: 'Expired',
          message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/) as string,
        }),
      ],
    ]);
    expect(seen.hasEnded).toBe(true);
  });

  test('of a state that does not come is told so in the stream', async () => {
    await using t = await start();
    await make(t, 'a');
    const starting = Seen.start(t, { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', resourceVersion: '50' });
    await t.clock.advance(3_000);
    const seen = await starting;
    await seen.texts();
    expect(seen.frames.map((frame) => [frame.type, wire(frame.encoded)])).toEqual([
      ['ERROR', expect.objectContaining({ code: 504, message: 'Timeout: Too large resource version: 50, current: 1' })],
    ]);
  });

  test('goes on after the server was started anew', async () => {
    const clock = new FakeClock();
    await using store = new MemoryStore({ clock });
    {
      await using first = await startRegistry({ kinds: builtinKinds, clock, store });
      await make(first, 'a');
      await label(first, 'a', { x: 'y' });
      await make(first, 'b');
      await first.registry.delete(configMaps, 'a', aDelete(), aContext());
    }
    await using t = await startRegistry({ kinds: builtinKinds, clock, store });
    const seen = await Seen.start(t, { resourceVersion: '1' });
    expect(await seen.texts()).toEqual(['MODIFIED a', 'ADDED b', 'DELETED a']);
    const selected = await Seen.start(t, { resourceVersion: '1', labelSelector: 'x=y' });
    expect(await selected.texts()).toEqual(['ADDED a', 'DELETED a']);
    await make(t, 'c');
    expect((await seen.texts()).at(-1)).toBe('ADDED c');
  });
});

describe('a selecting watch', () => {
  test('sees objects come and go as their labels change', async () => {
    await using t = await start();
    await make(t, 'a');
    const seen = await Seen.start(t, { labelSelector: 'x=y' });
    await label(t, 'a', { x: 'y' });
    await label(t, 'a', { z: '1' });
    await label(t, 'a', { x: 'n' });
    await label(t, 'a', { z: '2' });
    expect(await seen.texts()).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    const last = seen.frames.at(-1);
    // The last content that fitted, at the revision of the change that ended it.
    expect(last && wire(last.encoded).metadata).toMatchObject({ labels: { x: 'y', z: '1' }, resourceVersion: '4' });
  });

  test('sees only its namespace, name or node', async () => {
    await using t = await start();
    const inNamespace = await Seen.start(t, {}, { namespace: 'other' });
    const named = await Seen.start(t, { fieldSelector: 'metadata.name=b' });
    const namedAnywhere = await Seen.start(t, { fieldSelector: 'metadata.name=b' }, { namespace: '' });
    const onNode = await Seen.start(t, { fieldSelector: 'spec.nodeName=n1' }, { namespace: '' }, pods);
    await make(t, 'a');
    await make(t, 'b');
    await make(t, 'b', {}, 'other');
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    for (const name of ['p', 'q']) await t.registry.create(pods, aBody({ metadata: { name }, spec }), aContext());
    const bind = (name: string, nodeName: string): Promise<unknown> =>
      t.registry.change(
        pods,
        name,
        (pod) => ({ ...pod, spec: { ...(pod as unknown as { spec: object }).spec, nodeName } }) as never,
        aContext({ subresource: 'binding' }),
      );
    await bind('p', 'n1');
    await bind('q', 'n2');
    await t.registry.delete(pods, 'p', aDelete({ gracePeriodSeconds: 0 }), aContext());
    expect(await inNamespace.texts()).toEqual(['ADDED b']);
    expect(await named.texts()).toEqual(['ADDED b']);
    expect(await namedAnywhere.texts()).toEqual(['ADDED b', 'ADDED b']);
    expect(await onNode.texts()).toEqual(['ADDED p', 'MODIFIED p', 'DELETED p']);
  });

  test('shares its bytes with all others', async () => {
    await using t = await start();
    const watches = await Promise.all(Array.from({ length: 3 }, () => Seen.start(t, { resourceVersion: '0', labelSelector: 'x=y' })));
    await make(t, 'a', { labels: { x: 'y' } });
    await label(t, 'a', { x: 'n' });
    for (const seen of watches) await seen.texts();
    const [first, ...others] = watches.map((seen) => seen.frames.map((frame) => frame.line));
    expect(first).toHaveLength(2);
    for (const lines of others) lines.forEach((line, at) => expect(line).toBe(first?.[at]));
  });
});

describe('bookmarks', () => {
  test('come every minute, with the newest revision, only to those who ask', async () => {
    await using t = await start();
    const asking = await Seen.start(t, { resourceVersion: '0', allowBookmarks: true });
    const silent = await Seen.start(t, { resourceVersion: '0' });
    await make(t, 'a', {}, 'other');
    await t.clock.advance(61_000);
    expect(await asking.texts()).toEqual(['BOOKMARK 1']);
    expect(asking.frames.map((frame) => wire(frame.encoded))).toEqual([
      { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '1' } },
    ]);
    expect(await silent.texts()).toEqual([]);
    await t.clock.advance(60_000);
    expect(await asking.texts()).toEqual(['BOOKMARK 1', 'BOOKMARK 1']);
  });

  test('come before the end that the client set', async () => {
    await using t = await start();
    const seen = await Seen.start(t, { resourceVersion: '0', allowBookmarks: true, timeoutSeconds: 30 });
    await t.clock.advance(27_000);
    expect(await seen.texts()).toEqual([]);
    await t.clock.advance(2_000);
    expect(await seen.texts()).toEqual(['BOOKMARK 0']);
  });
});

describe('the end of a watch', () => {
  test('comes with its signal', async () => {
    await using t = await start();
    const seen = await Seen.start(t, {});
    await seen.texts();
    seen.stop();
    await seen.texts();
    expect(seen.hasEnded).toBe(true);
  });
});
