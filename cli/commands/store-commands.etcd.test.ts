// All objects of a cluster go from an embedded store into a file, from there into etcd, and back into an embedded store.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Store } from '#apiserver/storage/contract.ts';
import { EtcdStore } from '#apiserver/storage/etcd/etcd-store.ts';
import { LmdbStore } from '#apiserver/storage/lmdb.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { EtcdCluster } from '#test/testbed/etcd.ts';
import { createSteps } from '../steps.ts';
import type { CommandContext } from './context.ts';
import { migrate } from './migrate.ts';
import { snapshot } from './snapshot.ts';

const { signal } = new AbortController();
const clock = systemClock;
const log = silentLog;
let open: AsyncDisposableStack;
let folder: string;
let cluster: EtcdCluster;

beforeEach(async () => {
  open = new AsyncDisposableStack();
  folder = mkdtempSync(join(tmpdir(), 'coxswain-move-'));
  open.defer(() => rmSync(folder, { recursive: true }));
  cluster = open.use(await EtcdCluster.start());
});
afterEach(() => open[Symbol.asyncDispose]());

async function run(command: (context: CommandContext) => Promise<void>, ...argv: readonly string[]): Promise<string> {
  const answers: string[] = [];
  const steps = createSteps({ write: () => undefined }, clock);
  await command({ argv, env: {}, signal, clock, log, steps, bundleDir: '', print: (text) => void answers.push(text) });
  return answers.join('');
}

function embedded(name: string): Promise<LmdbStore> {
  mkdirSync(join(folder, name), { recursive: true });
  return LmdbStore.open({ folder: join(folder, name, 'store'), clock, log });
}

function inEtcd(): Promise<EtcdStore> {
  const tls = { caFile: undefined, certFile: undefined, keyFile: undefined };
  return EtcdStore.open({ servers: cluster.servers, tls, clock, log }, signal);
}

/** 1,200 objects, among them one that goes by itself; answers the newest revision. */
async function makeObjects(): Promise<number> {
  await using store = await embedded('first');
  const put = (key: string, value: string): Promise<unknown> => store.put(key, Buffer.from(value), { expectedRevision: 0 }, signal);
  await Promise.all(Array.from({ length: 1_199 }, (_, at) => put(`/registry/configmaps/default/m${at}`, `{"at":${at}}`)));
  await put('/registry/events/default/e', '{"kind":"Event"}');
  return await store.currentRevision(signal);
}

async function contents(store: Store): Promise<[string, string][]> {
  const { items } = await store.list('/registry/', {}, signal);
  return items.map(({ key, value }) => [key, Buffer.from(value).toString()]);
}

test('save, restore into etcd, and back: the objects are the same, revisions only grow', async () => {
  const revision = await makeObjects();
  const file = join(folder, 'all.snapshot');
  const etcd = `--etcd-servers=${cluster.servers.join(',')}`;
  expect(await run(snapshot, 'save', file, `--data-dir=${join(folder, 'first')}`)).toBe(
    `1200 objects of revision ${revision} are in ${file}.\n`,
  );
  expect(readdirSync(folder).toSorted()).toEqual(['all.snapshot', 'first']);
  await expect(run(snapshot, 'save', file, `--data-dir=${join(folder, 'first')}`)).rejects.toThrow(
    `${file} is there already: nothing is overwritten`,
  );

  expect(await run(snapshot, 'restore', file, etcd)).toContain(`1200 objects of revision ${revision} are in etcd at`);
  await expect(run(snapshot, 'restore', file, etcd)).rejects.toThrow('holds objects already: nothing is overwritten');
  // The event hangs on a lease of its hour.
  expect((await cluster.ctl('lease', 'list')).trim().split('\n')).toHaveLength(2);
  let later: number;
  {
    await using store = await inEtcd();
    await using first = await embedded('first');
    expect(await contents(store)).toEqual(await contents(first));
    later = await store.currentRevision(signal);
    expect(later).toBeGreaterThan(revision + 1_000_000_000);
    const watch = store.watch('/registry/', revision, signal)[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ code: 'compacted' });
  }

  expect(await run(migrate, 'from-etcd', etcd, `--data-dir=${join(folder, 'second')}`)).toContain('1200 objects of revision');
  await using back = await embedded('second');
  await using first = await embedded('first');
  expect(await contents(back)).toEqual(await contents(first));
  expect(await back.currentRevision(signal)).toBeGreaterThan(later);
});

test('the embedded store goes to etcd without a file between', async () => {
  const revision = await makeObjects();
  const etcd = `--etcd-servers=${cluster.servers.join(',')}`;
  await run(migrate, 'to-etcd', etcd, `--data-dir=${join(folder, 'first')}`);
  await using store = await inEtcd();
  expect(await contents(store)).toHaveLength(1_200);
  expect(await store.currentRevision(signal)).toBeGreaterThan(revision);
});

test.each<[name: string, spoil: (bytes: Buffer) => Buffer, message: string]>([
  ['a flipped byte', (bytes) => bytes.fill('#', 300, 301), 'is damaged'],
  ['a cut end', (bytes) => bytes.subarray(0, bytes.length - 1), 'is damaged'],
  ['something else', () => Buffer.from('hello\n'), 'is no snapshot of Coxswain'],
])('%s is noticed before anything is written', async (_name, spoil, message) => {
  await makeObjects();
  const file = join(folder, 'all.snapshot');
  await run(snapshot, 'save', file, `--data-dir=${join(folder, 'first')}`);
  writeFileSync(file, spoil(readFileSync(file)));
  await expect(run(snapshot, 'restore', file, `--etcd-servers=${cluster.servers.join(',')}`)).rejects.toThrow(message);
  await using store = await inEtcd();
  expect(await contents(store)).toEqual([]);
});

test.each<[argv: string[], message: string]>([
  [['save'], 'what to do is needed: save FILE or restore FILE (see coxswain snapshot --help)'],
  [['save', 'x', '--data-dir=/nowhere'], 'there is no embedded store in /nowhere/store'],
  [['restore', '/nowhere/x', '--data-dir=/nowhere'], 'cannot read /nowhere/x: there is no such file'],
])('snapshot %j is refused', async (argv, message) => {
  await expect(run(snapshot, ...argv)).rejects.toThrow(message);
});
