import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { lockHost } from './host-lock.ts';

let folder: string;
let path: string;
let clock: FakeClock;
let told: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(folder, 'lock');
  clock = new FakeClock();
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const take = (command: string, signal = new AbortController().signal): Promise<Disposable> =>
  lockHost({ path, command, clock, detail: (text) => told.push(text) }, signal);

test('one at a time: the second waits, says for whom, and goes on when the first is done', async () => {
  const first = await take('coxswain up');
  let hasSecond = false;
  const second = take('coxswain down').then((lock) => {
    hasSecond = true;
    return lock;
  });
  await clock.advance(5_000);
  expect(hasSecond).toBe(false);
  expect(told).toEqual([`waiting for 'coxswain up' (process ${process.pid})`]);
  first[Symbol.dispose]();
  await clock.advance(200);
  (await second)[Symbol.dispose]();
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['of a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, startTicks: '1', command: 'coxswain up' })],
  [
    'of an earlier process with a number that is in use again',
    JSON.stringify({ pid: process.pid, startTicks: '1', command: 'coxswain up' }),
  ],
  ['of before the reboot', JSON.stringify({ pid: process.pid, startTicks: '1', boot: 'another', command: 'coxswain up' })],
  ['that is torn', '{"pid":'],
])('a lock %s holds nobody up', async (_name, content) => {
  writeFileSync(path, content);
  using _lock = await take('coxswain up');
  expect(told).toEqual([]);
});

test('waiting ends with the signal', async () => {
  using _first = await take('coxswain up');
  const life = new AbortController();
  const second = take('coxswain up', life.signal);
  await clock.advance(100);
  life.abort(new Error('interrupted'));
  await expect(second).rejects.toThrow('interrupted');
});
