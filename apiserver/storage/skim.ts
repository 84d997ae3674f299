// Reads a few members of an object's stored JSON and skips the rest: what selectors ask for is a small part of an object, and every server
// needs it of every change. Stored JSON has no white space; what looks otherwise, or holds numbers that doubles do not, is parsed whole.
import type { KubeObject } from '#api/meta/object.ts';
import { parseObject } from './decoded-objects.ts';

interface Wanted {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of these, where it is an object; none: all of it. */
  readonly members: readonly Wanted[];
}

/** Reads an object with (at least) the members that were asked for. Throws where its JSON is none. */
export type Skim = (bytes: Uint8Array) => KubeObject;

const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
/** A double holds any number of fewer digits. */
const longNumberBytes = 16;

/** @param paths such as `spec.nodeName` or `reason`: one or two members deep. */
export function skimmer(paths: readonly string[]): Skim {
  const wanted = wantedOf(paths);
  const reading = new Reading();
  return (bytes) => (reading.object(bytes, wanted) as KubeObject | undefined) ?? parseObject(bytes);
}

function wantedOf(paths: readonly string[]): readonly Wanted[] {
  const tops = new Map<string, Set<string>>();
  const whole = new Set(paths.filter((path) => !path.includes('.')));
  for (const path of paths) {
    const [top = '', member] = path.split('.');
    const members = tops.get(top) ?? new Set();
    tops.set(top, members);
    if (member !== undefined && !whole.has(top)) members.add(member);
  }
  const one = (name: string, members: readonly Wanted[]): Wanted => ({ name, bytes: Buffer.from(name), members });
  return [...tops].map(([top, members]) =>
    one(
      top,
      [...members].map((member) => one(member, [])),
    ),
  );
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
      this.#at = this.#endOfString(start);
      const one = this.#find(wanted, start, this.#at - 1);
      if (bytes[this.#at++] !== colon) return undefined;
      if (one === undefined) {
        if (!this.#skip()) return undefined;
      } else {
        const value = one.members.length > 0 && bytes[this.#at] === openBrace ? this.#members(one.members) : this.#value();
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
  #value(): unknown {
    const start = this.#at;
    if (!this.#skip()) return undefined;
    const first = this.#bytes[start] ?? 0;
    const isLong = this.#at - start >= longNumberBytes && first !== quote && first !== openBrace && first !== openBracket;
    return isLong ? undefined : parseObject(this.#bytes.subarray(start, this.#at));
  }

  #skip(): boolean {
    const bytes = this.#bytes;
    const first = bytes[this.#at];
    if (first === openBrace || first === openBracket) return this.#skipNested();
    if (first === quote) {
      this.#at = this.#endOfString(this.#at + 1);
      return true;
    }
    const start = this.#at;
    for (let byte = first; byte !== undefined && byte !== comma && byte !== closeBrace; byte = bytes[++this.#at]);
    return this.#at > start;
  }

  #skipNested(): boolean {
    const bytes = this.#bytes;
    let depth = 0;
    let at = this.#at;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === quote) {
        at++;
        for (let inside = bytes[at]; inside !== quote && at < bytes.length; inside = bytes[++at]) if (inside === backslash) at++;
      } else if (byte === openBrace || byte === openBracket) {
        depth++;
      } else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) {
        break;
      }
    }
    this.#at = at + 1;
    return depth === 0;
  }

  /** Behind the quote that ends the string whose first byte is at `start`. */
  #endOfString(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    for (let inside = bytes[at]; inside !== quote && at < bytes.length; inside = bytes[++at]) if (inside === backslash) at++;
    return at + 1;
  }
}
