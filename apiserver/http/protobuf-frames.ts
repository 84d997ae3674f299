// Watch frames in protobuf: four bytes of length, then a WatchEvent with the object in an envelope of its own. Many watchers get the
// same frames right after one another, so the last ones are kept: each is encoded once.
import { partialObjectMetadata, type ProtobufEncoder } from '#api/schema/protobuf-encoder.ts';
import type { LargeWork } from '../large/contract.ts';
import { takesLongToShow } from '../large/many-values.ts';
import { shownObject } from '../storage/shown-object.ts';
import type { WatchFrame } from '../registry/contract.ts';
import type { Wanted } from './negotiate.ts';
import type { FrameRenderer } from './watch-writer.ts';

/** How many bytes say how long a frame is. */
export const lengthBytes = 4;
/** Frames that may be kept; frames larger than all of it are made for each watcher. */
const keptBytes = 4 * 1_024 * 1_024;

/** Frames outlive whoever asked for them first. */
const never = new AbortController().signal;

export class ProtobufFrames {
  readonly #encoder: ProtobufEncoder;
  /** By form, then by the frame's line, which all watchers of an event share; oldest first. */
  readonly #kept = new Map<string, Map<Uint8Array, Buffer>>();
  #bytes = 0;
  readonly #largeWork: LargeWork;
  /** Large frames that are being made elsewhere, by their line: once for all watchers. */
  readonly #pending = new Map<Uint8Array, Promise<Buffer>>();

  constructor(encoder: ProtobufEncoder, largeWork: LargeWork) {
    this.#encoder = encoder;
    this.#largeWork = largeWork;
  }

  /** How frames look for a watcher. */
  renderer({ form, formVersion }: Wanted): FrameRenderer {
    const version = form === 'object' ? '' : formVersion;
    return (frame) => this.#kept.get(version)?.get(frame.line) ?? this.#make(version, frame);
  }

  #make(version: string, frame: WatchFrame): Buffer | Promise<Buffer> {
    if (version !== '' || !takesLongToShow(frame.line)) return this.#keep(version, frame, this.#encode(version, frame));
    let pending = this.#pending.get(frame.line);
    if (pending === undefined) {
      pending = this.#encodeElsewhere(frame).finally(() => this.#pending.delete(frame.line));
      this.#pending.set(frame.line, pending);
    }
    return pending;
  }

  async #encodeElsewhere(frame: WatchFrame): Promise<Buffer> {
    const job = { do: 'render', json: frame.encoded.json, as: 'protobuf' } as const;
    // Where there is no room for it, the frame is made here: watchers must not miss it.
    const made = await this.#largeWork.do(job, never).catch(() => undefined);
    const bytes = made?.bytes === undefined ? this.#encode('', frame) : this.#framed(frame.type, made.bytes);
    return this.#keep('', frame, bytes);
  }

  #keep(version: string, frame: WatchFrame, bytes: Buffer): Buffer {
    if (bytes.length > keptBytes) return bytes;
    let kept = this.#kept.get(version);
    if (kept === undefined) this.#kept.set(version, (kept = new Map()));
    kept.set(frame.line, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of kept) {
      if (this.#bytes <= keptBytes || oldest === frame.line) break;
      kept.delete(oldest);
      this.#bytes -= length;
    }
    return bytes;
  }

  #encode(version: string, { type, encoded }: WatchFrame): Buffer {
    const object = shownObject(encoded);
    const partial = { group: 'meta.k8s.io', version, kind: 'PartialObjectMetadata' };
    const envelope =
      version === '' || type === 'ERROR'
        ? this.#encoder.object(object)
        : this.#encoder.envelope(partial, partialObjectMetadata, { metadata: object.metadata });
    if (envelope === undefined) throw new Error(`${String(object.kind)} has no protobuf form`);
    return this.#framed(type, envelope);
  }

  #framed(type: WatchFrame['type'], envelope: Uint8Array): Buffer {
    const event = this.#encoder.watchEvent(type, Buffer.from(envelope.buffer, envelope.byteOffset, envelope.length));
    const framed = Buffer.allocUnsafeSlow(lengthBytes + event.length);
    framed.writeUInt32BE(event.length);
    event.copy(framed, lengthBytes);
    return framed;
  }
}
