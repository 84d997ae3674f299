// An object in the watch cache. It keeps one buffer: the whole line that watchers get for the write that made it, in which the
// object's JSON lies; so a list, a get and a watch event all serve the same bytes. Of the decoded object only what selectors ask for
// is kept.
import type { KubeObject } from '#api/meta/object.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import { isUnread } from '../large/split-object.ts';
import type { Encoded, WatchFrame } from '../registry/contract.ts';
import { type DecodedObjects, parseObject } from './decoded-objects.ts';
import type { PastBytes } from './past-bytes.ts';
import { canonical, encodeStored, type ServedForm } from './served-form.ts';
import { tooLong } from './skim.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

interface CachedObjectOptions {
  readonly form: ServedForm;
  /** `namespace/name`, or `name` for cluster-scoped kinds. */
  readonly key: string;
  /** As stored. */
  readonly bytes: Uint8Array;
  readonly revision: number;
  readonly createRevision: number;
  readonly decoded: DecodedObjects;
  /** An object of the same content: nothing need be looked up again. */
  readonly like?: CachedObject | undefined;
}

const tail = Buffer.from('}\n');
const noValues: readonly string[] = Object.freeze([]);

export class CachedObject implements Encoded {
  readonly form: ServedForm;
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  /** `tooLong` where it would take long to parse them: whoever needs some reads these from the JSON. */
  readonly labels: Readonly<Record<string, string>> | typeof tooLong | undefined;
  /** Values of `form.fields`, in their order. */
  readonly fieldValues: readonly string[];
  readonly #decoded: DecodedObjects;
  #line: Buffer;
  #ownFrame: WatchFrame | undefined;
  #otherForms: Map<ServedForm, CachedObject> | undefined;

  constructor({ form, key, bytes, revision, createRevision, decoded, like }: CachedObjectOptions) {
    this.form = form;
    this.key = key;
    this.revision = revision;
    this.createRevision = createRevision;
    this.#decoded = decoded;
    if (like !== undefined) {
      this.labels = like.labels;
      this.fieldValues = like.fieldValues;
      this.#line = lineOf(this.type, bytes, form.head.length, 0, revision);
      const object = like.decoded;
      if (object !== undefined) decoded.set(this, at(object, revision));
      return;
    }
    const written = decoded.take(bytes);
    const json = canonical(form, bytes);
    const object = written ?? form.skim(json);
    this.labels = isUnread(object.metadata, 'labels') ? tooLong : object.metadata.labels;
    const select = form.kind.selectableFields;
    this.fieldValues = select === undefined ? noValues : form.fields.map((field) => select[field]?.(object) ?? '');
    this.#line = lineOf(this.type, json, form.head.length, 0, revision);
    // What others wrote was not decoded for this. What is new is not worth keeping: whoever wants it whole comes much later, and until then
    // the garbage collector would have to carry it around.
    if (written === undefined || revision === createRevision) return;
    written.metadata.resourceVersion = String(revision);
    decoded.set(this, written);
  }

  /** The event that this object came by. */
  get type(): 'ADDED' | 'MODIFIED' {
    return this.revision === this.createRevision ? 'ADDED' : 'MODIFIED';
  }

  get sizeBytes(): number {
    return this.#line.length;
  }

  /** The watch frame of this version: ADDED for a create, else MODIFIED. */
  get line(): Buffer {
    return this.#line;
  }

  get json(): Uint8Array {
    return this.#line.subarray(startOf(this.type).length, this.#line.length - tail.length);
  }

  get resourceVersion(): string {
    return String(this.revision);
  }

  get namespace(): string {
    return this.key.slice(0, Math.max(0, this.key.indexOf('/')));
  }

  get name(): string {
    return this.key.slice(this.key.indexOf('/') + 1);
  }

  object(): KubeObject {
    let object = this.#decoded.get(this);
    if (object === undefined) {
      object = parseObject(this.json);
      this.#decoded.set(this, object);
    }
    return object;
  }

  get decoded(): KubeObject | undefined {
    return this.#decoded.get(this);
  }

  /** Takes the decoded form of its JSON from the caller. */
  keep(object: KubeObject): void {
    this.#decoded.set(this, object);
  }

