// `npm run check`: every cheap gate, each with its time; all run, and any failure fails the whole.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const gates: [string, string[]][] = [
  ['generate', ['node', 'scripts/generate-api.ts']],
  ['types', ['node', 'node_modules/typescript/bin/tsc', '--noEmit']],
  ['lint and format', ['node', 'scripts/lint.ts']],
  ['layers and sizes', ['node', 'scripts/check-layers.ts']],
  ['unit tests', ['node', 'node_modules/vitest/vitest.mjs', 'run', '--project', 'unit']],
];
let failed = 0;
for (const [name, [command, ...args]] of gates) {
  const startMs = performance.now();
  const { status } = spawnSync(command ?? '', args, { cwd: root, stdio: 'inherit' });
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${name} (${seconds} s)\n`);
  if (status !== 0) failed++;
}
process.exit(failed > 0 ? 1 : 0);
