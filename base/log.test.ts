import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('a process whose log has no room on the disk goes on, and keeps no more lines than it can hold', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'log.ts'));
  const script = `const { createLog } = await import(${module}); const log = createLog('full');
    for (let at = 0; at < 100_000; at++) log.info({ at, words: 'x'.repeat(1_000) }, 'a line');
    console.log(process.memoryUsage().heapUsed + process.memoryUsage().external < 60_000_000 ? 'goes on' : 'holds too much');`;
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', full] });
  closeSync(full);
  const ended = once(child, 'close');
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await ended;
  expect([child.exitCode, said]).toEqual([0, 'goes on\n']);
});
