// Runs the linter, and the formatter as a check; `--format` writes what the formatter wants. The linters live in a folder
// of their own, installed on first use: their platform packages would make a lockfile that not every mirror can serve.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(import.meta.dirname, 'lint');
const bin = (name: string): string => join(folder, 'node_modules', '.bin', name);

function run(command: string, args: string[], cwd = root): void {
  const { status } = spawnSync(command, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(folder, 'node_modules/.bin')}:${process.env['PATH']}` },
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(bin('oxlint')) || !existsSync(bin('biome')) || !existsSync(bin('tsgolint'))) {
  run('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--silent', '--ignore-scripts'], folder);
}
const write = process.argv.includes('--format');
const paths = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const targets = paths.length > 0 ? paths : ['.'];
run(bin('biome'), ['format', ...(write ? ['--write'] : []), '--log-level=warn', ...targets]);
if (!write) run(bin('oxlint'), ['--type-aware', '--quiet', ...targets]);
