// Events are told synchronously, put into a bounded queue and sent in the background: recording one never fails, waits or retries in
// the caller. Several lanes send at the same time; all about one object stay in one lane, so their order and counts hold.
// When a lane is full, new events are dropped and counted.
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

/** Records also about what is no object at hand: a container (`fieldPath`), a node known only by name. */
export interface ReferenceRecorder extends EventRecorder {
  about(
    reference: V1ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    annotations?: Readonly<Record<string, string>>,
  ): void;
}

/** Records what was done, in the form of events.k8s.io. */
export interface ActionRecorder {
  record(action: Omit<Action, 'reportingController' | 'reportingInstance'>): void;
}

type Told = { readonly form: 'core'; readonly told: Occurrence } | { readonly form: 'series'; readonly told: Action };

interface Lane {
  readonly waiting: Told[];
  wake: (() => void) | undefined;
}

const laneCount = 8;
const laneLimit = 1_000;
const maxTries = 12;
const retryMs = 10_000;
const flushMs = 2_000;
const sweepMs = 60_000;

/** Sends the events of one process. Put it before what records; what is queued at the stop is sent within two seconds. */
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

  /** Events that found their lane full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Core events, as `component` on `host` (a kubelet's node name; empty for others) says them. */
  recorder(component: string, host = ''): ReferenceRecorder {
    const about: ReferenceRecorder['about'] = (reference, type, reason, message, annotations = {}) =>
      this.#tell(reference.uid ?? reference.name ?? '', {
        form: 'core',
        told: { about: reference, type, reason, message, component, host, annotations },
      });
    return { about, event: (object, type, reason, message) => about(referenceTo(object), type, reason, message) };
  }

  /** Events of events.k8s.io; the instance is named after this host. */
  actionRecorder(reportingController: string): ActionRecorder {
    const reportingInstance = `${reportingController}-${hostname()}`;
    return {
      record: (action) =>
        this.#tell(action.regarding.uid ?? '', { form: 'series', told: { ...action, reportingController, reportingInstance } }),
    };
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const wakeAll = (): void => {
      for (const lane of this.#lanes) lane.wake?.();
    };
    signal.addEventListener('abort', wakeAll, { once: true });
    await Promise.all([...this.#lanes.map((lane) => this.#serve(lane, signal)), this.#sweep(signal)]);
    // Our own end must not keep what was said last from being sent; the server may be gone, so not for long.
    using rest = this.#deps.clock.deadline(new AbortController().signal, flushMs);
    await Promise.all(this.#lanes.map((lane) => this.#flush(lane, rest.signal)));
  }

  #tell(laneKey: string, told: Told): void {
    const lane = this.#lanes[hash(laneKey) % laneCount];
    if (lane === undefined || lane.waiting.length >= laneLimit) {
      this.#dropped++;
      this.#deps.log.debug({ reason: told.told.reason, dropped: this.#dropped }, 'event dropped, the queue is full');
      return;
    }
    lane.waiting.push(told);
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

  async #send({ form, told }: Told, signal: AbortSignal): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    if (form === 'series') return await this.#perform(eventsEvent, this.#series.observe(told, nowMs), signal);
    const correlated = this.#correlator.correlate(told, nowMs);
    if (correlated.kind === 'send') await this.#perform(event, correlated, signal);
  }

  /** Tries until it is written, refused, or hopeless. */
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
