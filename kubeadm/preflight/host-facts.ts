import Docker from 'dockerode';
import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { isPortFree } from '#base/free-port.ts';
import { reasonOf } from '#base/write-file.ts';
import { fetchEtcdVersion } from './etcd-version.ts';
import type { HostFacts, Route } from './facts.ts';

const listenState = '0A';

/** This host as it is now. */
export function hostFacts(env: HostFacts['env'], dockerSocket: string): HostFacts {
  return {
    userId: process.getuid?.() ?? -1,
    cpus: cpus().length,
    // Upstream counts in units of 2^20 and calls them MB.
    memoryMegabytes: Math.floor(totalmem() / 1_048_576),
    env,
    isPortFree,
    listeningPorts: () =>
      [...new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => portsIn(readText(path) ?? '')))].sort((a, b) => a - b),
    readText,
    exists: existsSync,
    isFilledFolder: (path) => existsSync(path) && readdirSync(path).length > 0,
    hasProgram: (name) =>
      `${env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name))),
    lookupProblem: async (name) => {
      try {
        await lookup(name);
        return undefined;
      } catch (error) {
        return reasonOf(error);
      }
    },
    docker: async () => {
      const docker = new Docker({ socketPath: dockerSocket.replace(/^unix:\/\//, '') });
      const info = (await docker.info()) as { ServerVersion: string; CgroupDriver: string; CgroupVersion?: string };
      return { version: info.ServerVersion, cgroupDriver: info.CgroupDriver, cgroupVersion: info.CgroupVersion ?? '1' };
    },
    etcdVersion: fetchEtcdVersion,
    routes: () => routesIn(textOfRoutes()),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Ports that listen, from the text of /proc/net/tcp or tcp6. */
export function portsIn(table: string): readonly number[] {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === listenState)
    .map(([, address = '']) => Number.parseInt(address.split(':')[1] ?? '', 16));
}

/** '' where there is no `ip`, which a check of its own says. */
function textOfRoutes(): string {
  try {
    return execFileSync('ip', ['-j', '-4', 'route', 'show'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** Networks with a route, without the default one, from what `ip -j route show` prints. */
export function routesIn(text: string): readonly Route[] {
  const list = JSON.parse(text.trim() === '' ? '[]' : text) as readonly { dst?: string; dev?: string; protocol?: string }[];
  return list
    .filter(({ dst = 'default' }) => dst !== 'default')
    .map(({ dst = '', dev = '', protocol = '' }) => ({ network: dst.includes('/') ? dst : `${dst}/32`, device: dev, protocol }));
}
