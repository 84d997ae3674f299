import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderMounter } from '../testing.ts';
import { mountLayers } from './image-volume.ts';
import type { FilesystemMount } from './mounter.ts';

const { signal } = new AbortController();

async function mountsOf(layers: readonly string[]): Promise<FilesystemMount[]> {
  const seen: FilesystemMount[] = [];
  const mounter = { ...folderMounter(), mountFilesystem: async (mount: FilesystemMount) => void seen.push(mount) };
  await mountLayers(layers, '/target', mounter, signal);
  return seen;
}

test('one layer is shown as it is, several one over the other', async () => {
  expect(await mountsOf(['/o/a/diff'])).toEqual([
    { type: 'none', source: '/o/a/diff', options: ['bind', 'ro', 'noexec', 'nosuid', 'nodev'] },
  ]);
  const options = ['ro', 'noexec', 'nosuid', 'nodev', 'lowerdir=/o/b/diff:/o/a/diff'];
  expect(await mountsOf(['/o/b/diff', '/o/a/diff'])).toEqual([{ type: 'overlay', source: 'overlay', options }]);
});

test('very many layers go by their short names, for the kernel takes a page of options', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'layers-'));
  try {
    const layers = Array.from({ length: 120 }, (_, at) => join(folder, `${at}`.padStart(64, '0'), 'diff'));
    for (const [at, layer] of layers.entries()) {
      await mkdir(layer, { recursive: true });
      await writeFile(join(layer, '../link'), `SHORT${at}`);
    }
    const [mount] = await mountsOf(layers);
    expect(mount?.workingFolder).toBe(folder);
    expect(mount?.options.at(-1)).toMatch(/^lowerdir=l\/SHORT0:l\/SHORT1:.+:l\/SHORT119$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
