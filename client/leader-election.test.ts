import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lease } from '#api/coordination/lease.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import { silentLog } from '#base/log.ts';
import type { Client } from './client.ts';
import { LeaderGate } from './leader-election.ts';
import { connect, type RestClient } from './rest.ts';
import { eventually } from './testing.ts';

const never = new AbortController().signal;
const key = { namespace: 'kube-system', name: 'work' };
let server: TestApiServer;
let admin: RestClient;
const open: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  server = await startTestApiServer();
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'admin' });
});
afterEach(async () => {
  for (const close of open.splice(0)) await close();
  await admin[Symbol.asyncDispose]();
  await server.stop();
});

interface Candidate {
  readonly gate: LeaderGate;
  /** `start` and `stop` of its work. */
  readonly log: string[];
  readonly events: string[];
  readonly metrics: Metrics;
  readonly ended: Promise<string>;
  stop(): void;
}

/** A process that wants to lead, with times a hundredth of the usual ones. `client` may be one that fails. */
function candidate(identity: string, log: string[], client: Client = admin, leaseMs = 1_000): Candidate {
  const events: string[] = [];
  const work: Service = {
    name: 'work',
    run: async (signal) => {
      log.push(`${identity} starts`);
      await aborted(signal);
      log.push(`${identity} stops`);
    },
  };
  const recorder = { event: (...[, , , message]: [unknown, unknown, unknown, string]) => events.push(message) };
  const metrics = createMetrics();
  const options = { ...key, identity, leaseMs, renewDeadlineMs: 600, retryMs: 20 };
  const gate = new LeaderGate(work, options, { client, clock: systemClock, log: silentLog, events: recorder as never, metrics });
  const life = new AbortController();
  const ended = gate
    .run(life.signal, () => undefined)
    .then(
      () => 'ended',
      (error: Error) => error.name,
    );
  const stop = (): void => life.abort(new Error('the test is over'));
  open.push(async () => {
    stop();
    await ended;
  });
  return { gate, log, events, metrics, ended, stop };
}

describe('LeaderGate', () => {
  test('one works, and gives the lease to the next when it stops', async () => {
    const log: string[] = [];
    const one = candidate('one', log);
    await eventually(() => one.gate.isLeader);
    const two = candidate('two', log);
    await systemClock.sleep(100, never);
    expect(log).toEqual(['one starts']);
    expect(await one.metrics.text()).toContain('\nleader_election_master_status{name="work"} 1\n');
    expect(await two.metrics.text()).toContain('\nleader_election_master_status{name="work"} 0\n');
    expect((await admin.get(lease, key, never)).spec).toMatchObject({
      holderIdentity: 'one',
      leaseDurationSeconds: 1,
      leaseTransitions: 0,
    });
    one.stop();
    expect(await one.ended).toBe('ended');
    await eventually(() => two.gate.isLeader);
    expect(log).toEqual(['one starts', 'one stops', 'two starts']);
    expect((await admin.get(lease, key, never)).spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
    expect(one.events).toEqual(['one became leader', 'one stopped leading']);
  });

  test('a holder that died without a word is followed when its lease is over', async () => {
    const dead = { holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 4 };
    await admin.create(lease, { metadata: key, spec: dead }, {}, never);
    const log: string[] = [];
    const startedMs = systemClock.monotonicMs();
    const next = candidate('next', log);
    await eventually(() => next.gate.isLeader);
    // What the dead one's clock said does not matter: a whole duration must pass without a renewal.
    expect(systemClock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(1_000);
    expect((await admin.get(lease, key, never)).spec).toMatchObject({ holderIdentity: 'next', leaseTransitions: 5 });
  });

  test('who cannot renew stops before anybody else may start', async () => {
    const log: string[] = [];
    let isCut = false;
    const cutOff: Client = Object.create(admin, {
      get: { value: (...args: Parameters<Client['get']>) => (isCut ? Promise.reject(new Error('cut')) : admin.get(...args)) },
      update: { value: (...args: Parameters<Client['update']>) => (isCut ? Promise.reject(new Error('cut')) : admin.update(...args)) },
      create: { value: admin.create.bind(admin) },
    }) as Client;
    const one = candidate('one', log, cutOff);
    await eventually(() => one.gate.isLeader);
    const two = candidate('two', log);
    isCut = true;
    expect(await one.ended).toBe('LeadershipLost');
    expect(log).toEqual(['one starts', 'one stops']);
    await eventually(() => two.gate.isLeader);
    expect(log).toEqual(['one starts', 'one stops', 'two starts']);
  });

  test('whose lease was taken away stops at once', async () => {
    const log: string[] = [];
    const one = candidate('one', log);
    await eventually(() => one.gate.isLeader);
    const usurped = { spec: { holderIdentity: 'other', leaseDurationSeconds: 60 } };
    await admin.patch(lease, key, usurped, { type: 'merge' }, never);
    expect(await one.ended).toBe('LeadershipLost');
    expect(log).toEqual(['one starts', 'one stops']);
    expect((await admin.get(lease, key, never)).spec?.holderIdentity).toBe('other');
  });
});
