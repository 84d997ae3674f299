// The rules of events.k8s.io (client-go tools/events/event_broadcaster.go): the first occurrence is written, the second starts a
// series, further ones are only counted and written every half hour and when the series ends (six quiet minutes).
import type { V1ObjectReference } from '#api/generated/types.ts';
import type { EventsEvent } from '#api/events/event.ts';
import type { NewObject } from './client.ts';
import { EventNames } from './event-names.ts';
import { LruMap } from './lru-map.ts';
import { microTimeText } from './timestamps.ts';

/** Something that happened, and what was being done. */
export interface Action {
  readonly regarding: V1ObjectReference;
  readonly related?: V1ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** `Binding`, `Scheduling`, … */
  readonly action: string;
  readonly note: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
}

export type SeriesStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'send'; readonly event: NewObject<EventsEvent>; readonly patch: object | undefined };

interface Series {
  readonly event: NewObject<EventsEvent>;
  count: number;
  lastMs: number;
  sentCount: number;
  sentMs: number;
}

const cacheLimit = 4_096;
const quietMs = 360_000;
const refreshMs = 1_800_000;
const noteLimit = 1_024;

/** State of the series of one process, bounded in memory. */
export class EventSeries {
  readonly #series = new LruMap<Series>(cacheLimit);
  readonly #names = new EventNames();

  observe(action: Action, nowMs: number): SeriesStep {
    const key = seriesKey(action);
    const known = this.#series.get(key);
    if (known === undefined || nowMs - known.lastMs > quietMs) {
      const event = this.#build(action, nowMs);
      this.#series.set(key, { event, count: 1, lastMs: nowMs, sentCount: 1, sentMs: nowMs });
      return { kind: 'send', event, patch: undefined };
    }
    known.count++;
    known.lastMs = nowMs;
    return known.count === 2 ? this.#send(known, nowMs) : { kind: 'none' };
  }

  /** What is due without anything having happened; call it every minute or so. */
  sweep(nowMs: number): readonly SeriesStep[] {
    const steps: SeriesStep[] = [];
    for (const [key, series] of this.#series.entries()) {
      const isOver = nowMs - series.lastMs > quietMs;
      const isStale = nowMs - series.sentMs > refreshMs;
      if (series.count > series.sentCount && (isOver || isStale)) steps.push(this.#send(series, nowMs));
      if (isOver) this.#series.delete(key);
    }
    return steps;
  }

  #send(series: Series, nowMs: number): SeriesStep {
    series.sentCount = series.count;
    series.sentMs = nowMs;
    const patch = { series: { count: series.count, lastObservedTime: microTimeText(series.lastMs) } };
    return { kind: 'send', event: { ...series.event, ...patch }, patch };
  }

  #build(action: Action, nowMs: number): NewObject<EventsEvent> {
    const { regarding, related, type, reason, note, reportingController, reportingInstance } = action;
    return {
      metadata: { name: this.#names.next(regarding.name ?? '', nowMs), namespace: regarding.namespace ?? 'default' },
      eventTime: microTimeText(nowMs),
      reportingController,
      reportingInstance,
      action: action.action,
      reason,
      regarding,
      ...(related === undefined ? {} : { related }),
      note: note.slice(0, noteLimit),
      type,
    };
  }
}

function seriesKey({ regarding, related, type, reason, action, reportingController, reportingInstance }: Action): string {
  return JSON.stringify([type, action, reason, reportingController, reportingInstance, regarding, related ?? null]);
}
