// YAML bodies, as upstream's library converts them to JSON: the first document, aliases expanded within limits, merge keys
// followed, keys made strings. Types of scalars are ours (yaml-scalar.ts); the package only gives the tree.
import { isUtf8 } from 'node:buffer';
import {
  type Alias,
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Json } from '#api/meta/object.ts';
import { maxBodyValues } from './body-limits.ts';
import { JsonError, type ParsedJson, parseJsonBody } from './json.ts';
import { NumberText } from './json-parser.ts';
import { plainScalar } from './yaml-scalar.ts';
import { yamlProblem } from './yaml-words.ts';

/** The text is no YAML that upstream takes; the message is meant for the client. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

interface ParsedYaml {
  readonly parsed: ParsedJson;
  /** What strict decoding says about keys that came twice: nothing, or one text with a line for each. */
  readonly duplicates: readonly string[];
}

/** As many tokens, roughly, as parsing takes two seconds for, whoever parses. Larger bodies must come as JSON, which costs a hundredth. */
const maxTokens = 400_000;
/** Characters that aliases may stand for together: as many as a body may have. */
const maxAliasedChars = 3 * 1024 * 1024;
/** What YAML allows nowhere. */
const forbidden = /[^\P{Cc}\t\n\r\u0085]|[\ufffe\uffff]/u;

/** Parses a YAML body. JSON, which clients like to send under YAML's name, takes JSON's way. `most`: values, or tokens. Throws YamlError. */
export function parseYaml(bytes: Uint8Array, most: number = maxBodyValues): ParsedYaml {
  return (bytes[0] === 0x7b ? parseAsJson(bytes, most) : undefined) ?? parseTree(bytes, Math.min(most, maxTokens));
}

