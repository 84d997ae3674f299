import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Probe } from '#api/generated/types.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { aContainer, aPod, observed, seen } from '../pods/testing.ts';
import type { RuntimePod } from '../runtime/contract.ts';
import { Prober } from './prober.ts';
import { count, emptyTally } from './tally.ts';

let clock: FakeClock;
let prober: Prober;
let life: AbortController;
let ended: Promise<void>;
let exitCode: number;
let probes: number;
let events: string[];
let results: number;

beforeEach(() => {
  clock = new FakeClock();
  life = new AbortController();
  [exitCode, probes, results, events] = [0, 0, 0, []];
  prober = new Prober({
    runtime: {
      execSync: () => {
        probes++;
        return Promise.resolve({ exitCode, stdout: Buffer.from('words'), stderr: Buffer.alloc(0) });
      },
    },
    clock,
    userAgent: 'test',
    log: silentLog,
    record: (_, container, type, reason, message) => events.push(`${container} ${type} ${reason} ${message}`),
    hostIp: () => '192.168.0.1',
    random: () => 0,
  });
  prober.onResult(() => results++);
  ended = prober.run(life.signal, () => undefined);
});
afterEach(async () => {
  life.abort(new Error('over'));
  await ended;
});

const aProbe = (rest: V1Probe = {}): V1Probe => ({ exec: { command: ['x'] }, periodSeconds: 10, failureThreshold: 2, ...rest });
const podWith = (rest: Parameters<typeof aContainer>[1], status?: Pod['status']): Pod =>
  aPod({ containers: [aContainer('c', rest)] }, status === undefined ? {} : { status });
const running = (attempt = 0): RuntimePod => observed([seen('c', 'running', { attempt, startedAtMs: clock.nowMs() })]);
const verdict = (pod: Pod, runtime: RuntimePod, id = 'c-0'): string => {
  const { started, ready, unhealthy } = prober.verdicts(pod, runtime);
  return [started.has(id) ? 'started' : '', ready.has(id) ? 'ready' : '', unhealthy.get(id) ?? ''].filter((word) => word !== '').join(' ');
};

test('without probes a running container is well', () => {
  const pod = podWith({});
  prober.sync(pod, running(), false);
  expect(verdict(pod, running())).toBe('started ready');
});

test('readiness: after the delay, and again after failures in a row', async () => {
  const pod = podWith({ readinessProbe: aProbe({ initialDelaySeconds: 5 }) });
  const runtime = running();
  prober.sync(pod, runtime, false);
  await clock.advance(4_000);
  expect([probes, verdict(pod, runtime)]).toEqual([0, 'started']);
  await clock.advance(2_000);
  expect([probes, verdict(pod, runtime)]).toEqual([1, 'started ready']);
  exitCode = 1;
  await clock.advance(10_000);
  expect(verdict(pod, runtime)).toBe('started ready');
  await clock.advance(10_000);
  expect(verdict(pod, runtime)).toBe('started');
  expect(events).toEqual(Array.from({ length: 2 }, () => 'c Warning Unhealthy Readiness probe failed: words'));
  exitCode = 0;
  await clock.advance(10_000);
  expect([verdict(pod, runtime), results]).toEqual(['started ready', 3]);
});

test('liveness: fails for good, a new container begins anew', async () => {
  const pod = podWith({ livenessProbe: aProbe() });
  exitCode = 1;
  prober.sync(pod, running(), false);
  await clock.advance(11_000);
  expect(verdict(pod, running())).toBe('started ready liveness');
  await clock.advance(60_000);
  expect(probes).toBe(2);
  exitCode = 0;
  const next = running(1);
  prober.sync(pod, next, false);
  await clock.advance(1);
  expect([verdict(pod, next, 'c-1'), probes]).toEqual(['started ready', 3]);
});

test('startup: the others wait for it', async () => {
  const pod = podWith({
    startupProbe: aProbe({ periodSeconds: 1, failureThreshold: 5 }),
    readinessProbe: aProbe(),
    livenessProbe: aProbe(),
  });
  exitCode = 1;
  const runtime = running();
  prober.sync(pod, runtime, false);
  await clock.advance(2_500);
  expect([probes, verdict(pod, runtime)]).toEqual([3, '']);
  exitCode = 0;
  await clock.advance(1_000);
  expect([probes, verdict(pod, runtime)]).toEqual([6, 'started ready']);
  await clock.advance(5_000);
  expect(probes).toBe(6);
});

test('startup: too many failures', async () => {
  const pod = podWith({ startupProbe: aProbe({ periodSeconds: 1, failureThreshold: 3 }) });
  exitCode = 1;
  const runtime = running();
  prober.sync(pod, runtime, false);
  await clock.advance(5_000);
  expect([probes, verdict(pod, runtime)]).toEqual([3, 'ready startup']);
});

describe('a kubelet that begins anew', () => {
  const known = { name: 'c', image: '', imageID: '', restartCount: 0, containerID: 'docker://c-0', ready: true, started: true };
  test('believes the status of this very container', () => {
    const pod = podWith({ startupProbe: aProbe(), readinessProbe: aProbe() }, { containerStatuses: [known] });
    const runtime = running();
    prober.sync(pod, runtime, false);
    expect(verdict(pod, runtime)).toBe('started ready');
  });
  test('not that of an earlier one', () => {
    const pod = podWith(
      { startupProbe: aProbe(), readinessProbe: aProbe() },
      { containerStatuses: [{ ...known, containerID: 'docker://old' }] },
    );
    const runtime = running();
    prober.sync(pod, runtime, false);
    expect(verdict(pod, runtime)).toBe('');
  });
});

test('while a pod ends, only readiness counts', async () => {
  const pod = podWith({ livenessProbe: aProbe(), readinessProbe: aProbe() });
  const runtime = running();
  prober.sync(pod, runtime, true);
  exitCode = 1;
  await clock.advance(30_000);
  expect(verdict(pod, runtime)).toBe('started');
});

test('what ended is not probed', async () => {
  const pod = podWith({ readinessProbe: aProbe() });
  prober.sync(pod, running(), false);
  await clock.advance(1);
  prober.sync(pod, observed([seen('c', 1)]), false);
  await clock.advance(60_000);
  expect([probes, clock.pending]).toEqual([1, 0]);
});

test('tally', () => {
  const probe = { successThreshold: 2, failureThreshold: 3 };
  let tally = emptyTally;
  const verdicts = (['success', 'success', 'failure', 'failure', 'success', 'failure', 'failure', 'failure'] as const).map((result) => {
    const counted = count(tally, result, probe);
    tally = counted.tally;
    return counted.verdict;
  });
  expect(verdicts).toEqual([undefined, 'success', undefined, undefined, undefined, undefined, undefined, 'failure']);
});

test('how often probes ended how is counted while their container runs', async () => {
  const pod = podWith({ livenessProbe: aProbe({ failureThreshold: 9 }) });
  const runtime = running();
  prober.sync(pod, runtime, false);
  await clock.advance(1_000);
  exitCode = 1;
  await clock.advance(20_000);
  expect([...prober.samples()]).toEqual([
    [['c', 'ns', 'p', 'u', 'Liveness', 'successful'], 1],
    [['c', 'ns', 'p', 'u', 'Liveness', 'failed'], 2],
  ]);
  expect([...prober.durations()].map(([labels, { count }]) => [labels, count])).toEqual([[['c', 'ns', 'p', 'Liveness'], 3]]);
  prober.forget('u');
  expect([...prober.samples(), ...prober.durations()]).toEqual([]);
});
