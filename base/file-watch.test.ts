import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { FileWatch } from './file-watch.ts';
import { silentLog } from './log.ts';

test('files are read again when they change, until that goes well', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'file-watch-'));
  const path = join(folder, 'tls.crt');
  const life = new AbortController();
  const clock = new FakeClock();
  let calls = 0;
  let isBroken = false;
  const onChange = (): void => {
    calls++;
    if (isBroken) throw new Error('half written');
  };
  const ended = new FileWatch({ paths: [path], onChange, clock, log: silentLog }).run(life.signal, () => undefined).catch(() => undefined);
  try {
    await clock.advance(30_000);
    expect(calls).toBe(0);
    isBroken = true;
    writeFileSync(path, 'one');
    await clock.advance(20_000);
    expect(calls).toBe(2);
    isBroken = false;
    await clock.advance(40_000);
    expect(calls).toBe(3);
    rmSync(path);
    await clock.advance(10_000);
    expect(calls).toBe(4);
  } finally {
    life.abort(new Error('the test is over'));
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});
