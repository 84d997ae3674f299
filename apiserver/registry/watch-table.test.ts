// What a watch begins with, for every kind of revision and wish, case by case as upstream tests its stores (apiserver/pkg/storage/testing).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { RequestContext, WatchFrame, WatchRequest } from './contract.ts';
import { aBody, aContext, aKind, aWatch, startRegistry, type TestRegistry, wire } from './testing.ts';

const configMaps = aKind('configmaps');
let t: TestRegistry;
let namespaces = 0;

beforeAll(async () => {
  t = await startRegistry({ kinds: builtinKinds });
  // So that the revision 1 is one of the past, in which nothing of the cases was there.
  await make('default', 'first');
});
afterAll(() => t[Symbol.asyncDispose]());

async function make(namespace: string, ...names: string[]): Promise<string> {
  let revision = '';
  for (const name of names) {
    const made = await t.registry.create(configMaps, aBody({ metadata: { name } }), aContext({ namespace }));
    revision = wire(made).metadata.resourceVersion ?? '';
  }
  return revision;
}

/** Reads a watch until it has nothing more to tell: `ADDED name`, and `END revision` for the bookmark that marks the end of the state. */
async function told(request: Partial<WatchRequest>, parts: Partial<RequestContext>, meanwhile: () => Promise<unknown>): Promise<string[]> {
  const stop = new AbortController();
  const frames: WatchFrame[] = [];
  const stream = await t.registry.watch(configMaps, aWatch(request), aContext({ ...parts, signal: stop.signal }));
  const reading = (async () => {
    for await (const some of stream) frames.push(...some);
  })();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await settle();
  await meanwhile();
  await settle();
  stop.abort();
  await reading.catch(() => undefined);
  return frames.map(({ type, encoded }) => {
    const { name, resourceVersion, annotations } = wire(encoded).metadata;
    return type === 'BOOKMARK' && annotations?.['k8s.io/initial-events-end'] === 'true' ? `END ${resourceVersion}` : `${type} ${name}`;
  });
}

const state = ['ADDED a', 'ADDED b', 'ADDED c'];
const later = ['ADDED d', 'ADDED e'];

interface Case {
  readonly allowBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  /** `now` is the newest. */
  readonly revision: '' | '0' | '1' | 'now';
  readonly begins: readonly string[];
  readonly isMarked: boolean;
}

const cases: Case[] = (['', '0', '1', 'now'] as const).flatMap((revision) =>
  [true, false].flatMap((allowBookmarks) =>
    [true, false].map((sendInitialEvents) => ({
      allowBookmarks,
      sendInitialEvents,
      revision,
      // From a revision of the past the same objects come as what has happened since.
      begins: sendInitialEvents || revision === '1' ? state : [],
      isMarked: sendInitialEvents && allowBookmarks,
    })),
  ),
);
const legacy: Case[] = (['', '0'] as const).map((revision) => ({
  allowBookmarks: false,
  sendInitialEvents: undefined,
  revision,
  begins: state,
  isMarked: false,
}));

describe('a watch', () => {
  test.each([...cases, ...legacy])(
    'from $revision, bookmarks: $allowBookmarks, initial events: $sendInitialEvents',
    async ({ allowBookmarks, sendInitialEvents, revision, begins, isMarked }) => {
      const namespace = `ns-${namespaces++}`;
      const newest = await make(namespace, 'a', 'b', 'c');
      const request: Partial<WatchRequest> = {
        allowBookmarks,
        sendInitialEvents,
        resourceVersion: revision === 'now' ? newest : revision,
        resourceVersionMatch: sendInitialEvents === undefined ? '' : 'NotOlderThan',
      };
      const texts = await told(request, { namespace }, () => make(namespace, 'd', 'e'));
      expect(texts).toEqual([...begins, ...(isMarked ? [`END ${newest}`] : []), ...later]);
    },
  );
});

const streamed = { allowBookmarks: true, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } as const;

test('the end of the state is of the newest revision of all, wherever something was written', async () => {
  const namespace = `ns-${namespaces++}`;
  await make(namespace, 'a', 'b');
  const newest = await make('elsewhere', 'x');
  expect(await told(streamed, { namespace }, () => Promise.resolve())).toEqual(['ADDED a', 'ADDED b', `END ${newest}`]);
});

test('of one name the state is one object, and its end of the newest revision, too', async () => {
  const namespace = `ns-${namespaces++}`;
  const newest = await make(namespace, 'a', 'b', 'c');
  const request = { ...streamed, fieldSelector: 'metadata.name=a' };
  expect(await told(request, { namespace }, () => make(namespace, 'd'))).toEqual(['ADDED a', `END ${newest}`]);
});

test.each([
  ['its namespace in a selector', 'metadata.namespace=', 'own', ['ADDED a']],
  ['another namespace in a selector', 'metadata.namespace=other', '', []],
  ['all but its namespace', 'metadata.namespace!=', 'own', []],
])('%s', async (_name, selector, which, expected) => {
  const namespace = `ns-${namespaces++}`;
  const fieldSelector = `${selector}${which === 'own' ? namespace : ''}`;
  const { resourceVersion } = await t.registry.list(configMaps, { ...aWatch(), limit: undefined }, aContext({ namespace }));
  expect(await told({ resourceVersion, fieldSelector }, { namespace }, () => make(namespace, 'a'))).toEqual(expected);
});
