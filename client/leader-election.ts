// Of several processes of one kind, one works: the one that holds a Lease. A holder renews every 2 s and stops its work if it could
// not for 10 s; others may take the Lease when they saw no renewal for 15 s by their own clock. So two never work at once, as long
// as clocks run at nearly the same speed; what they show does not matter.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Lease, lease } from '#api/coordination/lease.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { SampledFamily } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Client } from './client.ts';
import type { EventRecorder } from './controller/define.ts';
import { microTimeText } from './timestamps.ts';

export interface LeaderOptions {
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Default `<host>_<uuid>`. */
  readonly identity?: string;
  readonly leaseMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
}

interface LeaderDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EventRecorder | undefined;
  /** Exports whether this process leads; absent: not exported. */
  readonly metrics?: Metrics | undefined;
  /** Numbers in [0, 1) for jitter; default Math.random. */
  readonly random?: () => number;
}

/** The Lease was lost or could not be renewed in time: the work has stopped, and the process should end. */
class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

const releaseLimitMs = 3_000;
const statusHelp =
  "[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string " +
  'used to identify the lease. Please make sure to group by name.';

/**
 * Runs a service only while this process holds a Lease. Ready at once, also while it waits for its turn. Gives the Lease back at the
 * stop, after the service has ended. Rejects with LeadershipLost when the Lease is lost.
 */
export class LeaderGate implements Service {
  readonly name: string;
  readonly identity: string;
  readonly #service: Service;
  readonly #options: Required<Omit<LeaderOptions, 'identity'>>;
  readonly #deps: LeaderDeps;
  /** What the server last answered or showed, and when (monotonic) that was new to us. */
  #seen: { readonly lease: Lease; readonly atMs: number } | undefined;
  #isLeader = false;

