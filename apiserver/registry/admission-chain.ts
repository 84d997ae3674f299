import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { AdmissionTiming, AdmissionType, Timed } from './admission-timing.ts';
import { type AdmissionPlugin, type AdmissionRequest, type AttemptEnd, endAll } from './contract.ts';

/** The admission plugins, in their order, as one. */
export class AdmissionChain {
  readonly #mutating: Step<AskingPoint>;
  readonly #reserving: Step<TakingPoint>;
  readonly #charging: Step<TakingPoint>;
  readonly #validating: Step<AskingPoint>;
  readonly #connecting: readonly AdmissionPlugin[];
  readonly #along: readonly NonNullable<AdmissionPlugin['writesAlong']>[];
  readonly #removed: readonly NonNullable<AdmissionPlugin['removed']>[];

  constructor(plugins: readonly AdmissionPlugin[], timing?: AdmissionTiming) {
    const step = <P>(type: AdmissionType, whole: 'whole' | 'part', point: (plugin: AdmissionPlugin) => P | undefined): Step<P> => ({
      points: plugins.flatMap((plugin) => {
        const act = point(plugin);
        return act === undefined ? [] : [{ act, timed: timing?.plugin(plugin.name, type) }];
      }),
      timed: whole === 'whole' ? timing?.step(type) : undefined,
      nowMs: timing?.nowMs ?? noTime,
    });
    this.#mutating = step('admit', 'whole', ({ mutate }) => mutate);
    this.#reserving = step('admit', 'part', ({ reserve }) => reserve);
    this.#charging = step('validate', 'part', ({ charge }) => charge);
    this.#validating = step('validate', 'whole', ({ validate }) => validate);
    this.#connecting = plugins.filter(({ seesConnects }) => seesConnects === true);
    this.#along = plugins.flatMap(({ writesAlong }) => (writesAlong === undefined ? [] : [writesAlong]));
    this.#removed = plugins.flatMap(({ removed }) => (removed === undefined ? [] : [removed]));
  }

  /** As the other points, answers a promise only where a plugin waits: nearly all writes go through here without. */
  mutate(request: AdmissionRequest): Promise<void> | undefined {
    return askAll(this.#mutating, request);
  }

  /** Lets plugins take what the object needs. Whatever was taken is given back if one of them refuses. */
  reserve(request: AdmissionRequest): AttemptEnd | Promise<AttemptEnd> {
    return take(this.#reserving, request);
  }

  /** Lets plugins take what the object costs; otherwise as `reserve`. */
  charge(request: AdmissionRequest): AttemptEnd | Promise<AttemptEnd> {
    return take(this.#charging, request);
  }

  validate(request: AdmissionRequest): Promise<void> | undefined {
    return askAll(this.#validating, request);
  }

  /** Asks about a connection those who care for such. */
  async connect(request: AdmissionRequest): Promise<void> {
    for (const { mutate } of this.#connecting) await mutate?.(request);
    for (const { validate } of this.#connecting) await validate?.(request);
  }

  /** Whether something may be stored along with objects of a kind. */
  writesAlong(kind: KindDefinition): boolean {
    return this.#along.some((writes) => writes(kind));
  }

  /** Resolves when nothing holds what the object held; undefined where nothing is to be waited for. */
  removed(kind: KindDefinition, object: KubeObject): Promise<unknown> | undefined {
    const waits = this.#removed.map((plugin) => plugin(kind, object)).filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Promise.all(waits);
  }
}

type AskingPoint = NonNullable<AdmissionPlugin['mutate']>;
type TakingPoint = NonNullable<AdmissionPlugin['reserve']>;

/** What is asked at one point of a write. */
interface Step<P> {
  readonly points: readonly { readonly act: P; readonly timed: Timed | undefined }[];
  readonly timed: Timed | undefined;
  readonly nowMs: () => number;
}

/** A stopwatch through one step. Nothing refuses it: it only measures. */
class Lap {
  readonly #step: Step<unknown>;
  readonly #request: AdmissionRequest;
  readonly #startMs: number;
  #lastMs: number;

  constructor(step: Step<unknown>, request: AdmissionRequest) {
    this.#step = step;
    this.#request = request;
    this.#startMs = step.nowMs();
    this.#lastMs = this.#startMs;
  }

  /** The plugin at a place is through. */
  passed(at: number): void {
    const nowMs = this.#step.nowMs();
    this.#step.points[at]?.timed?.took(this.#request.operation, false, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  refused(at: number): void {
    const nowMs = this.#step.nowMs();
    this.#step.points[at]?.timed?.took(this.#request.operation, true, nowMs - this.#lastMs);
    this.#step.timed?.took(this.#request.operation, true, nowMs - this.#startMs);
  }

  done(): void {
    this.#step.timed?.took(this.#request.operation, false, this.#lastMs - this.#startMs);
  }
}

const noTime = (): number => 0;

function askAll(step: Step<AskingPoint>, request: AdmissionRequest): Promise<void> | undefined {
  const lap = new Lap(step, request);
  let at = 0;
  try {
    for (; at < step.points.length; at++) {
      const waiting = step.points[at]?.act(request);
      if (waiting !== undefined) return askRest(waiting, { step, at, lap }, request);
      lap.passed(at);
    }
  } catch (error) {
    lap.refused(at);
    throw error;
  }
  lap.done();
  return undefined;
}

/** Where a step waits for the plugin at `at`. */
interface Waiting<P> {
  readonly step: Step<P>;
  readonly at: number;
  readonly lap: Lap;
}

async function askRest(waiting: Promise<void>, { step, at: first, lap }: Waiting<AskingPoint>, request: AdmissionRequest): Promise<void> {
  let at = first;
  try {
    await waiting;
    lap.passed(at);
    for (at++; at < step.points.length; at++) {
      await step.points[at]?.act(request);
      lap.passed(at);
    }
  } catch (error) {
    lap.refused(at);
    throw error;
  }
  lap.done();
}

const nothingTaken: AttemptEnd = () => undefined;

function take(step: Step<TakingPoint>, request: AdmissionRequest): AttemptEnd | Promise<AttemptEnd> {
  const lap = new Lap(step, request);
  let at = 0;
  try {
    for (; at < step.points.length; at++) {
      const taken = step.points[at]?.act(request);
      if (taken !== undefined) return takeRest(taken, { step, at, lap }, request);
      lap.passed(at);
    }
  } catch (error) {
    lap.refused(at);
    throw error;
  }
  return nothingTaken;
}

async function takeRest(
  taken: ReturnType<TakingPoint>,
  { step, at: first, lap }: Waiting<TakingPoint>,
  request: AdmissionRequest,
): Promise<AttemptEnd> {
  const ends: AttemptEnd[] = [];
  const keep = (end: AttemptEnd | undefined): void => {
    if (end !== undefined) ends.push(end);
  };
  let at = first;
  try {
    keep(await taken);
    lap.passed(at);
    for (at++; at < step.points.length; at++) {
      keep(await step.points[at]?.act(request));
      lap.passed(at);
    }
  } catch (error) {
    lap.refused(at);
    await endAll(ends.toReversed())('dropped');
    throw error;
  }
  return endAll(ends.toReversed());
}
