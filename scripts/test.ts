// `./coxswain test`: sets up what tests need and runs all of them, cheap gates first. The last line counts: `N passed, N failed`.
// `./coxswain test unit|etcd|docker|e2e` runs one project; what follows `--` goes to vitest.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages, nodeRequirements, demoRequirements, type Requirement } from '#cli/setup/packages.ts';

const root = join(import.meta.dirname, '..');
const argv = process.argv.slice(2);
const split = argv.includes('--') ? argv.indexOf('--') : argv.length;
const chosen = argv.slice(0, split);
const passedOn = argv.slice(split + 1);
const allProjects = ['unit', 'etcd', 'docker', 'e2e'];
if (chosen.includes('--help') || chosen.includes('-h')) {
  process.stdout.write(`Runs the tests of this checkout. The last line says how many passed and failed.

Usage:
  coxswain test [projects] [-- flags and files for vitest]

Projects; without any, all of them, after types, lint, layers and sizes:
  unit     tests that need nothing but Node
  etcd     tests against a real etcd
  docker   tests on a real container engine and in network namespaces (root)
  e2e      whole clusters on test hosts, driven by kubectl (root)
`);
  process.exit(0);
}
const unknown = chosen.find((name) => !allProjects.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`coxswain: unknown test project ${JSON.stringify(unknown)}: one of ${allProjects.join(', ')}\n`);
  process.exit(2);
}
const projects = chosen.length > 0 ? chosen : allProjects;
const testRequirements: readonly Requirement[] = [
  { anyOf: ['tini'], debianPackage: 'tini', purpose: 'is the first process of test hosts' },
  {
    anyOf: ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'],
    debianPackage: 'systemd',
    purpose: 'is the first process of the hosts that guides are pasted on',
  },
  { anyOf: ['kubectl'], debianPackage: 'kubernetes-client', purpose: 'drives the end-to-end tests' },
  { anyOf: ['curl'], debianPackage: 'curl', purpose: 'asks Services in the end-to-end tests' },
  { anyOf: ['setpriv'], debianPackage: 'util-linux', purpose: 'ends test hosts with their test' },
  { anyOf: ['etcd'], debianPackage: 'etcd-server', purpose: 'keeps the objects of several API servers' },
  { anyOf: ['etcdctl'], debianPackage: 'etcd-client', purpose: 'restores snapshots of etcd' },
  { anyOf: ['haproxy'], debianPackage: 'haproxy', purpose: 'stands in front of several API servers' },
  {
    anyOf: ['docker-compose', '/usr/libexec/docker/cli-plugins/docker-compose', '/usr/local/lib/docker/cli-plugins/docker-compose'],
    debianPackage: 'docker-compose',
    purpose: 'runs a cluster of containers',
  },
  { anyOf: ['docker-registry'], debianPackage: 'docker-registry', purpose: 'is the registry of test hosts' },
  { anyOf: ['mkfs.xfs'], debianPackage: 'xfsprogs', purpose: 'makes the disks of test hosts' },
  {
    anyOf: ['/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1'],
    debianPackage: 'libfaketime',
    purpose: 'moves the clocks of test hosts',
  },
  { anyOf: ['mmdebstrap'], debianPackage: 'mmdebstrap', purpose: 'makes the system that images stand on' },
  { anyOf: ['sysctl', 'ps'], debianPackage: 'procps', purpose: 'sets up test hosts' },
];

let passed = 0;
let failed = 0;

if (projects.some((project) => project !== 'unit')) {
  await ensurePackages([...nodeRequirements, ...demoRequirements, ...testRequirements], (text) => process.stdout.write(`${text}\n`));
}
if (chosen.length === 0) {
  gate('types', ['node_modules/typescript/bin/tsc', '--noEmit']);
  gate('lint and format', ['scripts/lint.ts']);
  gate('layers and sizes', ['scripts/check-layers.ts']);
}
for (const project of projects) await runProject(project);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

function gate(name: string, args: string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${name}\n`);
  if (status === 0) passed++;
  else failed++;
}

async function runProject(project: string): Promise<void> {
  const report = join(root, '.cache', `test-${project}.json`);
  mkdirSync(join(root, '.cache'), { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters, ...passedOn];
  const status = await new Promise<number>((resolve) => {
    spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).on('exit', (code) => resolve(code ?? 1));
  });
  const counts = readCounts(report);
  passed += counts.passed;
  failed += counts.failed;
  // A run that broke outside of any test (a file that cannot be loaded, an unhandled rejection) is a failure too.
  if (status !== 0 && counts.failed === 0) failed++;
}

function readCounts(path: string): { passed: number; failed: number } {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(path, 'utf8')) as { numPassedTests: number; numFailedTests: number };
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    process.stderr.write(`no report at ${path}\n`);
    return { passed: 0, failed: 0 };
  }
}
