import type { KubeObject } from '#api/meta/object.ts';
import { plainValue } from '#api/schema/decode-leaf.ts';
import { parseJson } from '#api/schema/json.ts';

/** Decoded objects cost some four times their JSON. */
const defaultBudgetBytes = 8 * 1_024 * 1_024;

/** What has been decoded lately, bounded by the size of its JSON. Objects in it are shared: never change them. */
export class DecodedObjects {
  readonly #budgetBytes: number;
  #usedBytes = 0;
  readonly #recent = new Map<{ readonly sizeBytes: number }, KubeObject>();
  /** Objects that were just encoded, by their bytes, until the write comes back as an event. */
  readonly #written = new WeakMap<Uint8Array, KubeObject>();

  constructor(budgetBytes: number = defaultBudgetBytes) {
    this.#budgetBytes = budgetBytes;
  }

  get(owner: { readonly sizeBytes: number }): KubeObject | undefined {
    return this.#recent.get(owner);
  }

  set(owner: { readonly sizeBytes: number }, object: KubeObject): void {
    if (!this.#recent.has(owner)) this.#usedBytes += owner.sizeBytes;
    this.#recent.set(owner, object);
    for (const oldest of this.#recent.keys()) {
      if (this.#usedBytes <= this.#budgetBytes) break;
      this.#recent.delete(oldest);
      this.#usedBytes -= oldest.sizeBytes;
    }
  }

  delete(owner: { readonly sizeBytes: number }): void {
    if (this.#recent.delete(owner)) this.#usedBytes -= owner.sizeBytes;
  }

  /** Keeps the object that `bytes` were made from, so that they need not be parsed. Takes ownership of the object. */
  remember(bytes: Uint8Array, object: KubeObject): void {
    this.#written.set(bytes, object);
  }

  /** The object that `bytes` were made from, if remembered; returned once only, since the bytes may live much longer. */
  take(bytes: Uint8Array): KubeObject | undefined {
    const object = this.#written.get(bytes);
    if (object !== undefined) this.#written.delete(bytes);
    return object;
  }
}

/** A whole number that a double may not hold as it stands; fractions were made doubles when they came in. Stored JSON has no white space. */
const longNumber = /[:,[]-?\d{16}/;

/** Parses an object's JSON, which must be valid. Numbers that no double holds keep their digits. */
export function parseObject(bytes: Uint8Array): KubeObject {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const value = longNumber.test(text) ? plainValue(parseJson(bytes).value) : JSON.parse(text);
  return value as KubeObject;
}
