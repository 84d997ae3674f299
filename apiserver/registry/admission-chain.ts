import type { AdmissionPlugin, AdmissionRequest, AttemptEnd } from './contract.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';

/** The admission plugins, in their order, as one. */
export class AdmissionChain {
  readonly #mutating: readonly NonNullable<AdmissionPlugin['mutate']>[];
  readonly #reserving: readonly NonNullable<AdmissionPlugin['reserve']>[];
  readonly #charging: readonly NonNullable<AdmissionPlugin['charge']>[];
  readonly #validating: readonly NonNullable<AdmissionPlugin['validate']>[];
  readonly #removed: readonly NonNullable<AdmissionPlugin['removed']>[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#mutating = plugins.flatMap(({ mutate }) => (mutate === undefined ? [] : [mutate]));
    this.#reserving = plugins.flatMap(({ reserve }) => (reserve === undefined ? [] : [reserve]));
    this.#charging = plugins.flatMap(({ charge }) => (charge === undefined ? [] : [charge]));
    this.#validating = plugins.flatMap(({ validate }) => (validate === undefined ? [] : [validate]));
    this.#removed = plugins.flatMap(({ removed }) => (removed === undefined ? [] : [removed]));
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#mutating) {
      const waiting = plugin(request);
      if (waiting !== undefined) await waiting;
    }
  }

  /** Lets plugins take what the object needs. Whatever was taken is given back if one of them refuses. */
  async reserve(request: AdmissionRequest): Promise<AttemptEnd> {
    return await take(this.#reserving, request);
  }

  /** Lets plugins take what the object costs; otherwise as `reserve`. */
  async charge(request: AdmissionRequest): Promise<AttemptEnd> {
    return await take(this.#charging, request);
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#validating) {
      const waiting = plugin(request);
      if (waiting !== undefined) await waiting;
    }
  }

  removed(kind: KindDefinition, object: KubeObject): void {
    for (const plugin of this.#removed) plugin(kind, object);
  }
}

async function take(plugins: readonly NonNullable<AdmissionPlugin['reserve']>[], request: AdmissionRequest): Promise<AttemptEnd> {
  const ends: AttemptEnd[] = [];
  const endAll: AttemptEnd = (outcome) => {
    for (const end of ends.toReversed()) end(outcome);
  };
  try {
    for (const plugin of plugins) {
      const answer = plugin(request);
      const end = answer instanceof Promise ? await answer : answer;
      if (end !== undefined) ends.push(end);
    }
  } catch (error) {
    endAll('dropped');
    throw error;
  }
  return endAll;
}
