// Reads a few members of an object's stored JSON and skips the rest: what selectors ask for is a small part of an object, and every server
// needs it of every change. Stored JSON has no white space; what looks otherwise, or holds numbers that doubles do not, is parsed whole.
import type { KubeObject } from '#api/meta/object.ts';
import { parseObject } from './decoded-objects.ts';
import { closeBrace, colon, comma, endOfString, endOfValue, openBrace, openBracket, quote } from './json-scan.ts';

interface Wanted {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of these, where it is an object; none: all of it. */
  readonly members: readonly Wanted[];
  /** What is longer is not parsed: `tooLong` stands for it. */
  readonly mostBytes?: number | undefined;
}

/** Stands for a value that was not worth parsing. */
export const tooLong = Symbol('too long');

/** Reads an object with (at least) the members that were asked for. Throws where its JSON is none. */
export type Skim = (bytes: Uint8Array) => KubeObject;

/** A double holds any number of fewer digits. */
const longNumberBytes = 16;

/**
 * @param paths such as `spec.nodeName` or `reason`: one or two members deep.
 * @param mostBytes by path, of values that may be `tooLong`.
 */
export function skimmer(paths: readonly string[], mostBytes: Readonly<Record<string, number>> = {}): Skim {
  return skimmerOf(wantedOf(paths, mostBytes));
}

/** Reads the labels with these keys, and no others. */
export function labelSkimmer(keys: readonly string[]): (bytes: Uint8Array) => Readonly<Record<string, string>> | undefined {
  const skim = skimmerOf([{ ...member('metadata'), members: [{ ...member('labels'), members: keys.map(member) }] }]);
  return (bytes) => skim(bytes).metadata.labels;
}

function skimmerOf(wanted: readonly Wanted[]): Skim {
  const reading = new Reading();
  return (bytes) => (reading.object(bytes, wanted) as KubeObject | undefined) ?? parseObject(bytes);
}

function member(name: string): Wanted {
  return { name, bytes: Buffer.from(name), members: [] };
}

function wantedOf(paths: readonly string[], mostBytes: Readonly<Record<string, number>>): readonly Wanted[] {
  const tops = new Map<string, Set<string>>();
  const whole = new Set(paths.filter((path) => !path.includes('.')));
  for (const path of paths) {
    const [top = '', member] = path.split('.');
    const members = tops.get(top) ?? new Set();
    tops.set(top, members);
    if (member !== undefined && !whole.has(top)) members.add(member);
  }
  return [...tops].map(([top, names]) => ({
    ...member(top),
    members: [...names].map((name) => ({ ...member(name), mostBytes: mostBytes[`${top}.${name}`] })),
  }));
}

/** One pass over the bytes of an object; its methods answer undefined or false where they do not understand them. */
class Reading {
  #bytes: Uint8Array = Buffer.of();
  #at = 0;

  object(bytes: Uint8Array, wanted: readonly Wanted[]): object | undefined {
    this.#bytes = bytes;
    this.#at = 0;
    const found = this.#members(wanted);
    const isAll = this.#at === bytes.length;
    this.#bytes = Buffer.of();
    return isAll ? found : undefined;
  }

  #members(wanted: readonly Wanted[]): object | undefined {
    const bytes = this.#bytes;
    const found: Record<string, unknown> = {};
    if (bytes[this.#at++] !== openBrace) return undefined;
    if (bytes[this.#at] === closeBrace) {
      this.#at++;
      return found;
    }
    for (;;) {
      const start = this.#at + 1;
      if (bytes[this.#at] !== quote) return undefined;
      this.#at = endOfString(bytes, start);
      const one = this.#find(wanted, start, this.#at - 1);
      if (bytes[this.#at++] !== colon) return undefined;
      if (one === undefined) {
        if (!this.#skip()) return undefined;
      } else {
        const value = one.members.length > 0 && bytes[this.#at] === openBrace ? this.#members(one.members) : this.#value(one.mostBytes);
        if (value === undefined) return undefined;
        found[one.name] = value;
      }
      const next = bytes[this.#at++];
      if (next === closeBrace) return found;
      if (next !== comma) return undefined;
    }
  }

  #find(wanted: readonly Wanted[], start: number, end: number): Wanted | undefined {
    const bytes = this.#bytes;
    next: for (const one of wanted) {
      const name = one.bytes;
      if (name.length !== end - start) continue;
      for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) continue next;
      return one;
    }
    return undefined;
  }

  /** The whole value that begins here. */
  #value(mostBytes = Infinity): unknown {
    const start = this.#at;
    if (!this.#skip()) return undefined;
    if (this.#at - start > mostBytes) return tooLong;
    const first = this.#bytes[start] ?? 0;
    const isLong = this.#at - start >= longNumberBytes && first !== quote && first !== openBrace && first !== openBracket;
    return isLong ? undefined : parseObject(this.#bytes.subarray(start, this.#at));
  }

  #skip(): boolean {
    const end = endOfValue(this.#bytes, this.#at);
    if (end === undefined) return false;
    this.#at = end;
    return true;
  }
}
