// `./coxswain package`: what other machines install, made from this checkout. One archive for the hosts of a cluster, with Node in it, which
// asks no registry; one npm package for projects whose tests start clusters.
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { basename, dirname, join, resolve } from 'node:path';
import { createSteps } from '#cli/steps.ts';
import { systemClock } from '#base/clock.ts';
import { parseFlags, stringFlag } from '#base/flags.ts';
import { runMain, UsageError } from '#base/lifecycle.ts';
import { version } from '#base/version.ts';
import { librariesOf, programs, stagePayload } from '../images/payload.ts';

const root = join(import.meta.dirname, '../..');
const home = 'opt/coxswain';
const unit = 'usr/local/lib/systemd/system/coxswain-node.service';
/** What every host has: the C library and its kin, and those of the compiler. */
const everywhere = /^(ld-linux.*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|atomic))\.so\.\d+$/;
const flags = { output: stringFlag('.', 'The folder that the two files go to') };

await runMain('coxswain', async ({ argv }) => {
  const { values, positional } = parseFlags('coxswain package', flags, argv, 'Makes the archive and the npm package of this checkout.');
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])}`);
  const output = resolve(values.output);
  mkdirSync(output, { recursive: true });
  const steps = createSteps(process.stderr, systemClock);
  const archive = await steps.step('the archive for hosts', () => makeArchive(output));
  const npmPackage = await steps.step('the npm package', () => makeNpmPackage(output));
  process.stdout.write(`${archive}\n${npmPackage}\n`);
});

/** Unpacked at `/`, it is installed. */
function makeArchive(output: string): string {
  refuseNodeOfDistribution();
  const folder = mkdtempSync(join(root, '.cache/package-'));
  try {
    stagePayload(root, folder);
    for (const shipped of ['deploy/systemd', 'deploy/haproxy', 'deploy/manifests', 'examples']) {
      cpSync(join(root, shipped), join(folder, home, shipped), { recursive: true });
    }
    mkdirSync(dirname(join(folder, unit)), { recursive: true });
    cpSync(join(root, 'deploy/systemd/coxswain-node.service'), join(folder, unit));
    const path = join(output, `coxswain-${version.replace(/\+.*$/, '')}-linux-${process.arch}.tar.gz`);
    // Folders that a host has already stay as they are.
    const names = [home, unit, ...['node', ...programs].map((name) => `usr/local/bin/${name}`)];
    execFileSync('tar', ['-C', folder, '--owner=0', '--group=0', '-czf', `${path}.new`, ...names]);
    renameSync(`${path}.new`, path);
    return path;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A distribution's Node may load libraries that other hosts have not: such an archive would be of no use there. */
function refuseNodeOfDistribution(): void {
  const foreign = librariesOf(process.execPath).filter((path) => !everywhere.test(basename(path)));
  if (foreign.length === 0) return;
  const way = 'let COXSWAIN_NODE name one of nodejs.org';
  throw new UsageError(`${process.execPath} needs ${foreign.map((path) => basename(path)).join(', ')}, which hosts may not have: ${way}`, {
    exitCode: 3,
  });
}

/** What is in `dist` already: the settings of this checkout let npm run no scripts. */
function makeNpmPackage(output: string): string {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', output];
  return join(output, execFileSync('npm', args, { cwd: root, encoding: 'utf8' }).trim());
}
