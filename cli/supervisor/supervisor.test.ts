import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import type { Component } from '../cluster/components.ts';
import { Layout } from '../cluster/layout.ts';
import { findRunning, isAlive, type ProcessRecord, recordedNames } from './process-table.ts';
import { stopComponents, Supervisor } from './supervisor.ts';

let layout: Layout;
let clock: FakeClock;
let wanted: Component[];
let revision: number;
let lives: { life: AbortController; ended: Promise<void> }[];
beforeEach(() => {
  layout = new Layout(mkdtempSync(join(tmpdir(), 'supervisor-')));
  layout.create();
  clock = new FakeClock();
  wanted = [];
  revision = 0;
  lives = [];
});
afterEach(async () => {
  for (const one of lives) await end(one);
  await settle(stopComponents({ layout, components: wanted, clock }));
  rmSync(layout.dataDir, { recursive: true, force: true });
});

/** A process that does as `script` says; the folder in its arguments tells it from those of other tests. */
const component = (name: string, script: string): Component => ({
  name,
  argv: ['-e', `/* ${layout.dataDir} */ ${script}`],
  env: {},
});
const stays = (name: string): Component => component(name, 'setInterval(() => {}, 1000)');
const supervise = (): { life: AbortController; ended: Promise<void> } => {
  const life = new AbortController();
  const supervisor = new Supervisor({
    layout,
    components: () => wanted,
    revision: () => String(revision),
    clock,
    log: silentLog,
  });
  const one = { life, ended: supervisor.run(life.signal, () => undefined) };
  lives.push(one);
  return one;
};
/** Lets made-up time go on while real processes come and go. */
const settle = async <T>(work: Promise<T>): Promise<T> => {
  let isDone = false;
  void work.finally(() => (isDone = true)).catch(() => undefined);
  await vi.waitFor(
    async () => {
      await clock.advance(500);
      expect(isDone).toBe(true);
    },
    { timeout: 20_000, interval: 5 },
  );
  return await work;
};
const end = async ({ life, ended }: { life: AbortController; ended: Promise<void> }): Promise<void> => {
  life.abort(new Error('the test is over'));
  await settle(ended);
};
const runs = async (name: string, accept: (record: ProcessRecord) => boolean = () => true): Promise<ProcessRecord> =>
  await vi.waitFor(
    async () => {
      await clock.advance(250);
      const record = findRunning(layout, name);
      if (record === undefined || !accept(record)) throw new Error(`${name} does not run so: ${JSON.stringify(record)}`);
      return record;
    },
    { timeout: 10_000, interval: 5 },
  );

test('starts all, restarts what is killed, stops all in the end', async () => {
  wanted = [stays('first'), stays('second')];
  const one = supervise();
  const first = await runs('first');
  const second = await runs('second');
  process.kill(second.pid, 'SIGKILL');
  const next = await runs('second', ({ pid }) => pid !== second.pid);
  expect(next.starts).toBe(2);
  expect(findRunning(layout, 'first')).toEqual(first);
  await end(one);
  expect([first, next].map(isAlive)).toEqual([false, false]);
  expect(recordedNames(layout)).toEqual([]);
});

test('what does not stay up is started ever more rarely', async () => {
  wanted = [component('fails', 'process.exit(1)')];
  supervise();
  const starts = async (): Promise<number> => {
    const record = JSON.parse(readFileSync(layout.run('fails'), 'utf8')) as ProcessRecord;
    await vi.waitFor(() => expect(isAlive(record)).toBe(false));
    return record.starts;
  };
  const seen: number[] = [];
  await clock.advance(0);
  for (let quarter = 0; quarter < 16; quarter++) {
    seen.push(await starts());
    await clock.advance(250);
  }
  // Starts at 0, then 250 ms, 500 ms, 1 s and 2 s after one another, each found at the next look.
  expect(seen.at(-1)).toBeLessThanOrEqual(5);
  expect(seen.at(-1)).toBeGreaterThanOrEqual(4);
});

test('a new supervisor adopts what a killed one left', async () => {
  wanted = [stays('a')];
  supervise();
  const record = await runs('a');
  supervise();
  await clock.advance(2_000);
  expect(findRunning(layout, 'a')).toEqual(record);
});

test('what was started but never written down is found', async () => {
  const one = stays('a');
  const child = spawn(process.execPath, [...one.argv], { detached: true, stdio: 'ignore' });
  child.unref();
  // Between fork and exec the child still has our arguments.
  await vi.waitFor(() => expect(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')).toContain(layout.dataDir));
  wanted = [one];
  supervise();
  expect((await runs('a')).pid).toBe(child.pid);
});

test('another command replaces, and so do other contents of the files that it names', async () => {
  const key = layout.pki('a.key');
  writeFileSync(key, 'one');
  wanted = [{ ...stays('a'), argv: [...stays('a').argv, '--', `--tls-private-key-file=${key}`] }, stays('b')];
  supervise();
  const [a, b] = [await runs('a'), await runs('b')];
  writeFileSync(key, 'two');
  await clock.advance(1_000);
  expect(findRunning(layout, 'a')).toEqual(a);
  revision++;
  const next = await runs('a', ({ pid }) => pid !== a.pid);
  expect(isAlive(a)).toBe(false);
  expect(next.command).not.toBe(a.command);
  expect(findRunning(layout, 'b')).toEqual(b);
});

test('what ignores SIGTERM is killed', async () => {
  wanted = [
    component(
      'stubborn',
      `process.on('SIGTERM', () => {}); require('node:fs').writeFileSync('${layout.dataDir}/up', ''); setInterval(() => {}, 1000)`,
    ),
  ];
  const one = supervise();
  const record = await runs('stubborn');
  await vi.waitFor(() => expect(existsSync(join(layout.dataDir, 'up'))).toBe(true));
  await end(one);
  expect(isAlive(record)).toBe(false);
});

test('what cannot be started keeps nobody else from it', async () => {
  mkdirSync(layout.log('broken'));
  wanted = [stays('broken'), stays('b')];
  supervise();
  await runs('b');
  expect(findRunning(layout, 'broken')).toBeUndefined();
});

test('what runs is written down also where there is no room for another file', async () => {
  wanted = [stays('a')];
  supervise();
  const { pid } = await runs('a');
  // Nothing can be put beside the record, as on a full disk.
  mkdirSync(`${layout.run('a')}.${process.pid}.tmp`);
  process.kill(pid, 'SIGKILL');
  const next = await runs('a', (record) => record.pid !== pid);
  expect(next.starts).toBe(2);
});

test('long logs are cut, and one old one is kept', async () => {
  wanted = [component('talks', "console.log('hello'); setInterval(() => {}, 1000)")];
  writeFileSync(layout.log('talks'), Buffer.alloc(21 * 1024 * 1024, 'x'));
  supervise();
  const record = await runs('talks');
  await vi.waitFor(() => expect(statSync(`${layout.log('talks')}.1`).size).toBeGreaterThan(20 * 1024 * 1024));
  await vi.waitFor(() => expect(statSync(layout.log('talks')).size).toBeLessThan(1_000));
  expect(isAlive(record)).toBe(true);
});
