import type { AdmissionPlugin, AdmissionRequest, AttemptEnd } from './contract.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';

/** The admission plugins, in their order, as one. */
export class AdmissionChain {
  readonly #mutating: readonly NonNullable<AdmissionPlugin['mutate']>[];
  readonly #reserving: readonly NonNullable<AdmissionPlugin['reserve']>[];
  readonly #charging: readonly NonNullable<AdmissionPlugin['charge']>[];
  readonly #validating: readonly NonNullable<AdmissionPlugin['validate']>[];
  readonly #connecting: readonly AdmissionPlugin[];
  readonly #removed: readonly NonNullable<AdmissionPlugin['removed']>[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#mutating = plugins.flatMap(({ mutate }) => (mutate === undefined ? [] : [mutate]));
    this.#reserving = plugins.flatMap(({ reserve }) => (reserve === undefined ? [] : [reserve]));
    this.#charging = plugins.flatMap(({ charge }) => (charge === undefined ? [] : [charge]));
    this.#validating = plugins.flatMap(({ validate }) => (validate === undefined ? [] : [validate]));
    this.#connecting = plugins.filter(({ seesConnects }) => seesConnects === true);
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

  removed(kind: KindDefinition, object: KubeObject): void {
    for (const plugin of this.#removed) plugin(kind, object);
  }
}

type Point = NonNullable<AdmissionPlugin['mutate']>;

function askAll(plugins: readonly Point[], request: AdmissionRequest): Promise<void> | undefined {
  for (let at = 0; at < plugins.length; at++) {
    const waiting = plugins[at]?.(request);
    if (waiting !== undefined) return askRest(waiting, plugins.slice(at + 1), request);
  }
  return undefined;
}

async function askRest(waiting: Promise<void>, others: readonly Point[], request: AdmissionRequest): Promise<void> {
  await waiting;
  for (const plugin of others) await plugin(request);
}

type TakingPoint = NonNullable<AdmissionPlugin['reserve']>;

const nothingTaken: AttemptEnd = () => undefined;

function take(plugins: readonly TakingPoint[], request: AdmissionRequest): AttemptEnd | Promise<AttemptEnd> {
  for (let at = 0; at < plugins.length; at++) {
    const taken = plugins[at]?.(request);
    if (taken !== undefined) return takeRest(taken, plugins.slice(at + 1), request);
  }
  return nothingTaken;
}

async function takeRest(taken: ReturnType<TakingPoint>, others: readonly TakingPoint[], request: AdmissionRequest): Promise<AttemptEnd> {
  const ends: AttemptEnd[] = [];
  const keep = (end: AttemptEnd | undefined): void => {
    if (end !== undefined) ends.push(end);
  };
  const endAll: AttemptEnd = (outcome) => {
    for (const end of ends.toReversed()) end(outcome);
  };
  try {
    keep(await taken);
    for (const plugin of others) keep(await plugin(request));
  } catch (error) {
    endAll('dropped');
    throw error;
  }
  return endAll;
}