  constructor(service: Service, options: LeaderOptions, deps: LeaderDeps) {
    this.name = `leader gate of ${service.name}`;
    this.identity = options.identity ?? `${hostname()}_${randomUUID()}`;
    this.#service = service;
    this.#options = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000, ...options };
    this.#deps = deps;
    const labels = [options.name];
    deps.metrics?.add(
      new SampledFamily('leader_election_master_status', statusHelp, ['name'], 'gauge', () => [[labels, this.#isLeader ? 1 : 0]]),
    );
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const acquiredAtMs = await this.#acquire(signal);
    this.#isLeader = true;
    this.#report('became leader');
    // The one signal made outside runServices: the service must end with the Lease, while the process still runs.
    const term = new AbortController();
    const end = (): void => term.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    try {
      const working = this.#service
        .run(term.signal, () => undefined)
        .catch((error: unknown) => {
          if (!isAbort(error, term.signal)) throw error;
        });
      const ended = await Promise.race([working.then(() => 'service' as const), this.#renew(acquiredAtMs, term.signal)]);
      if (ended === 'lost') term.abort(new LeadershipLost(`lost the lease ${this.#options.namespace}/${this.#options.name}`));
      await working;
      if (ended === 'lost') throw term.signal.reason;
    } finally {
      signal.removeEventListener('abort', end);
      term.abort(new Error('the service has ended'));
      this.#isLeader = false;
      this.#report('stopped leading');
      await this.#release();
    }
  }

  /** Waits until the Lease is ours; answers when (monotonic) the request that got it began. */
  async #acquire(signal: AbortSignal): Promise<number> {
    const { clock, log, random = Math.random } = this.#deps;
    const { retryMs, renewDeadlineMs, namespace, name } = this.#options;
    log.info({ lease: `${namespace}/${name}` }, 'attempting to acquire the leader lease');
    for (;;) {
      const startedMs = clock.monotonicMs();
      if ((await this.#attempt(renewDeadlineMs, signal)) === 'held') return startedMs;
      await clock.sleep(retryMs * (1 + 1.2 * random()), signal);
    }
  }

  /** Ends with 'lost', or with 'stopped' when the signal aborts. */
  async #renew(acquiredAtMs: number, signal: AbortSignal): Promise<'lost' | 'stopped'> {
    const { clock, log } = this.#deps;
    const { retryMs, renewDeadlineMs } = this.#options;
    let renewedAtMs = acquiredAtMs;
    for (;;) {
      const leftMs = renewedAtMs + renewDeadlineMs - clock.monotonicMs();
      if (leftMs <= 0) return 'lost';
      await clock.sleep(Math.min(retryMs, leftMs), signal).catch(() => undefined);
      if (signal.aborted) return 'stopped';
      const startedMs = clock.monotonicMs();
      const limitMs = renewedAtMs + renewDeadlineMs - startedMs;
      if (limitMs <= 0) return 'lost';
      const outcome = await this.#attempt(limitMs, signal).catch(() => 'failed' as const);
      if (signal.aborted) return 'stopped';
      if (outcome === 'held') renewedAtMs = startedMs;
      else log.warn({ sinceMs: Math.round(clock.monotonicMs() - renewedAtMs) }, 'the leader lease was not renewed');
      // Another process holds it: nothing to wait for.
      if (outcome === 'other') return 'lost';
    }
  }

  /** One try to get or keep the Lease. Throws only the signal's reason. */
  async #attempt(limitMs: number, signal: AbortSignal): Promise<'held' | 'other' | 'failed'> {
    const { clock, client, log } = this.#deps;
    const { namespace, name } = this.#options;
    using deadline = clock.deadline(signal, limitMs);
    try {
      const seen = this.#seen;
      if (seen !== undefined && seen.lease.spec?.holderIdentity === this.identity) {
        const kept = await this.#write(seen.lease, deadline.signal);
        if (kept) return 'held';
      }
      const found = await client.get(lease, { namespace, name }, deadline.signal).catch((error: unknown) => {
        if (hasReason(error, 'NotFound')) return undefined;
        throw error;
      });
      if (found !== undefined) this.#see(found);
      if (found !== undefined && this.#belongsToOther()) return 'other';
      return (await this.#write(found, deadline.signal)) ? 'held' : 'failed';
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      log.debug({ err: error }, 'the leader lease could not be read or written');
      return 'failed';
    }
  }

  /** False when another process was faster. */
  async #write(found: Lease | undefined, signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#deps;
    const { namespace, name, leaseMs } = this.#options;
    const now = microTimeText(clock.nowMs());
    const wasOurs = found?.spec?.holderIdentity === this.identity;
    const transitions = found?.spec?.leaseTransitions ?? 0;
    const spec = {
      holderIdentity: this.identity,
      leaseDurationSeconds: Math.round(leaseMs / 1_000),
      acquireTime: wasOurs ? (found.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: found === undefined || wasOurs ? transitions : transitions + 1,
    };
    try {
      const written =
        found === undefined
          ? await client.create(lease, { metadata: { namespace, name }, spec }, {}, signal)
          : await client.update(lease, { ...found, spec }, {}, signal);
      this.#seen = { lease: written, atMs: clock.monotonicMs() };
      return true;
    } catch (error) {
      if (!hasReason(error, 'Conflict', 'AlreadyExists', 'NotFound')) throw error;
      return false;
    }
  }

  #see(found: Lease): void {
    if (found.metadata.resourceVersion === this.#seen?.lease.metadata.resourceVersion) return;
    this.#seen = { lease: found, atMs: this.#deps.clock.monotonicMs() };
  }

  #belongsToOther(): boolean {
    const { lease: found, atMs } = this.#seen ?? {};
    const holder = found?.spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.identity || atMs === undefined) return false;
    const validMs = (found?.spec?.leaseDurationSeconds ?? 0) * 1_000;
    return this.#deps.clock.monotonicMs() < atMs + validMs;
  }

  /** Lets a successor start at once. */
  async #release(): Promise<void> {
    const { client, clock, log } = this.#deps;
    const held = this.#seen?.lease;
    if (held === undefined || held.spec?.holderIdentity !== this.identity) return;
    const now = microTimeText(clock.nowMs());
    const spec = { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    using deadline = clock.deadline(new AbortController().signal, releaseLimitMs);
    try {
      await client.update(lease, { ...held, spec }, {}, deadline.signal);
    } catch (error) {
      log.info({ err: error }, 'the leader lease could not be given back');
    }
  }

  #report(what: string): void {
    const { log, events } = this.#deps;
    const { namespace, name } = this.#options;
    log.info({ lease: `${namespace}/${name}`, identity: this.identity }, what);
    const about = this.#seen?.lease ?? { metadata: { namespace, name } };
    events?.event(
      { ...about, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      'Normal',
      'LeaderElection',
      `${this.identity} ${what}`,
    );
  }
}
