// `./coxswain images`: builds the container images of this checkout with the local Docker engine. No registry is contacted.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { allocatorEnv, heapOptions } from '#cli/cluster/components.ts';
import { createSteps } from '#cli/steps.ts';
import { systemClock } from '#base/clock.ts';
import { parseFlags, stringFlag } from '#base/flags.ts';
import { runMain, UsageError } from '#base/lifecycle.ts';
import { version } from '#base/version.ts';
import { ensureBase } from './base.ts';
import { docker } from './docker.ts';
import { bundleOf, type Program, stagePayload, stageSystem } from './payload.ts';

const root = join(import.meta.dirname, '../..');
const flags = {
  base: stringFlag('', 'The image that coxswain/node stands on, with a Docker engine in it; default: one made of Debian packages'),
  repository: stringFlag('coxswain', 'What the names of the images start with'),
  tag: stringFlag(version.replace(/\+.*$/, ''), 'Tag of the images, besides latest'),
};

/** Images of one program each: nothing in them but Node, its libraries and the program. */
const components: readonly Program[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'cloud-controller-manager',
  'kube-scheduler',
  'coxswain-dns',
  'kubeadm',
];
/** What runs programs of the system, too, and so stands on one. */
const onSystem: readonly Program[] = ['kube-proxy', 'kubelet'];

await runMain('coxswain', async ({ argv }) => {
  const { values, positional } = parseFlags('coxswain images', flags, argv, 'Builds the container images of this checkout.');
  if (positional.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positional[0])}`);
  const { repository, tag } = values;
  const steps = createSteps(process.stderr, systemClock);
  await steps.step('Docker engine answers', () => docker(['version', '--format', '{{.Server.Version}}']));
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'images-'));
  try {
    const named = (name: string): string => `${repository}/${name}`;
    const tags = (name: string): readonly string[] => [`${named(name)}:${tag}`, `${named(name)}:latest`];
    await steps.step(`${repository}/coxswain and the components`, () => {
      buildThin(join(folder, 'thin'), tags('coxswain'));
      for (const program of components) buildFrom(named('coxswain'), program, tags(program));
    });
    const base = await steps.step('the system of machines', (detail) =>
      values.base === '' ? ensureBase(repository, folder, detail) : values.base,
    );
    await steps.step(`${repository}/node`, () => {
      buildNode(join(folder, 'node'), base, tags('node'));
      for (const program of onSystem) buildFrom(named('node'), program, tags(program));
    });
    process.stdout.write(`${docker(['images', '--filter', `reference=${repository}/*:${tag}`])}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function buildThin(folder: string, tags: readonly string[]): void {
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  stagePayload(root, files);
  stageSystem(files);
  build(folder, ['FROM scratch', 'COPY files/ /', 'ENV PATH=/usr/local/bin', 'ENTRYPOINT ["/usr/local/bin/node"]'], tags);
}

function buildNode(folder: string, base: string, tags: readonly string[]): void {
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  stagePayload(root, files);
  cpSync(join(root, 'deploy/images/entrypoint.sh'), join(files, 'usr/local/bin/machine'));
  // One volume holds all that a machine keeps.
  for (const made of ['etc', 'var/lib/kubernetes']) mkdirSync(join(files, made), { recursive: true });
  symlinkSync('/var/lib/kubernetes', join(files, 'etc/kubernetes'));
  const lines = [
    `FROM ${base}`,
    'COPY files/ /',
    'ENV container=docker KUBECONFIG=/var/lib/kubernetes/admin.conf',
    'VOLUME /var/lib',
    'EXPOSE 6443',
    'ENTRYPOINT ["tini", "--", "machine"]',
    'CMD ["up"]',
  ];
  build(folder, lines, tags);
}

/** An image with another entry point; its files are those of `parent`. */
function buildFrom(parent: string, program: Program, tags: readonly string[]): void {
  const env = Object.entries(allocatorEnv(program)).map(([name, value]) => `${name}=${value}`);
  const entry = ['/usr/local/bin/node', ...heapOptions(program), bundleOf(program)];
  const text = [`FROM ${parent}`, `ENV ${env.join(' ')}`, `ENTRYPOINT ${JSON.stringify(entry)}`, 'CMD []'].join('\n');
  docker(['build', '--quiet', ...tags.flatMap((tag) => ['--tag', tag]), '-'], text);
}

/** Hands the folder over as it is; all of it becomes root's. */
function build(folder: string, lines: readonly string[], tags: readonly string[]): void {
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
  const script = 'folder=$1; shift; tar -C "$folder" --owner=0 --group=0 -cf - . | docker build --quiet "$@" -';
  const args = ['-c', script, 'sh', folder, ...tags.flatMap((tag) => ['--tag', tag])];
  const { status, stderr } = spawnSync('sh', args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (status !== 0) throw new UsageError(`docker build: ${stderr.trim().split('\n').slice(-3).join(' ')}`, { exitCode: 1 });
}
