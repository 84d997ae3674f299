// Sends events to a webhook, one EventList per batch. Whatever goes wrong is tried again a few times: there is hardly an
// error that a server may not recover from, and an event that is not sent is lost.
import type { ApiEndpoint } from '#client/endpoint.ts';
import { Transport } from '#client/transport.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import { version } from '#base/version.ts';
import type { AuditEvent, AuditSink } from './contract.ts';
import { listText } from './event-text.ts';
import type { PluginFailure } from './plugin-failure.ts';

interface WebhookDeps {
  readonly endpoint: ApiEndpoint;
  /** Before the second attempt; then half as long again each time. */
  readonly initialBackoffMs: number;
  readonly failed: PluginFailure;
  readonly clock: Clock;
}

const attempts = 5;
const backoffFactor = 1.5;
const jitter = 0.2;
const requestLimitMs = 30_000;
/** How long what is on its way may take when the server stops. */
const graceMs = 10_000;

export class WebhookSink implements AuditSink, Service {
  readonly name = 'audit webhook';
  readonly #deps: WebhookDeps;
  readonly #transport: Transport;
  readonly #path: string;
  readonly #life = new AbortController();
  readonly #sending = new Set<Promise<unknown>>();

  constructor(deps: WebhookDeps) {
    this.#deps = deps;
    this.#transport = new Transport(deps.endpoint, { clock: deps.clock, userAgent: `kube-apiserver/${version}`, requestLimitMs });
    const { pathname, search } = new URL(deps.endpoint.server);
    // The transport puts the path before it.
    this.#path = `${pathname.replace(/\/$/, '') === '' ? '/' : ''}${search}`;
  }

  process(events: readonly AuditEvent[]): Promise<boolean> {
    const sent = this.#send(events).finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
    return sent;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await aborted(signal);
    using deadline = this.#deps.clock.deadline(new AbortController().signal, graceMs);
    await Promise.race([Promise.all(this.#sending), aborted(deadline.signal)]);
    this.#life.abort(new Error('the server has stopped'));
    await Promise.all(this.#sending);
    await this.#transport[Symbol.asyncDispose]();
  }

  async #send(events: readonly AuditEvent[]): Promise<boolean> {
    const { clock, failed, initialBackoffMs } = this.#deps;
    const body = listText(events);
    let backoffMs = initialBackoffMs;
    let why: unknown;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        const { status, text } = await this.#transport.send({ method: 'POST', path: this.#path, body }, this.#life.signal);
        if (status >= 200 && status < 300) return true;
        why = new Error(`the webhook answered ${status}: ${text.slice(0, 200)}`);
      } catch (error) {
        why = error;
      }
      if (this.#life.signal.aborted || attempt === attempts) break;
      await clock.sleep(backoffMs * (1 + jitter * Math.random()), this.#life.signal).catch(() => undefined);
      backoffMs *= backoffFactor;
    }
    failed('webhook', why, events);
    return false;
  }
}
