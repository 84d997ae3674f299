// What watchers of ConfigMaps are told, and from when on.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AnyEvent, type AnyObject, type ApiSession, type ApiUnderTest, pathOf, startApi } from '../api-session.ts';

let under: ApiUnderTest;
let api: ApiSession;
let namespace = '';
let maps = '';
let made = 0;
const byLabel = (value: string): string => `labelSelector=${encodeURIComponent(`watch-this in (${value})`)}`;
const body = (name: string, label: string): object => ({ metadata: { name, labels: { 'watch-this': label } }, data: { mutation: '0' } });
const mutate = (name: string, mutation: number): Promise<AnyObject> =>
  api.update(`${maps}/${name}`, (found) => ({ ...found, data: { mutation: String(mutation) } }));
const relabel = (name: string, label: string): Promise<AnyObject> =>
  api.update(`${maps}/${name}`, (found) => ({ ...found, metadata: { ...found.metadata, labels: { 'watch-this': label } } }));
const shown = ({ type, object }: AnyEvent): [string, unknown] => [type, (object['data'] as { mutation?: string }).mutation];

beforeAll(async () => {
  under = await startApi();
  ({ api } = under);
});
afterAll(async () => under[Symbol.asyncDispose]());
beforeEach(async () => {
  namespace = `watch-${++made}`;
  maps = pathOf('v1', 'configmaps', namespace);
  await api.post('/api/v1/namespaces', { metadata: { name: namespace } });
});

describe('watchers', () => {
  test('observe add, update and delete notifications of what they selected, and of nothing else', async () => {
    await using a = await api.watch(maps, byLabel('a'));
    await using b = await api.watch(maps, byLabel('b'));
    await using both = await api.watch(maps, byLabel('a,b'));
    await api.post(maps, body('one', 'a'));
    await mutate('one', 1);
    await mutate('one', 2);
    await api.delete(`${maps}/one`);
    await api.post(maps, body('two', 'b'));
    await api.delete(`${maps}/two`);
    const ofOne = [
      ['ADDED', '0'],
      ['MODIFIED', '1'],
      ['MODIFIED', '2'],
      ['DELETED', '2'],
    ];
    const ofTwo = [
      ['ADDED', '0'],
      ['DELETED', '0'],
    ];
    expect((await a.until(({ type }) => type === 'DELETED')).map(shown)).toEqual(ofOne);
    expect((await b.until(({ type }) => type === 'DELETED')).map(shown)).toEqual(ofTwo);
    const seen = await both.until(({ type, object }) => type === 'DELETED' && object.metadata.name === 'two');
    expect(seen.map(shown)).toEqual([...ofOne, ...ofTwo]);
  });

  test('can start from a resource version of the past', async () => {
    await api.post(maps, body('from', 'a'));
    const first = await mutate('from', 1);
    await mutate('from', 2);
    await api.delete(`${maps}/from`);
    await using watch = await api.watch(maps, `${byLabel('a')}&resourceVersion=${first.metadata.resourceVersion}`);
    expect((await watch.until(({ type }) => type === 'DELETED')).map(shown)).toEqual([
      ['MODIFIED', '2'],
      ['DELETED', '2'],
    ]);
  });

  test('can restart from the last resource version that an earlier watch observed', async () => {
    let last: AnyEvent;
    {
      await using watch = await api.watch(maps, byLabel('a'));
      await api.post(maps, body('again', 'a'));
      await mutate('again', 1);
      last = (await watch.until(({ type }) => type === 'MODIFIED')).at(-1) as AnyEvent;
    }
    await mutate('again', 2);
    await api.delete(`${maps}/again`);
    await using watch = await api.watch(maps, `${byLabel('a')}&resourceVersion=${last.object.metadata.resourceVersion}`);
    expect((await watch.until(({ type }) => type === 'DELETED')).map(shown)).toEqual([
      ['MODIFIED', '2'],
      ['DELETED', '2'],
    ]);
  });

  test('observe an object as deleted while it does not match, and as added when it matches again', async () => {
    await using watch = await api.watch(maps, byLabel('a'));
    await api.post(maps, body('wanders', 'a'));
    await mutate('wanders', 1);
    await relabel('wanders', 'elsewhere');
    await mutate('wanders', 2);
    await relabel('wanders', 'a');
    await mutate('wanders', 3);
    await api.delete(`${maps}/wanders`);
    const seen = await watch.until(({ type, object }) => type === 'DELETED' && shown({ type, object })[1] === '3');
    expect(seen.map(shown)).toEqual([
      ['ADDED', '0'],
      ['MODIFIED', '1'],
      ['DELETED', '1'],
      ['ADDED', '2'],
      ['MODIFIED', '3'],
      ['DELETED', '3'],
    ]);
  });

  test('that run at the same time see the same versions in the same order', async () => {
    await using first = await api.watch(maps);
    const writing = (async () => {
      for (let at = 0; at < 20; at++) {
        await api.post(maps, body(`many-${at}`, 'a'));
        await mutate(`many-${at}`, 1);
        if (at % 2 === 0) await api.delete(`${maps}/many-${at}`);
      }
    })();
    const versions = (events: readonly AnyEvent[]): string[] => events.map(({ object }) => object.metadata.resourceVersion);
    const isLast = ({ type, object }: AnyEvent): boolean => type === 'MODIFIED' && object.metadata.name === 'many-19';
    const seen = versions(await first.until((event) => event.type !== 'BOOKMARK' && isLast(event)));
    await writing;
    for (const at of [0, 1, 7, 23]) {
      await using later = await api.watch(maps, `resourceVersion=${seen[at]}`);
      expect(versions(await later.until(isLast))).toEqual(seen.slice(at + 1));
    }
  });
});
