import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';

/** A program the node agent needs, and where it comes from. */
export interface Requirement {
  /** Any one of these satisfies it: a command on PATH, or an absolute path. */
  readonly anyOf: readonly string[];
  readonly debianPackage: string;
  readonly purpose: string;
}

export const nodeRequirements: readonly Requirement[] = [
  { anyOf: ['dockerd'], debianPackage: 'docker.io', purpose: 'runs the containers' },
  { anyOf: ['nft'], debianPackage: 'nftables', purpose: 'carries Service traffic' },
  {
    anyOf: ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'],
    debianPackage: 'containernetworking-plugins',
    purpose: 'builds the pod network',
  },
  { anyOf: ['ip'], debianPackage: 'iproute2', purpose: 'sets routes' },
  { anyOf: ['nsenter'], debianPackage: 'util-linux', purpose: 'reaches into pods for port-forward' },
  { anyOf: ['conntrack'], debianPackage: 'conntrack', purpose: 'ends stale UDP flows' },
];

export const demoRequirements: readonly Requirement[] = [
  { anyOf: ['/bin/busybox', '/usr/bin/busybox'], debianPackage: 'busybox-static', purpose: 'is the shell in the demo images' },
];

/** What is missing on this machine. */
function missing(requirements: readonly Requirement[], has = isThere): readonly Requirement[] {
  return requirements.filter(({ anyOf }) => !anyOf.some(has));
}

/**
 * Installs what is missing with apt, on Debian and its kin as root. Elsewhere throws a UsageError (exit code 3) that lists what is
 * missing and why.
 */
export async function ensurePackages(requirements: readonly Requirement[], detail: (text: string) => void): Promise<void> {
  const lacking = missing(requirements);
  if (lacking.length === 0) return;
  const list = lacking.map(({ debianPackage, purpose }) => `${debianPackage} (${purpose})`).join(', ');
  if (process.getuid?.() !== 0 || !isThere('apt-get')) {
    throw new UsageError(
      `missing on this machine: ${list}. On Debian or Ubuntu: apt-get install ${lacking.map((one) => one.debianPackage).join(' ')}`,
      { exitCode: 3 },
    );
  }
  const names = [...new Set(lacking.map(({ debianPackage }) => debianPackage))];
  detail(`apt-get update`);
  await aptGet(['update', '-q']);
  detail(`apt-get install ${names.join(' ')}`);
  await aptGet(['install', '-qy', '--no-install-recommends', ...names]);
  const still = missing(requirements);
  if (still.length > 0) {
    throw new UsageError(`still missing after apt-get install: ${still.map(({ anyOf }) => anyOf.join(' or ')).join(', ')}`, {
      exitCode: 3,
    });
  }
}

function aptGet(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFile('apt-get', [...args, '-o', 'DPkg::Lock::Timeout=300'], { env, maxBuffer: 1 << 26 }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else
        reject(
          new UsageError(`apt-get ${args[0]} failed: ${stderr.trim().split('\n').slice(-3).join(' ')}`, { exitCode: 3, cause: error }),
        );
    });
  });
}

function isThere(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program);
  return spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${program}`], { stdio: 'ignore' }).status === 0;
}
