import Docker from 'dockerode';
import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { isPortFree } from '#base/free-port.ts';
import { reasonOf } from '#base/write-file.ts';
import type { HostFacts } from './facts.ts';

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
    routes: () => routesIn(readText('/proc/net/route') ?? ''),
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

/** Networks with a route, without the default one, from the text of /proc/net/route. */
export function routesIn(table: string): readonly { readonly network: string; readonly device: string }[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([device, destination]) => device !== undefined && destination !== undefined && destination !== '00000000')
    .map(([device = '', destination = '', , , , , , mask = '']) => ({ network: `${addressOf(destination)}/${bitsOf(mask)}`, device }));
}

/** `00A8C0` and the like are little-endian. */
function addressOf(hex: string): string {
  return (hex.match(/../g) ?? [])
    .map((part) => Number.parseInt(part, 16))
    .reverse()
    .join('.');
}

function bitsOf(hex: string): number {
  return Number.parseInt(hex, 16).toString(2).replaceAll('0', '').length;
}
