import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1EmptyDirVolumeSource, V1PodSpec } from '#api/generated/types.ts';
import { hugePageOptions, makeDiskFolder, memorySizeBytes } from './own-folder.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'own-folder-'));
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777;

test('everybody may write to a folder on disk', async () => {
  await makeDiskFolder(join(root, 'cache'), undefined);
  expect(await modeOf(join(root, 'cache'))).toBe(0o777);
});

test('with a group, it belongs to that group', async () => {
  const group = process.getgid?.() ?? 0;
  await makeDiskFolder(join(root, 'cache'), group);
  expect(await modeOf(join(root, 'cache'))).toBe(0o2777);
  expect((await stat(join(root, 'cache'))).gid).toBe(group);
});

test('what containers have done to it stays', async () => {
  await makeDiskFolder(join(root, 'cache'), undefined);
  await chmod(join(root, 'cache'), 0o700);
  await makeDiskFolder(join(root, 'cache'), undefined);
  expect(await modeOf(join(root, 'cache'))).toBe(0o700);
});

test('one that a killed kubelet has begun is finished', async () => {
  await mkdir(join(root, '.cache.new'), { mode: 0o755 });
  await makeDiskFolder(join(root, 'cache'), undefined);
  expect(await modeOf(join(root, 'cache'))).toBe(0o777);
  expect(await readdir(root)).toEqual(['cache']);
});

const mebibyte = 2 ** 20;
const limited = (memory: string): V1PodSpec['containers'][number] => ({ name: memory, resources: { limits: { memory } } });
const free = { name: 'free' };

test.each<[string, Partial<V1PodSpec>, V1EmptyDirVolumeSource | undefined, Record<string, string>, number | undefined]>([
  ['what the node has for pods', { containers: [free] }, {}, { memory: '100Mi' }, 100],
  ['the same for a volume with secrets', { containers: [free] }, undefined, { memory: '100Mi' }, 100],
  ['its own limit', { containers: [free] }, { sizeLimit: '10Mi' }, { memory: '100Mi' }, 10],
  ['what the node has, whatever its limit', { containers: [free] }, { sizeLimit: '1Gi' }, { memory: '100Mi' }, 100],
  ["the pod's limit", { containers: [limited('20Mi'), limited('30Mi')] }, { sizeLimit: '1Gi' }, { memory: '100Mi' }, 50],
  ['the limit of the pod as a whole', { containers: [free], resources: { limits: { memory: '40Mi' } } }, {}, { memory: '100Mi' }, 40],
  ['no limit of a pod in which one container has none', { containers: [limited('20Mi'), free] }, {}, { memory: '100Mi' }, 100],
  ['nothing that is known', { containers: [free] }, { sizeLimit: '0' }, {}, undefined],
])('a volume in memory may be as large as %s', (_, spec, emptyDir, allocatable, expected) => {
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: spec as V1PodSpec };
  const volume = { name: 'v', ...(emptyDir === undefined ? { secret: {} } : { emptyDir: { medium: 'Memory', ...emptyDir } }) };
  expect(memorySizeBytes(pod, volume, allocatable)).toBe(expected === undefined ? undefined : expected * mebibyte);
});

const paged = (...sizes: string[]): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: sizes.map((size) => ({ name: size.toLowerCase(), resources: { requests: { [`hugepages-${size}`]: size } } })) },
});

test.each<[name: string, pod: Pod, medium: string, group: number | undefined, options: string[]]>([
  ['of the only size', paged('2Mi', '2Mi'), 'HugePages', undefined, ['pagesize=2048K', 'mode=0777']],
  ['of the size that is named', paged('2Mi', '1Gi'), 'HugePages-1Gi', 7, ['pagesize=1048576K', 'mode=0777', 'gid=7']],
])('huge pages %s', (_, pod, medium, group, options) => expect(hugePageOptions(pod, medium, group)).toEqual(options));

test.each<[name: string, pod: Pod, medium: string, message: string]>([
  ['several sizes', paged('2Mi', '1Gi'), 'HugePages', "medium: HugePages can't be used if container requests multiple huge page sizes"],
  ['none', { metadata: {}, spec: { containers: [free] } }, 'HugePages', 'there is no resource request for huge pages.'],
  ['others', paged('2Mi'), 'HugePages-1Gi', 'there is no resource request for huge pages.'],
])('huge pages where the pod asks for %s are refused', (_, pod, medium, message) =>
  expect(() => hugePageOptions(pod, medium, undefined)).toThrow(message),
);
