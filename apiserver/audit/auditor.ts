// Puts the parts together: what the policy asks for becomes events, which go to the log, to a webhook or to both.
import type { Clock } from '#base/clock.ts';
import { aborted, type Service, UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import type { Log } from '#base/log.ts';
import type { Exchange } from '../http/exchange.ts';
import type { AuditMetrics } from '../metrics/audit-metrics.ts';
import { allKept } from './all-kept.ts';
import { BatchingSink } from './batching-sink.ts';
import type { AuditEvent, AuditSink } from './contract.ts';
import type { AuditSettings, Delivery } from './flags.ts';
import { logSink } from './log-sink.ts';
import { type PluginFailure, pluginFailure } from './plugin-failure.ts';
import { type AuditPolicy, compilePolicy } from './policy.ts';
import { RequestRecord } from './request-record.ts';
import { RotatingFile } from './rotating-file.ts';
import { truncatingSink } from './truncating-sink.ts';
import { WebhookSink } from './webhook-sink.ts';

interface AuditorDeps {
  readonly settings: AuditSettings;
  readonly metrics: AuditMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

export class Auditor {
  /** What has to run before requests come, and until the last of them is over; the first starts first. */
  readonly services: readonly Service[];
  readonly #policy: AuditPolicy;
  readonly #sinks: readonly AuditSink[];
  readonly #metrics: AuditMetrics;
  readonly #clock: Clock;

  constructor(deps: AuditorDeps) {
    const { settings, metrics, clock, log } = deps;
    const failed = pluginFailure(metrics.lost, log);
    const places = [...logPlace(deps, failed), ...webhookPlace(deps, failed)];
    this.services = places.flatMap(({ services }) => services);
    this.#sinks = places.map(({ sink }) => sink);
    this.#policy = compilePolicy(settings.policy);
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** Begins to audit a request; undefined where the policy logs nothing of it. With `isAuthenticated` false, only the refusal is logged. */
  begin(exchange: Exchange, isAuthenticated: boolean): RequestRecord | undefined {
    const scope = this.#policy(exchange.info, exchange.user);
    this.#metrics.level(scope.level);
    if (scope.level === 'None') return undefined;
    const clock = this.#clock;
    const sinceReceivedMs = (): number => clock.monotonicMs() - exchange.startMs;
    const receivedMs = clock.nowMs() - sinceReceivedMs();
    const record = new RequestRecord({ exchange, scope, emit: this.#emit, receivedMs, sinceReceivedMs, isAuthenticated });
    exchange.audit = record;
    if (exchange.auditNotes !== undefined) for (const [key, text] of Object.entries(exchange.auditNotes)) record.annotate(key, text);
    exchange.response.once('close', () => record.closed());
    return record;
  }

  readonly #emit = (event: AuditEvent): boolean | Promise<boolean> => {
    this.#metrics.event();
    const events = [event];
    return allKept(this.#sinks.map((sink) => sink.process(events)));
  };
}

/** Where events go, and what has to run for that. */
interface Place {
  readonly sink: AuditSink;
  readonly services: readonly Service[];
}

function logPlace({ settings: { log: settings }, clock, log }: AuditorDeps, failed: PluginFailure): Place[] {
  if (settings === undefined) return [];
  const { path, format, delivery } = settings;
  if (path === '-')
    return [
      delivered(
        logSink((text) => void process.stdout.write(text), format, failed),
        delivery,
        failed,
        clock,
      ),
    ];
  const file = new RotatingFile({ ...settings, clock, log });
  const { sink, services } = delivered(
    logSink((text) => file.write(text), format, failed),
    delivery,
    failed,
    clock,
  );
  return [{ sink, services: [keeperOf(file, path), ...services] }];
}

function webhookPlace({ settings: { webhook }, clock }: AuditorDeps, failed: PluginFailure): Place[] {
  if (webhook === undefined) return [];
  const sink = new WebhookSink({ ...webhook, failed, clock });
  const place = delivered(sink, webhook.delivery, failed, clock);
  return [{ sink: place.sink, services: [sink, ...place.services] }];
}

function delivered(sink: AuditSink, { mode, batch, truncate }: Delivery, failed: PluginFailure, clock: Clock): Place {
  const cut = (inner: AuditSink): AuditSink => (truncate === undefined ? inner : truncatingSink(inner, truncate, failed));
  if (mode === 'blocking-strict') return { sink: cut(sink), services: [] };
  if (mode === 'blocking') return { sink: cut(forgiving(sink)), services: [] };
  const batching = new BatchingSink({ sink, options: batch, failed, clock });
  return { sink: cut(batching), services: [batching] };
}

/** Requests go on although their events are lost. */
function forgiving(sink: AuditSink): AuditSink {
  return {
    process: (events) => {
      const kept = sink.process(events);
      return kept instanceof Promise ? kept.then(() => true) : true;
    },
  };
}

/** Opens the log, which must be possible when the server starts, and closes it at the end. */
function keeperOf(file: RotatingFile, path: string): Service {
  return {
    name: 'audit log',
    run: async (signal, ready) => {
      try {
        file.prepare();
      } catch (error) {
        throw new UsageError(`the audit log ${path} cannot be opened: ${reasonOf(error)}`, { exitCode: 1, cause: error });
      }
      ready();
      await aborted(signal);
      await file.close();
    },
  };
}
