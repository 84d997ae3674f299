import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeLogFolders } from './log-folders.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'logs-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('a pod’s logs go by its uid, those of others stay', async () => {
  for (const name of ['ns_p_u1/c', 'other_q_u1', 'ns_p_u2', 'ns_p_xu1']) await mkdir(join(root, name), { recursive: true });
  await removeLogFolders('u1', root);
  expect((await readdir(root)).toSorted()).toEqual(['ns_p_u2', 'ns_p_xu1']);
  await removeLogFolders('u1', join(root, 'not-there'));
});

test('links to them go too, also of a pod that is there again under the same name', async () => {
  const links = join(root, 'containers');
  await mkdir(links);
  for (const uid of ['u1', 'u2']) {
    await mkdir(join(root, `ns_p_${uid}/c`), { recursive: true });
    await symlink(join(root, `ns_p_${uid}/c/0.log`), join(links, `p_ns_c-${uid}.log`));
  }
  await removeLogFolders('u1', root, links);
  expect(await readdir(links)).toEqual(['p_ns_c-u2.log']);
});
