// What decides which fields a new object has, as a short text: two objects with the same signature differ from the zero object in the same
// fields. It names the fields that are there by their number and the items and entries by their keys; of values it tells only what
// `fieldChanges` asks of them. No order matters, so nothing is sorted.
import type { Json, JsonObject } from '../meta/object.ts';
import { type Field, freeShape, type ListShape, readField, type Shape, type StructShape } from './field-shape.ts';
import { equalJson, getOwn, isBarren, isObject } from './json-object.ts';

/** Longer ones are not worth making: such objects are rare, and few have the same fields. */
const maxLength = 4_096;

/** Characters beside the fields' marks (from 0x80 on) and the two that say a text's length (the first below 0x11). */
const sign = {
  open: 0x7b,
  close: 0x7d,
  list: 0x5b,
  listEnd: 0x5d,
  null: 0x7e,
  zero: 0x3d,
  barren: 0x2d,
  other: 0x24,
  scalar: 0x23,
  none: 0x3f,
};

/**
 * Makes signatures, character by character in a buffer that serves all of them: every create needs one, and a text that grows by
 * appending took 8 KB of garbage for each pod.
 */
export class FieldSignatures {
  readonly #bytes = Buffer.allocUnsafeSlow(maxLength);
  #length = 0;
  #isComplete = true;

  /** The signature of an object of a kind with this zero object; undefined where it would be too long, or has odd keys. */
  of(shape: StructShape, zero: JsonObject, object: JsonObject): string | undefined {
    this.#length = 0;
    this.#isComplete = true;
    this.#addStruct(shape, zero, object);
    return this.#isComplete ? this.#bytes.toString('latin1', 0, this.#length) : undefined;
  }

  #addStruct(shape: StructShape, zero: Json | undefined, value: JsonObject): void {
    const before = isObject(zero) ? zero : undefined;
    this.#add(sign.open);
    for (const field of shape.fields) {
      const is = readField(value, field);
      if (is !== undefined && field.isOwned) this.#addField(field, before && readField(before, field), is);
    }
    if (shape.keepsUnknown) {
      for (const key of Object.keys(value)) if (!shape.byName.has(key)) this.#addEntry(key, freeShape, value[key] as Json);
    }
    this.#add(sign.close);
  }

  #addField({ mark, shape }: Field, zero: Json | undefined, is: Json): void {
    this.#add(mark);
    if (zero !== undefined && shape.kind === 'leaf' && equalJson(zero, is)) this.#add(sign.zero);
    else this.#addValue(shape, zero, is);
  }

  #addValue(shape: Shape, zero: Json | undefined, value: Json): void {
    if (value === null) this.#add(sign.null);
    else if (shape.kind === 'leaf') return;
    else if (shape.kind === 'list' && Array.isArray(value)) this.#addList(shape, value);
    else if (!isObject(value)) this.#add(isBarren(value) ? sign.barren : sign.other);
    else if (shape.kind === 'struct') this.#addStruct(shape, zero, value);
    else this.#addMap(shape.kind === 'map' ? shape.values : shape, value);
  }

  #addMap(values: Shape, value: JsonObject): void {
    this.#add(sign.open);
    for (const key of Object.keys(value)) {
      if (!this.#isComplete) return;
      this.#addEntry(key, values, value[key] as Json);
    }
    this.#add(sign.close);
  }

  #addEntry(key: string, shape: Shape, value: Json): void {
    this.#addText(key);
    this.#addValue(shape, undefined, value);
  }

  #addList(shape: ListShape, items: readonly Json[]): void {
    this.#add(sign.list);
    for (const item of items) {
      if (!this.#isComplete) return;
      if (shape.keys.length === 0) this.#addKey(item);
      else if (isObject(item)) for (const key of shape.keys) this.#addKey(getOwn(item, key));
      this.#addValue(shape.items, undefined, item);
    }
    this.#add(sign.listEnd);
  }

  #addKey(key: Json | undefined): void {
    if (typeof key === 'string') this.#addText(key);
    else if (key === undefined) this.#add(sign.none);
    else if (typeof key === 'number' || typeof key === 'boolean') {
      this.#add(sign.scalar);
      this.#addText(String(key));
    } else this.#isComplete = false;
  }

  #addText(text: string): void {
    if (text.length > maxLength) {
      this.#isComplete = false;
      return;
    }
    this.#add(text.length >> 8);
    this.#add(text.length & 0xff);
    for (let at = 0; at < text.length; at++) this.#add(text.charCodeAt(at));
  }

  #add(character: number): void {
    if (character > 0xff || this.#length === maxLength) this.#isComplete = false;
    else this.#bytes[this.#length++] = character;
  }
}
