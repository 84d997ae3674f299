import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ImageAccounts } from './image-accounts.ts';

describe('the accounts of an image', () => {
  const { signal } = new AbortController();
  let root: string;
  let upper: string;
  let lower: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'accounts-'));
    [upper, lower] = [join(root, 'upper'), join(root, 'lower')];
    await mkdir(join(upper, 'etc'), { recursive: true });
    await mkdir(join(lower, 'etc'), { recursive: true });
  });
  afterEach(async () => await rm(root, { recursive: true }));
  const read = (...layers: string[]) => new ImageAccounts({ layers: async () => layers }).of('id', signal);

  test('each file from the topmost layer that has it', async () => {
    await writeFile(join(lower, 'etc/passwd'), 'old');
    await writeFile(join(lower, 'etc/group'), 'groups');
    await writeFile(join(upper, 'etc/passwd'), 'new');
    expect(await read(upper, lower)).toEqual({ passwd: 'new', group: 'groups' });
  });

  test('none', async () => {
    expect(await read(upper, lower)).toEqual({ passwd: '', group: '' });
  });

  test('a link is not followed, wherever it stands', async () => {
    await writeFile(join(lower, 'etc/group'), 'groups');
    await symlink('/etc/passwd', join(upper, 'etc/passwd'));
    expect(await read(upper, lower)).toBeUndefined();
    const linked = join(root, 'linked');
    await mkdir(linked);
    await symlink('/etc', join(linked, 'etc'));
    expect(await read(linked)).toBeUndefined();
  });

  test('where the engine has no folders, nobody knows', async () => {
    expect(await new ImageAccounts({ layers: async () => undefined }).of('id', signal)).toBeUndefined();
  });
});
