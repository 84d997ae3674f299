import type { KeyValue } from './messages.ts';

const limit = 4_096;

/** The bytes of writes that are under way, so that the events they come back as carry the very same buffer: what was decoded from it is known by it. */
export class OwnWrites {
  readonly #byKey = new Map<string, Uint8Array>();

  expect(key: string, value: Uint8Array): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, value);
    // Those whose event never came.
    if (this.#byKey.size > limit) for (const oldest of this.#byKey.keys()) return void this.#byKey.delete(oldest);
  }

  /** The value of an event: our own buffer where it says the same. */
  valueOf({ key, value }: KeyValue): Uint8Array {
    const own = this.#byKey.get(key);
    if (own === undefined) return value;
    this.#byKey.delete(key);
    return Buffer.compare(own, value) === 0 ? own : value;
  }
}