/** Undefined where the body is no JSON, or JSON that YAML reads or complains about in another way. */
function parseAsJson(bytes: Uint8Array, most: number): ParsedYaml | undefined {
  try {
    const parsed = parseJsonBody(bytes, most);
    return parsed.duplicates === undefined && !parsed.hasNumberTexts ? { parsed, duplicates: [] } : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function parseTree(bytes: Uint8Array, most: number): ParsedYaml {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (!isUtf8(bytes)) throw new YamlError('yaml: invalid leading UTF-8 octet');
  if (forbidden.test(text)) throw new YamlError('yaml: control characters are not allowed');
  if (countTokens(bytes) > most) throw new YamlError('yaml: document is too large to be read as YAML, send it as JSON');
  const lines = new LineCounter();
  try {
    // Schema `failsafe` leaves every scalar a string.
    const composer = new Composer({ schema: 'failsafe', version: '1.1', uniqueKeys: false, lineCounter: lines });
    for (const document of composer.compose(new Parser(lines.addNewLine).parse(text))) {
      const [error] = document.errors;
      if (error?.message.startsWith('Maximum call stack') === true) throw new RangeError(error.message);
      if (error !== undefined) throw new YamlError(yamlProblem(error, text));
      const converter = new Converter(lines);
      const value = document.contents === null ? null : converter.convert(document.contents as Node);
      return { parsed: { value, duplicates: undefined, hasNumberTexts: converter.hasNumberTexts }, duplicates: converter.duplicates };
    }
  } catch (error) {
    // The package composes by recursion, and so do we below: too deep is too deep.
    throw error instanceof RangeError ? new YamlError('yaml: exceeded max depth of 10000') : error;
  }
  return { parsed: { value: null, duplicates: undefined, hasNumberTexts: false }, duplicates: [] };
}

class Converter {
  hasNumberTexts = false;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Node>();
  /** Nodes that an alias is expanding right now: meeting one again would never end. */
  readonly #expanding = new Set<Node>();
  readonly #repeated: string[] = [];
  #nodes = 0;
  #aliased = 0;
  #aliasedChars = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  get duplicates(): readonly string[] {
    return this.#repeated.length === 0 ? [] : [`yaml: unmarshal errors:\n${this.#repeated.join('\n')}`];
  }

  convert(node: Node): Json {
    this.#count();
    if (isAlias(node)) return this.#alias(node, (target) => this.convert(target));
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    if (isSeq(node)) return (node as YAMLSeq<Node>).items.map((item) => this.convert(item));
    return isMap(node) ? this.#map(node as YAMLMap<Node, Node | null>) : null;
  }

  #map(node: YAMLMap<Node, Node | null>): Json {
    const result: { [key: string]: Json } = {};
    const merged: { [key: string]: Json } = {};
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN' && value !== null) {
        this.#merge(value, merged);
        continue;
      }
      const name = this.#key(key);
      if (Object.hasOwn(result, name) && this.#repeated.length < 100) {
        const offset = (value ?? key).range?.[0] ?? 0;
        this.#repeated.push(`  line ${this.#lines.linePos(offset).line}: key ${JSON.stringify(name)} already set in map`);
      }
      put(result, name, value === null ? null : this.convert(value));
    }
    for (const name of Object.keys(merged)) if (!Object.hasOwn(result, name)) put(result, name, merged[name] ?? null);
    return result;
  }

  /** `<<`: a map, or several, whose entries stand in for missing ones. Earlier ones win. */
  #merge(value: Node, into: { [key: string]: Json }): void {
    const maps = isSeq(value) ? (value as YAMLSeq<Node>).items : [value];
    for (const one of maps) {
      const map = this.convert(one);
      if (map === null || typeof map !== 'object' || Array.isArray(map) || map instanceof NumberText) {
        throw new YamlError('yaml: map merge requires map or sequence of maps as the value');
      }
      for (const name of Object.keys(map)) if (!Object.hasOwn(into, name)) put(into, name, map[name] ?? null);
    }
  }

  #key(key: Node): string {
    const value = this.convert(key);
    if (value instanceof NumberText) return value.text;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw new YamlError(`error converting YAML to JSON: unsupported map key of type: ${value === null ? 'invalid' : 'map'}`);
  }

  #scalar(node: Scalar): Json {
    const text = typeof node.value === 'string' ? node.value : '';
    if (this.#expanding.size > 0) this.#countChars(text.length);
    if (node.tag === 'tag:yaml.org,2002:binary') return Buffer.from(text, 'base64').toString('utf8');
    const isTyped = node.tag !== undefined && /:(int|float|bool|null)$/.test(node.tag);
    if (!isTyped && (node.type !== 'PLAIN' || node.tag === 'tag:yaml.org,2002:str')) return text;
    const value = plainScalar(text);
    if (value instanceof NumberText) this.hasNumberTexts = true;
    return value;
  }

  #alias<T>(alias: Alias, use: (target: Node) => T): T {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) throw new YamlError(`yaml: unknown anchor '${alias.source}' referenced`);
    if (this.#expanding.has(target)) throw new YamlError(`yaml: anchor '${alias.source}' value contains itself`);
    this.#expanding.add(target);
    const result = use(target);
    this.#expanding.delete(target);
    return result;
  }

  /** A long text costs nothing here, but will when each place of it is written out. */
  #countChars(chars: number): void {
    this.#aliasedChars += chars;
    if (this.#aliasedChars > maxAliasedChars) throw new YamlError('yaml: document contains excessive aliasing');
  }

  /** Refuses documents that are mostly aliases, by upstream's ratio: all but a hundredth of small ones, a tenth of huge ones. */
  #count(): void {
    this.#nodes++;
    if (this.#expanding.size > 0) this.#aliased++;
    if (this.#aliased <= 100 || this.#nodes <= 1_000) return;
    const share = Math.min(1, Math.max(0, (this.#nodes - 400_000) / 3_600_000));
    if (this.#aliased / this.#nodes > 0.99 - 0.89 * share) throw new YamlError('yaml: document contains excessive aliasing');
  }
}

/** Defined, not assigned: `__proto__` is data. */
function put(target: { [key: string]: Json }, key: string, value: Json): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Line ends and every character that may open, close, part or decorate a node: cheap to count and close enough. */
const tokenBytes = Uint8Array.from({ length: 256 }, (_, byte) => ('\n,:-?[]{}&*!|>"\''.includes(String.fromCharCode(byte)) ? 1 : 0));

function countTokens(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) count += tokenBytes[byte] ?? 0;
  return count;
}
