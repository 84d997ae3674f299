import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pauseProgram } from './pause-program.ts';

const own = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];

describe('pauseProgram', () => {
  it.each([
    ['amd64', 62],
    ['arm64', 183],
  ])('is a small executable for %s', (architecture, machine) => {
    const file = pauseProgram(architecture);
    expect(file.length).toBeLessThan(200);
    expect(file.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect(file.readUInt16LE(18)).toBe(machine);
  });

  it('is not made for other machines', () => {
    expect(() => pauseProgram('riscv64')).toThrow('no built-in sandbox program for riscv64');
  });

  it.runIf(process.platform === 'linux' && own !== undefined)('waits, ignores SIGCHLD, and ends at SIGTERM', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pause-'));
    try {
      const path = join(folder, 'pause');
      writeFileSync(path, pauseProgram(own ?? ''), { mode: 0o755 });
      const child = spawn(path, { stdio: 'ignore' });
      await once(child, 'spawn');
      for (let tries = 0; ; tries++) {
        const ignored = /SigIgn:\s*(\w+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '';
        // Bit 16 is SIGCHLD.
        if ((BigInt(`0x${ignored}`) & 0x10000n) !== 0n) break;
        expect(tries).toBeLessThan(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