  /** The frame for a watcher, at the revision of an event that may be a later one (a deletion). Makes new bytes only when it must. */
  frame(type: ChangeType, revision: number): WatchFrame {
    if (this.isOwnFrame(type, revision)) return (this.#ownFrame ??= { type, encoded: this, line: this.#line });
    const line = lineOf(type, this.json, this.form.head.length, versionText(this.revision).length, revision);
    return { type, encoded: new EncodedLine(line, type, revision, revision === this.revision ? this : undefined), line };
  }

  /** True of the frame that the object keeps itself. */
  isOwnFrame(type: ChangeType, revision: number): boolean {
    return type === this.type && revision === this.revision;
  }

  /** The same content with the revision of what happened later: a deletion. */
  at(revision: number): CachedObject {
    const { form, key, createRevision } = this;
    const start = startOf(this.type).length;
    const json = this.#line.subarray(start, this.#line.length - tail.length);
    const at = form.head.length;
    const bytes = Buffer.concat([json.subarray(0, at), json.subarray(at + versionText(this.revision).length)]);
    return new CachedObject({ form, key, bytes, revision, createRevision, decoded: this.#decoded, like: this });
  }

  /** The same object as another kind serves it. */
  as(form: ServedForm): CachedObject {
    if (form === this.form) return this;
    const known = this.#otherForms?.get(form);
    if (known !== undefined) return known;
    const copy = cloneJson(this.object() as never) as KubeObject;
    const served = form.fromStored?.(copy) ?? copy;
    const { key, revision, createRevision } = this;
    const other = new CachedObject({ form, key, bytes: encodeStored(form, served), revision, createRevision, decoded: this.#decoded });
    (this.#otherForms ??= new Map()).set(form, other);
    return other;
  }

  /** Another version took its place, or none: it only serves the past from now on. */
  retire(past: PastBytes): void {
    this.#line = past.keep(this.#line);
    this.#ownFrame = undefined;
    this.forget();
  }

  /** Lets go of decoded forms; the object stays usable. */
  forget(): void {
    this.#decoded.delete(this);
    for (const other of this.#otherForms?.values() ?? []) other.forget();
    this.#otherForms = undefined;
  }
}

/** A decoded object as of another revision; shares everything else. */
function at(object: KubeObject, revision: number): KubeObject {
  const copyOf = <T extends object>(one: T): T => Object.defineProperties({}, Object.getOwnPropertyDescriptors(one)) as T;
  const metadata = copyOf(object.metadata);
  metadata.resourceVersion = String(revision);
  return Object.assign(copyOf(object), { metadata });
}

/** An object inside a line that was made for one event. */
class EncodedLine implements Encoded {
  readonly json: Uint8Array;
  readonly resourceVersion: string;

  /** What has the same content, where there is something. */
  readonly #same: CachedObject | undefined;

  constructor(line: Buffer, type: ChangeType, revision: number, same: CachedObject | undefined) {
    this.#same = same;
    this.json = line.subarray(startOf(type).length, line.length - tail.length);
    this.resourceVersion = String(revision);
  }

  get decoded(): KubeObject | undefined {
    return this.#same?.decoded;
  }

  object(): KubeObject {
    return this.#same?.object() ?? parseObject(this.json);
  }
}

const starts = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

function startOf(type: ChangeType): Buffer {
  return starts[type];
}

function versionText(revision: number): string {
  return `"resourceVersion":"${revision}",`;
}

/** `json` with a resourceVersion at `at`, where `replaced` bytes make room for it, as a watch line. */
function lineOf(type: ChangeType, json: Uint8Array, at: number, replaced: number, revision: number): Buffer {
  const start = startOf(type);
  const version = versionText(revision);
  // Buffers of the shared pool would keep 8 KiB alive for each small object.
  const line = Buffer.allocUnsafeSlow(start.length + json.length - replaced + version.length + tail.length);
  let end = start.copy(line);
  line.set(json.subarray(0, at), end);
  end += at;
  end += line.write(version, end, 'latin1');
  line.set(json.subarray(at + replaced), end);
  tail.copy(line, line.length - tail.length);
  return line;
}
