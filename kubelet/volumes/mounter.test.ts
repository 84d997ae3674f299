import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { eventually } from '../testing.ts';
import { MountError, systemMounter, tmpfsOptions } from './mounter.ts';

const folder = mkdtempSync(join(tmpdir(), 'mounter-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();

const none = 'Filename\t\t\t\tType\t\tSize\n';
const some = `${none}/swap.img file 2097148\n`;

test.each([
  ['without swap', {}, none, '6.12.0', ['mode=1777']],
  ['with swap', {}, some, '6.4.0-1', ['mode=1777', 'noswap']],
  ['of a later kernel', {}, some, '7.0.1', ['mode=1777', 'noswap']],
  ['of a kernel that cannot', {}, some, '6.1.0-18-amd64', ['mode=1777']],
  ['for a group, and of a size', { group: 7, sizeBytes: 4_096 }, some, '6.18.44', ['mode=3777', 'gid=7', 'size=4096', 'noswap']],
] as const)('a folder in memory %s', (_, { group, sizeBytes }: { group?: number; sizeBytes?: number }, swaps, kernel, options) => {
  expect(tmpfsOptions({ group, sizeBytes }, swaps, kernel)).toEqual(options);
});

describe('unmounting', () => {
  /** Stands for umount(8): writes down what it was asked, and waits for ever unless it is told to use force. */
  function umount(name: string, forced: string): { path: string; asked: () => string } {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho "$@" >>${path}.asked\n[ "$1" = -f ] && ${forced}\nexec sleep 1000\n`);
    chmodSync(path, 0o755);
    writeFileSync(`${path}.asked`, '');
    return { path, asked: () => readFileSync(`${path}.asked`, 'utf8') };
  }

  test('what does not let go is forced after a minute', async () => {
    const clock = new FakeClock();
    const { path, asked } = umount('forced', 'exit 0');
    const done = systemMounter({ clock, umount: path }).unmount('/gone', signal);
    await eventually(() => asked() === '/gone\n', 'the first try');
    await clock.advance(60_000);
    await done;
    expect(asked()).toBe('/gone\n-f /gone\n');
  });

  test('and given up after another', async () => {
    const clock = new FakeClock();
    const { path, asked } = umount('stuck', 'exec sleep 1000');
    const done = systemMounter({ clock, umount: path }).unmount('/gone', signal);
    const failed = expect(done).rejects.toThrow(new MountError('umount -f /gone failed: it takes longer than 60s'));
    await eventually(() => asked() === '/gone\n', 'the first try');
    await clock.advance(60_000);
    await eventually(() => asked() === '/gone\n-f /gone\n', 'the second');
    await clock.advance(60_000);
    await failed;
  });

  test('what umount says is told', async () => {
    const { path } = umount('busy', 'true');
    writeFileSync(path, '#!/bin/sh\necho "target is busy." >&2\nexit 32\n');
    await expect(systemMounter({ umount: path }).unmount('/busy', signal)).rejects.toThrow('/busy failed: target is busy.');
  });
});
