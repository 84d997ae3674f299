// Profiles in the format of pprof (github.com/google/pprof, proto/profile.proto): packed protobuf, which `go tool pprof`, speedscope and
// others open. Only the fields that a profile of V8 has are written.
import { gzipSync } from 'node:zlib';

/** Where code runs: a function of a file. */
export interface Frame {
  readonly name: string;
  readonly file: string;
  /** 1-based; 0: unknown. */
  readonly line: number;
}

export interface Sample {
  /** The innermost first. */
  readonly stack: readonly Frame[];
  /** One for each type of the profile. */
  readonly values: readonly number[];
}

interface ValueType {
  readonly type: string;
  readonly unit: string;
}

export interface Profile {
  readonly types: readonly ValueType[];
  readonly samples: Iterable<Sample>;
  /** What is between two samples. */
  readonly period: { readonly of: ValueType; readonly amount: number };
  /** Since the epoch. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** The packed bytes of a profile. */
export function pprofBytes(profile: Profile): Buffer {
  const texts = new Indexed<string>((text) => text);
  texts.of('');
  const functions = new Indexed<Frame>(({ name, file, line }) => `${name}\n${file}\n${line}`);
  const out = new Message();
  const typeOf = ({ type, unit }: ValueType): Message => new Message().number(1, texts.of(type)).number(2, texts.of(unit));
  for (const type of profile.types) out.message(1, typeOf(type));
  for (const { stack, values } of profile.samples) {
    const places = stack.map((frame) => functions.of(frame) + 1);
    out.message(2, new Message().packed(1, places).packed(2, values));
  }
  // A location for each function: V8 reports where functions begin.
  for (const [at, { name, file, line }] of functions.all.entries()) {
    const id = at + 1;
    const lineOf = new Message().number(1, id).number(2, line);
    out.message(4, new Message().number(1, id).message(4, lineOf));
    const named = texts.of(name);
    out.message(5, new Message().number(1, id).number(2, named).number(3, named).number(4, texts.of(file)).number(5, line));
  }
  const period = typeOf(profile.period.of);
  for (const text of texts.all) out.text(6, text);
  out.number(9, profile.startMs * 1e6).number(10, profile.durationMs * 1e6);
  out.message(11, period).number(12, profile.period.amount);
  return gzipSync(out.bytes());
}

/** Gives things numbers in the order in which they come. */
class Indexed<T> {
  readonly all: T[] = [];
  readonly #known = new Map<string, number>();
  readonly #key: (one: T) => string;

  constructor(key: (one: T) => string) {
    this.#key = key;
  }

  of(one: T): number {
    const key = this.#key(one);
    let at = this.#known.get(key);
    if (at === undefined) {
      at = this.all.push(one) - 1;
      this.#known.set(key, at);
    }
    return at;
  }
}

/** One message of protobuf, field by field. Numbers are not negative; 0 is left out. */
class Message {
  readonly #parts: Uint8Array[] = [];

  number(field: number, value: number): this {
    if (value > 0) this.#parts.push(varint(field * 8), varint(value));
    return this;
  }

  packed(field: number, values: readonly number[]): this {
    return this.#bytes(field, Buffer.concat(values.map(varint)));
  }

  text(field: number, text: string): this {
    return this.#bytes(field, Buffer.from(text));
  }

  message(field: number, message: Message): this {
    return this.#bytes(field, message.bytes());
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #bytes(field: number, bytes: Uint8Array): this {
    this.#parts.push(varint(field * 8 + 2), varint(bytes.length), bytes);
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(Math.round(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
