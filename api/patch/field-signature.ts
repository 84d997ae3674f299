// What decides which fields a new object has, as a short text: two objects with the same signature differ from the zero object in the same
// fields. It names the fields that are there by their number and the items and entries by their keys; of values it tells only what
// `fieldChanges` asks of them. No order matters, so nothing is sorted.
import type { Json, JsonObject } from '../meta/object.ts';
import { type Field, freeShape, type ListShape, readField, type Shape, type StructShape } from './field-shape.ts';
import { equalJson, getOwn, isBarren, isObject } from './json-object.ts';

/** Longer ones are not worth making: such objects are rare, and few have the same fields. */
const maxLength = 4_096;

/** The signature of an object of a kind with this zero object; undefined where it would be too long, or has odd keys. */
export function fieldSignature(shape: StructShape, zero: JsonObject, object: JsonObject): string | undefined {
  const signature = new Signature();
  signature.addStruct(shape, zero, object);
  return signature.isComplete ? signature.text : undefined;
}

/** Grows by appending: what V8 makes one text of in the end with the least effort. */
class Signature {
  text = '';
  isComplete = true;

  addStruct(shape: StructShape, zero: Json | undefined, value: JsonObject): void {
    const before = isObject(zero) ? zero : undefined;
    this.text += '{';
    for (const field of shape.fields) {
      const is = readField(value, field);
      if (is !== undefined && field.isOwned) this.#addField(field, before && readField(before, field), is);
    }
    if (shape.keepsUnknown) {
      for (const key of Object.keys(value)) if (!shape.byName.has(key)) this.#addEntry(key, freeShape, value[key] as Json);
    }
    this.text += '}';
  }

  #addField({ mark, shape }: Field, zero: Json | undefined, is: Json): void {
    this.text += mark;
    if (zero !== undefined && shape.kind === 'leaf' && equalJson(zero, is)) this.text += '=';
    else this.#addValue(shape, zero, is);
  }

  #addValue(shape: Shape, zero: Json | undefined, value: Json): void {
    if (value === null) this.text += '~';
    else if (shape.kind === 'leaf') return;
    else if (shape.kind === 'list' && Array.isArray(value)) this.#addList(shape, value);
    else if (!isObject(value)) this.text += isBarren(value) ? '-' : '$';
    else if (shape.kind === 'struct') this.addStruct(shape, zero, value);
    else this.#addMap(shape.kind === 'map' ? shape.values : shape, value);
  }

  #addMap(values: Shape, value: JsonObject): void {
    this.text += '{';
    for (const key of Object.keys(value)) {
      if (!this.isComplete) return;
      this.#addEntry(key, values, value[key] as Json);
    }
    this.text += '}';
  }

  #addEntry(key: string, shape: Shape, value: Json): void {
    this.#addText(key);
    this.#addValue(shape, undefined, value);
  }

  #addList(shape: ListShape, items: readonly Json[]): void {
    this.text += '[';
    for (const item of items) {
      if (!this.isComplete) return;
      if (shape.keys.length === 0) this.#addKey(item);
      else if (isObject(item)) for (const key of shape.keys) this.#addKey(getOwn(item, key));
      this.#addValue(shape.items, undefined, item);
    }
    this.text += ']';
  }

  #addKey(key: Json | undefined): void {
    if (typeof key === 'string') this.#addText(key);
    else if (typeof key === 'number' || typeof key === 'boolean') this.text += `#${key};`;
    else if (key === undefined) this.text += '?';
    else this.isComplete = false;
  }

  #addText(text: string): void {
    this.text += `${text.length}:`;
    this.text += text;
    if (this.text.length > maxLength) this.isComplete = false;
  }
}
