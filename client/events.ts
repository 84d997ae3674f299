// Recording an event is synchronous and never fails or waits: it is put into a bounded queue and sent in the background. Several lanes
// send concurrently; all events about an object share a lane, which keeps their order and counts. A full lane drops new events and
// counts them.
import { hostname } from 'node:os';
import type { V1ObjectReference } from '#api/generated/types.ts';
import { event } from '#api/core/event/event.ts';
import { eventsEvent } from '#api/events/event.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError, hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client, NewObject, TypedResource } from './client.ts';
import type { EventRecorder } from './controller/define.ts';
import { EventCorrelator, type Occurrence } from './event-correlator.ts';
import { type Action, EventSeries, type SeriesStep } from './event-series.ts';

interface EventSenderDeps {
  readonly client: Pick<Client, 'create' | 'patch'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Also records events about a reference: a container (`fieldPath`), or a node of which only the name is known. */
export interface ReferenceRecorder extends EventRecorder {
  about(
    reference: V1ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    annotations?: Readonly<Record<string, string>>,
  ): void;
}

/** Records actions as events of events.k8s.io. */
export interface ActionRecorder {
  record(action: Omit<Action, 'reportingController' | 'reportingInstance'>): void;
}

type Recorded = { readonly form: 'core'; readonly event: Occurrence } | { readonly form: 'series'; readonly event: Action };

interface Lane {
  readonly waiting: Recorded[];
  wake: (() => void) | undefined;
}

const laneCount = 8;
const laneLimit = 1_000;
const maxTries = 12;
const retryMs = 10_000;
const flushMs = 2_000;
const sweepMs = 60_000;

/** Sends the events of one process. List it before the services that record: on shutdown it flushes the queue for up to two seconds. */
export class EventSender implements Service {
  readonly name = 'event sender';
  readonly #deps: EventSenderDeps;
  readonly #lanes: readonly Lane[] = Array.from({ length: laneCount }, () => ({ waiting: [], wake: undefined }));
  readonly #correlator = new EventCorrelator();
  readonly #series = new EventSeries();
  #dropped = 0;

  constructor(deps: EventSenderDeps) {
    this.#deps = deps;
  }

  /** Number of events dropped because their lane was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Records core events with this source; `host` is the node name of a kubelet, empty for other components. */
  recorder(component: string, host = ''): ReferenceRecorder {
    const about: ReferenceRecorder['about'] = (reference, type, reason, message, annotations = {}) =>
      this.#record(reference.uid ?? reference.name ?? '', {
        form: 'core',
        event: { about: reference, type, reason, message, component, host, annotations },
      });
    return { about, event: (object, type, reason, message) => about(referenceTo(object), type, reason, message) };
  }

  /** Events of events.k8s.io; the instance is named after this host. */
  actionRecorder(reportingController: string): ActionRecorder {
    const reportingInstance = `${reportingController}-${hostname()}`;
    return {
      record: (action) =>
        this.#record(action.regarding.uid ?? '', { form: 'series', event: { ...action, reportingController, reportingInstance } }),
    };
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const wakeAll = (): void => {
      for (const lane of this.#lanes) lane.wake?.();
    };
    signal.addEventListener('abort', wakeAll, { once: true });
    await Promise.all([...this.#lanes.map((lane) => this.#serve(lane, signal)), this.#sweep(signal)]);
    // Events recorded just before the shutdown are still sent; the server may be gone, so within a deadline.
    using rest = this.#deps.clock.deadline(new AbortController().signal, flushMs);
    await Promise.all(this.#lanes.map((lane) => this.#flush(lane, rest.signal)));
  }

  #record(laneKey: string, recorded: Recorded): void {
    const lane = this.#lanes[hash(laneKey) % laneCount];
    if (lane === undefined || lane.waiting.length >= laneLimit) {
      this.#dropped++;
      this.#deps.log.debug({ reason: recorded.event.reason, dropped: this.#dropped }, 'event dropped, the queue is full');
      return;
    }
    lane.waiting.push(recorded);
    lane.wake?.();
  }

  async #serve(lane: Lane, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = lane.waiting.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (lane.wake = resolve));
        lane.wake = undefined;
        continue;
      }
      await this.#send(next, signal);
    }
  }

  async #flush(lane: Lane, signal: AbortSignal): Promise<void> {
    for (let next = lane.waiting.shift(); next !== undefined && !signal.aborted; next = lane.waiting.shift()) {
      await this.#send(next, signal);
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(sweepMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      for (const step of this.#series.sweep(this.#deps.clock.nowMs())) await this.#perform(eventsEvent, step, signal);
    }
  }

  async #send({ form, event: recorded }: Recorded, signal: AbortSignal): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    if (form === 'series') return await this.#perform(eventsEvent, this.#series.observe(recorded, nowMs), signal);
    const correlated = this.#correlator.correlate(recorded, nowMs);
    if (correlated.kind === 'send') await this.#perform(event, correlated, signal);
  }

  /** Retries until the event is written, rejected, or `maxTries` is reached. */
  async #perform<T extends KubeObject>(kind: TypedResource<T>, step: SeriesStep | SendStep<T>, signal: AbortSignal): Promise<void> {
    if (step.kind !== 'send') return;
    const { event: whole, patch } = step as SendStep<T>;
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        await this.#write(kind, whole, patch, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const isAnswer = error instanceof ApiError && !hasReason(error, 'TooManyRequests', 'ServiceUnavailable');
        if (isAnswer || tries >= maxTries) {
          const isCommon = hasReason(error, 'AlreadyExists', 'Forbidden', 'NotFound');
          this.#deps.log[isCommon ? 'debug' : 'warn']({ err: error, name: metaOf(whole).name, tries }, 'event not written');
          return;
        }
        await this.#deps.clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }

  async #write<T extends KubeObject>(kind: TypedResource<T>, whole: NewObject<T>, patch: object | undefined, signal: AbortSignal) {
    const { client } = this.#deps;
    if (patch !== undefined) {
      try {
        const { namespace, name = '' } = metaOf(whole);
        await client.patch(kind, { namespace, name }, patch, { type: 'strategic' }, signal);
        return;
      } catch (error) {
        // The first one has expired or was never written: start over with the count we have.
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }
    await client.create(kind, whole, {}, signal);
  }
}

interface SendStep<T extends KubeObject> {
  readonly kind: 'send';
  readonly event: NewObject<T>;
  readonly patch: object | undefined;
}

/** How an event names the object that it is about. */
export function referenceTo(object: KubeObject): V1ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    ...(object.kind === undefined ? {} : { kind: object.kind }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(object.apiVersion === undefined ? {} : { apiVersion: object.apiVersion }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

function metaOf(object: object): KubeObject['metadata'] {
  return (object as KubeObject).metadata;
}

/** FNV-1a: spreads names evenly over lanes. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
