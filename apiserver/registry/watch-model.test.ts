// Watches against a model: whatever happens in whatever order, applying a watch's frames to what it began with gives what a list
// with the same selector shows.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { Encoded, RequestContext, WatchFrame } from './contract.ts';
import { aBody, aContext, aDelete, aKind, aList, aWatch, startRegistry, wire } from './testing.ts';

const configMaps = aKind('configmaps');

type Step =
  | { readonly do: 'put'; readonly name: string; readonly namespace: string; readonly color: string }
  | { readonly do: 'delete'; readonly name: string; readonly namespace: string }
  | { readonly do: 'watch'; readonly selector: string; readonly namespace: string; readonly back: number };

const name = fc.constantFrom('a', 'b', 'c', 'd');
const namespace = fc.constantFrom('x', 'y');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), name, namespace, color: fc.constantFrom('red', 'blue', '') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), name, namespace }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('watch' as const),
      selector: fc.constantFrom('', 'color=red', 'color!=red', '!color'),
      namespace: fc.constantFrom('', 'x'),
      back: fc.nat(5),
    }),
  },
);

class Follower {
  readonly selector: string;
  readonly context: RequestContext;
  readonly state = new Map<string, string>();
  readonly problems: string[] = [];
  #seen = 0;

  constructor(selector: string, context: RequestContext) {
    this.selector = selector;
    this.context = context;
  }

  async follow(stream: AsyncIterable<readonly WatchFrame[]>): Promise<void> {
    for await (const frames of stream) for (const frame of frames) this.#take(frame);
  }

  #take({ type, encoded }: WatchFrame): void {
    const [key, text] = shown(encoded);
    const revision = Number(encoded.resourceVersion);
    if (revision <= this.#seen) this.problems.push(`${type} ${key} at ${revision} after ${this.#seen}`);
    this.#seen = revision;
    if ((type === 'ADDED') === this.state.has(key))
      this.problems.push(`${type} of ${key}, which was ${this.state.has(key) ? '' : 'not '}there`);
    if (type === 'DELETED') this.state.delete(key);
    else this.state.set(key, text);
  }
}

test('a list and the watch that follows it always agree with a later list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      await using t = await startRegistry({ kinds: builtinKinds });
      const { registry } = t;
      const stop = new AbortController();
      const followers: Follower[] = [];
      const list = async (selector: string, context: RequestContext): Promise<Map<string, string>> => {
        const { items } = await registry.list(configMaps, aList({ labelSelector: selector }), context);
        return new Map([...items].map(shown));
      };
      for (const one of steps) {
        if (one.do === 'watch') {
          const context = aContext({ namespace: one.namespace, signal: stop.signal });
          const follower = new Follower(one.selector, context);
          const newest = Number((await registry.list(configMaps, aList(), context)).resourceVersion);
          if (newest === 0) continue;
          // Begins with the list of a revision, now and then of a past one.
          const resourceVersion = String(Math.max(1, newest - one.back));
          const exact = aList({ labelSelector: one.selector, resourceVersion, resourceVersionMatch: 'Exact' });
          for (const item of (await registry.list(configMaps, exact, context)).items) follower.state.set(...shown(item));
          const stream = await registry.watch(configMaps, aWatch({ labelSelector: one.selector, resourceVersion }), context);
          void follower.follow(stream).catch((error: unknown) => follower.problems.push(String(error)));
          followers.push(follower);
          continue;
        }
        const context = aContext({ namespace: one.namespace });
        if (one.do === 'delete') {
          await registry.delete(configMaps, one.name, aDelete(), context).catch(() => undefined);
          continue;
        }
        const labels = one.color === '' ? {} : { color: one.color };
        const body = aBody({ metadata: { name: one.name, labels } });
        await registry.create(configMaps, body, context).catch(() => registry.update(configMaps, one.name, body, context));
      }
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      for (const follower of followers) {
        expect(follower.problems).toEqual([]);
        expect(follower.state).toEqual(await list(follower.selector, follower.context));
      }
      stop.abort();
    }),
    { numRuns: 60 },
  );
});

function shown(encoded: Encoded): [string, string] {
  const { namespace: space, name: own, labels, resourceVersion } = wire(encoded).metadata;
  return [`${space}/${own}`, `${JSON.stringify(labels)} ${resourceVersion}`];
}
