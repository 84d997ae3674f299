// What is shipped must fit together: who asks again is served within two seconds, whichever control plane was lost, and an election of etcd, in which
// no API server is ready, is over before the balancer gives up all of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultCluster, type InitConfiguration } from '../config/cluster.ts';
import { foldersAt } from '../folders.ts';
import { etcdPod } from './components.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const servedWithinMs = 2_000;
const init: InitConfiguration = {
  cluster: defaultCluster,
  local: { advertiseAddress: '192.168.1.5', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
};

function milliseconds(text: string): number {
  return text.endsWith('ms') ? Number.parseInt(text, 10) : Number.parseInt(text, 10) * 1_000;
}

function checksOf(name: string): Record<'interMs' | 'fastMs' | 'answerMs' | 'connectMs' | 'fall', number> {
  const text = readFileSync(join(deploy, name), 'utf8');
  const value = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
  return {
    interMs: milliseconds(value(/^ *default-server .*\binter (\S+)/m)),
    fastMs: milliseconds(value(/^ *default-server .*\bfastinter (\S+)/m)),
    answerMs: milliseconds(value(/^ *timeout check (\S+)/m)),
    connectMs: milliseconds(value(/^ *timeout connect (\S+)/m)),
    fall: Number(value(/^ *default-server .*\bfall (\d+)/m)),
  };
}

function electionMsOf(settings: string, pattern: RegExp): number {
  return Number(pattern.exec(settings)?.[1]);
}

test.each([
  ['haproxy/haproxy.cfg', etcdPod(init, foldersAt('/pki'), [], { minor: 4, patch: 23 }).command.join('\n'), /^--election-timeout=(\d+)$/m],
  ['compose/haproxy.cfg', readFileSync(join(deploy, 'compose/setup.sh'), 'utf8'), /^export ETCD_ELECTION_TIMEOUT=(\d+)$/m],
])('%s leaves a server in time, and not all of them for an election', (name, settings, pattern) => {
  const { interMs, fastMs, answerMs, connectMs, fall } = checksOf(name);
  // It stood still just before it answered the check that is under way, or just after.
  const firstMs = Math.max(answerMs, interMs + Math.min(connectMs, interMs));
  expect(firstMs + (fall - 1) * (fastMs + Math.min(connectMs, interMs))).toBeLessThan(0.8 * servedWithinMs);
  // Somebody stands for leader after up to twice the timeout.
  const electionMs = 2 * electionMsOf(settings, pattern);
  expect(electionMs).toBeLessThan(0.8 * servedWithinMs);
  expect(fall * answerMs + (fall - 1) * fastMs).toBeGreaterThan(1.5 * electionMs);
});
