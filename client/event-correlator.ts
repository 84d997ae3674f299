// Keeps floods of events small, by client-go's three rules (tools/record/events_cache.go):
// the same event again counts up the first; ten that differ only in their message within ten minutes become one "combined" event;
// a source may say 25 things about an object at once and then one every five minutes.
import type { V1ObjectReference } from '#api/generated/types.ts';
import type { Event } from '#api/core/event/event.ts';
import { EventNames } from './event-names.ts';
import type { NewObject } from './client.ts';
import { LruMap } from './lru-map.ts';
import { timeText } from './timestamps.ts';

/** An occurrence, as given to a recorder. */
export interface Occurrence {
  readonly about: V1ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly component: string;
  /** Node name for kubelets; '' otherwise. */
  readonly host: string;
  /** Of the event itself. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What to send. `patch` is set when the event exists already; if it turns out to be gone, create the whole `event`. */
type Correlated =
  | { readonly kind: 'drop' }
  | { readonly kind: 'send'; readonly event: NewObject<Event>; readonly patch: object | undefined };

interface Similar {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Sent {
  readonly name: string;
  readonly firstMs: number;
  count: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const cacheLimit = 4_096;
const combineFrom = 10;
const combineWithinMs = 600_000;
const burst = 25;
const refillMs = 300_000;

/** State of the three rules, bounded in memory. Not to be shared between processes' recorders. */
export class EventCorrelator {
  readonly #similar = new LruMap<Similar>(cacheLimit);
  readonly #sent = new LruMap<Sent>(cacheLimit);
  readonly #buckets = new LruMap<Bucket>(cacheLimit);
  readonly #names = new EventNames();

  correlate(occurrence: Occurrence, nowMs: number): Correlated {
    const source = sourceKey(occurrence);
    const group = [source, occurrence.type, occurrence.reason].join('\0');
    const combined = this.#isFlood(group, occurrence.message, nowMs);
    const message = combined ? `(combined from similar events): ${occurrence.message}` : occurrence.message;
    const key = combined ? group : [group, occurrence.about.fieldPath ?? '', occurrence.message].join('\0');
    const before = this.#sent.get(key);
    const sent: Sent = before ?? { name: this.#names.next(occurrence.about.name ?? '', nowMs), firstMs: nowMs, count: 0 };
    sent.count++;
    this.#sent.set(key, sent);
    if (!this.#take(source, nowMs)) return { kind: 'drop' };
    const patch = before === undefined ? undefined : { count: sent.count, lastTimestamp: timeText(nowMs), message };
    return { kind: 'send', event: build(occurrence, sent, message, nowMs), patch };
  }

  #isFlood(group: string, message: string, nowMs: number): boolean {
    let similar = this.#similar.get(group);
    if (similar === undefined || nowMs - similar.lastMs > combineWithinMs) similar = { messages: new Set(), lastMs: nowMs };
    similar.messages.add(message);
    similar.lastMs = nowMs;
    this.#similar.set(group, similar);
    if (similar.messages.size < combineFrom) return false;
    const [oldest = ''] = similar.messages;
    similar.messages.delete(oldest);
    return true;
  }

  #take(source: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(source) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / refillMs);
    bucket.atMs = nowMs;
    this.#buckets.set(source, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

function sourceKey({ about, component, host }: Occurrence): string {
  const { kind, namespace, name, uid, apiVersion } = about;
  return [component, host, kind, namespace, name, uid, apiVersion].join('\0');
}

function build(occurrence: Occurrence, sent: Sent, message: string, nowMs: number): NewObject<Event> {
  const { about, type, reason, component, host, annotations = {} } = occurrence;
  return {
    metadata: {
      name: sent.name,
      namespace: about.namespace ?? 'default',
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    involvedObject: about,
    reason,
    message,
    source: host === '' ? { component } : { component, host },
    firstTimestamp: timeText(sent.firstMs),
    lastTimestamp: timeText(nowMs),
    count: sent.count,
    type,
    reportingComponent: component,
    reportingInstance: host,
  };
}
