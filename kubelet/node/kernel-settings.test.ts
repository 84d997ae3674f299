import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { kernelProblems } from './kernel-settings.ts';

test('a kernel that is not set as pods need it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sysctl-'));
  const set = (name: string, value: number): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), `${value}\n`);
  };
  set('vm/overcommit_memory', 1);
  set('vm/panic_on_oom', 0);
  set('kernel/panic', 10);
  set('kernel/panic_on_oops', 1);
  set('kernel/keys/root_maxkeys', 1_000_000);
  set('kernel/keys/root_maxbytes', 25_000_000);
  expect(await kernelProblems(root)).toEqual([]);
  set('kernel/panic', 0);
  expect(await kernelProblems(root)).toEqual(['invalid kernel flag: kernel/panic, expected value: 10, actual value: 0']);
  rmSync(root, { recursive: true });
});
