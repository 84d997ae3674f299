import { systemClock } from '#base/clock.ts';
import type { HostFacts } from './preflight/facts.ts';
import type { Surroundings } from './surroundings.ts';

interface RecordedHost extends Surroundings {
  readonly printed: string[];
  readonly warned: string[];
}

/** Surroundings that keep what is said. */
export function recordedHost(env: Surroundings['env'] = {}): RecordedHost {
  const [printed, warned]: [string[], string[]] = [[], []];
  const signal = new AbortController().signal;
  return {
    clock: systemClock,
    env,
    signal,
    printed,
    warned,
    print: (text) => void printed.push(text),
    warn: (text) => void warned.push(text),
  };
}

/** A host on which every check is fine, but for what is given. */
export function goodHost(but: Partial<HostFacts> = {}): HostFacts {
  const files: Readonly<Record<string, string>> = {
    '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
    '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
    '/proc/sys/net/ipv4/ip_forward': '1\n',
  };
  return {
    userId: 0,
    cpus: 2,
    memoryMegabytes: 2_000,
    env: {},
    isPortFree: () => Promise.resolve(true),
    listeningPorts: () => [22],
    readText: (path) => files[path],
    exists: (path) => path === '/sys/fs/cgroup/cgroup.controllers',
    isFilledFolder: () => false,
    hasProgram: () => true,
    lookupProblem: () => Promise.resolve(undefined),
    docker: () => Promise.resolve({ version: '28.2.2', cgroupDriver: 'cgroupfs', cgroupVersion: '2' }),
    etcdVersion: () => Promise.resolve('3.6.4'),
    routes: () => [{ network: '192.168.1.0/24', device: 'eth0' }],
    ...but,
  };
}
