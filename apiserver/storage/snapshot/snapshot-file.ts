// A file with all objects of a store at one revision, whichever engine keeps them:
//   a line of JSON        {"format":"coxswain-snapshot","version":1,"revision":REVISION}
//   for each object       length of the key, length of the value (32 bits each, big-endian), key, value
//   at the end            two lengths of 0, the number of objects (64 bits), SHA-256 of everything before
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';

export interface SnapshotItem {
  readonly key: string;
  readonly value: Uint8Array;
}

const format = 'coxswain-snapshot';
const headerLimit = 256;
const hashLength = 32;
const chunkBytes = 1 << 20;

/**
 * Writes a new file, which is there whole or not at all; answers how many objects it holds. Throws UsageError where there is one
 * already or the disk refuses.
 */
export async function writeSnapshot(path: string, revision: number, pages: AsyncIterable<readonly SnapshotItem[]>): Promise<number> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    let count = 0;
    try {
      const hash = createHash('sha256');
      const write = (bytes: Uint8Array): void => {
        hash.update(bytes);
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      };
      write(Buffer.from(`${JSON.stringify({ format, version: 1, revision })}\n`));
      for await (const page of pages) {
        count += page.length;
        write(Buffer.concat(page.flatMap(record)));
      }
      const end = Buffer.alloc(16);
      end.writeBigUInt64BE(BigInt(count), 8);
      write(end);
      write(hash.copy().digest());
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Unlike a rename, a link never takes the place of what is there.
    linkSync(temporary, path);
    return count;
  } catch (error) {
    throw fileFailure('write', path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A snapshot whose every byte has been checked. Dispose it to close its file. */
export class SnapshotFile implements Disposable {
  readonly revision: number;
  readonly count: number;
  readonly #path: string;
  readonly #file: number;
  readonly #start: number;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
    const { header, start } = readHeader(file, path);
    this.revision = header.revision;
    this.#start = start;
    this.count = this.#check();
  }

  /** Throws UsageError for what is no snapshot, or a damaged one. */
  static open(path: string): SnapshotFile {
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch (error) {
      throw fileFailure('read', path, error);
    }
    try {
      return new SnapshotFile(path, file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  *items(): Generator<SnapshotItem, void, undefined> {
    for (let at = this.#start; ; ) {
      const head = this.#read(at, 8);
      const [keyLength, valueLength] = [head.readUInt32BE(0), head.readUInt32BE(4)];
      if (keyLength === 0) return;
      const bytes = this.#read(at + 8, keyLength + valueLength);
      yield { key: bytes.toString('utf8', 0, keyLength), value: bytes.subarray(keyLength) };
      at += 8 + keyLength + valueLength;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  /** Reads everything once; answers the number of objects that the end names. */
  #check(): number {
    const hash = createHash('sha256');
    // What is read last may be the hash itself, so that much is held back.
    let held = Buffer.alloc(0);
    const chunk = Buffer.alloc(chunkBytes);
    for (let at = 0; ; ) {
      const length = readSync(this.#file, chunk, 0, chunk.length, at);
      if (length === 0) break;
      at += length;
      const all = Buffer.concat([held, chunk.subarray(0, length)]);
      const cut = Math.max(0, all.length - hashLength - 16);
      hash.update(all.subarray(0, cut));
      held = all.subarray(cut);
    }
    hash.update(held.subarray(0, 16));
    const isWhole = held.length === hashLength + 16 && hash.digest().equals(held.subarray(16));
    if (!isWhole) throw damaged(this.#path);
    return Number(held.readBigUInt64BE(8));
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    if (readSync(this.#file, bytes, 0, length, at) < length) throw damaged(this.#path);
    return bytes;
  }
}

function record({ key, value }: SnapshotItem): Uint8Array[] {
  const name = Buffer.from(key);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(name.length, 0);
  head.writeUInt32BE(value.length, 4);
  return [head, name, value];
}

function readHeader(file: number, path: string): { header: { revision: number }; start: number } {
  const bytes = Buffer.alloc(headerLimit);
  const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, headerLimit, 0));
  const line = text.slice(0, text.indexOf('\n') + 1);
  let header: { format?: unknown; version?: unknown; revision?: unknown };
  try {
    header = JSON.parse(line) as typeof header;
  } catch {
    header = {};
  }
  if (header.format !== format) throw new UsageError(`${path} is no snapshot of Coxswain`, { exitCode: 1 });
  if (header.version !== 1) throw new UsageError(`${path} was made by a newer Coxswain`, { exitCode: 1 });
  if (typeof header.revision !== 'number') throw damaged(path);
  return { header: { revision: header.revision }, start: Buffer.byteLength(line) };
}

function damaged(path: string): UsageError {
  return new UsageError(`${path} is damaged: it is not what was written`, { exitCode: 1 });
}

function fileFailure(what: 'read' | 'write', path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !('syscall' in (error as Error))) return error;
  if (code === 'EEXIST') return new UsageError(`${path} is there already: nothing is overwritten`, { exitCode: 1, cause: error });
  const why = code === 'ENOENT' ? `there is no such ${what === 'read' ? 'file' : 'folder'}` : reasonOf(error);
  return new UsageError(`cannot ${what} ${path}: ${why}`, { exitCode: 1, cause: error });
}
