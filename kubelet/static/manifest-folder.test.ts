import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isHostComponent } from '#api/core/pod/host-component.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { createCodec } from '#api/schema/codec.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { Log } from '#base/log.ts';
import { eventually } from '../testing.ts';
import { ManifestFolder, type ManifestFolderOptions } from './manifest-folder.ts';

const codec = createCodec();
let root: string;
let path: string;
let clock: FakeClock;
let life: AbortController;
let ended: Promise<void> | undefined;
let pods: readonly Pod[] | undefined;
let looks: number;
let codecs: number;
let said: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder-'));
  path = join(root, 'manifests');
  await mkdir(path);
  clock = new FakeClock();
  life = new AbortController();
  [pods, looks, codecs, said] = [undefined, 0, 0, []];
});
afterEach(async () => {
  life.abort(new Error('over'));
  await ended;
  await rm(root, { recursive: true });
});

const say = (fields: object, message: string): void =>
  void said.push(
    `${message}: ${Object.values(fields)
      .filter((one) => typeof one === 'string')
      .join(' ')}`.replaceAll(root, ''),
  );
const log = { info: say, warn: say, error: say, debug: () => undefined } as unknown as Log;

async function follow(options: Partial<ManifestFolderOptions> = {}): Promise<void> {
  const onPods = (all: readonly Pod[]): void => {
    pods = all;
    looks++;
  };
  const deps = {
    onPods,
    codec: () => {
      codecs++;
      return Promise.resolve(codec);
    },
    clock,
    log,
  };
  const service = new ManifestFolder(deps, { path, nodeName: 'n', checkMs: 20_000, ...options });
  await new Promise<void>((resolve) => (ended = service.run(life.signal, resolve)));
}

const text = (name: string, image = 'app'): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image }] } });
const write = (file: string, content: string): Promise<void> => writeFile(join(path, file), content);
const seen = (): string[] => (pods ?? []).map(({ metadata, spec }) => `${metadata.name} ${spec.containers[0]?.image}`);
const until = (...wanted: string[]): Promise<unknown> =>
  eventually(() => seen().join() === wanted.join(), `${wanted.join()}, not ${seen().join()}`);
/** A regular look, whatever the kernel says. */
async function regular(): Promise<void> {
  const before = looks;
  await clock.advance(20_000);
  await eventually(() => looks > before, 'a look');
}

test('files come, change, move and go, at once', async () => {
  await write('b.yaml', text('b'));
  await write('.hidden.yaml', text('hidden'));
  await mkdir(join(path, 'below'));
  await follow();
  expect(seen()).toEqual(['b-n app']);
  await write('a.json', text('a'));
  await until('a-n app', 'b-n app');
  await write('b.yaml', text('b', 'app:2'));
  await until('a-n app', 'b-n app:2');
  await rename(join(path, 'a.json'), join(path, '.a.json'));
  await until('b-n app:2');
  await rm(join(path, 'b.yaml'));
  await until();
  expect(said).toEqual(['manifests in a folder below are not read: /manifests/below']);
});

test('one that cannot be used is named, and disturbs no other; what it said before ends with the next regular look', async () => {
  await write('a.yaml', text('a'));
  await write('b.yaml', text('b'));
  await follow();
  await write('a.yaml', '{');
  await write('c.yaml', text('c'));
  await until('a-n app', 'b-n app', 'c-n app');
  await eventually(() => said.length > 0, 'a word');
  expect(said).toEqual([expect.stringMatching(/^a manifest cannot be used: \/manifests\/a\.yaml yaml: /)]);
  await regular();
  await until('b-n app', 'c-n app');
  await regular();
  expect(said).toHaveLength(1);
  await write('a.yaml', text('a', 'app:2'));
  await until('a-n app:2', 'b-n app', 'c-n app');
});

test('of two files with one pod, the later counts', async () => {
  await write('a.yaml', text('x', 'one'));
  await write('b.yaml', text('x', 'two'));
  await follow();
  expect(seen()).toEqual(['x-n two']);
});

test('a folder that is not there yet is waited for', async () => {
  await rm(path, { recursive: true });
  await follow();
  expect(seen()).toEqual([]);
  expect(said).toEqual(['cannot read static pods: /manifests path does not exist, ignoring']);
  await mkdir(path);
  await write('a.yaml', text('a'));
  await until('a-n app');
});

test('a folder that takes the place of another one is watched in its stead', async () => {
  await write('a.yaml', text('a'));
  await follow();
  await rename(path, join(root, 'old'));
  await regular();
  await until();
  await mkdir(path);
  await write('b.yaml', text('b'));
  await regular();
  await until('b-n app');
  await write('c.yaml', text('c'));
  await until('b-n app', 'c-n app');
});

test('one file alone', async () => {
  await write('a.yaml', text('a'));
  await write('b.yaml', text('b'));
  await follow({ path: join(path, 'a.yaml') });
  expect(seen()).toEqual(['a-n app']);
  await write('.new', text('a', 'app:2'));
  await rename(join(path, '.new'), join(path, 'a.yaml'));
  await until('a-n app:2');
});

test('what is somebody else’s is left to him', async () => {
  await write('a.yaml', text('a'));
  await write('b.yaml', text('b'));
  await follow({ isOthers: ({ metadata }) => metadata?.name === 'a' });
  expect(seen()).toEqual(['b-n app']);
});

test('to know that a component of the host is meant takes no schemas, and nonsense is no component', async () => {
  const command = ['etcd', '--name=a'];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'etcd' }, spec: { containers: [{ name: 'etcd', command }] } };
  await write('etcd.yaml', JSON.stringify(pod));
  await follow({ isOthers: isHostComponent });
  expect([codecs, said, seen()]).toEqual([0, [], []]);
  await write('odd.yaml', JSON.stringify({ ...pod, spec: { containers: 7 } }));
  await write('odd2.yaml', JSON.stringify({ ...pod, spec: { containers: [{ name: 'c', command: 7 }] } }));
  await eventually(() => said.length >= 2, 'two words');
  expect(said.every((one) => one.includes('unmarshal'))).toBe(true);
});

test('a path that leads in a circle is named, and the kubelet goes on', async () => {
  await rm(path, { recursive: true });
  await symlink('manifests', path);
  await follow();
  expect(said).toEqual([expect.stringMatching(/^cannot read static pods: .*ELOOP/)]);
  await rm(path);
  await mkdir(path);
  await write('a.json', text('a'));
  await regular();
  await until('a-n app');
});
