// A log that is set aside when it has grown, and old ones that go in time: names and rules are those of upstream's logs
// (`audit-2006-01-02T15-04-05.000.log` beside `audit.log`). Writing is synchronous, so that what was written outlives the process;
// packing and removing old files goes on beside it, one pass at a time.
import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { makeFolder } from '#base/make-folder.ts';

interface RotatingFileOptions {
  readonly path: string;
  /** Days that old files are kept; 0: for ever. */
  readonly maxAgeDays: number;
  /** Old files that are kept; 0: all. */
  readonly maxBackups: number;
  /** 0: a hundred. */
  readonly maxMegabytes: number;
  /** Packs old files. */
  readonly compress: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

interface Open {
  readonly fd: number;
  bytes: number;
}

interface Backup {
  readonly name: string;
  readonly timeMs: number;
}

const megabyte = 1024 * 1024;
const defaultMegabytes = 100;
const dayMs = 86_400_000;

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  readonly #maxBytes: number;
  #open: Open | undefined;
  /** A line was written in part: the next starts on a line of its own. */
  #isTorn = false;
  #tidying: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#maxBytes = (options.maxMegabytes === 0 ? defaultMegabytes : options.maxMegabytes) * megabyte;
  }

  /** Makes the file and its folder where they are not there. Throws where that cannot be. */
  prepare(): void {
    makeFolder(dirname(this.#options.path));
    this.#open ??= openFile(this.#options.path);
  }

  /** Appends whole lines. Throws what the system says; later calls try again. */
  write(text: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    if (bytes.length > this.#maxBytes) throw new Error(`write length ${bytes.length} exceeds maximum file size ${this.#maxBytes}`);
    this.prepare();
    if (this.#open !== undefined && this.#open.bytes + bytes.length > this.#maxBytes) this.#rotate(this.#open);
    const file = this.#open;
    if (file === undefined) throw new Error('the file is closed');
    for (let at = 0; at < bytes.length; ) {
      try {
        const count = writeSync(file.fd, bytes, at);
        at += count;
        file.bytes += count;
      } catch (error) {
        this.#isTorn ||= at > 0;
        throw error;
      }
    }
    this.#isTorn = false;
  }

  /** Resolves when old files are tidied away. */
  async close(): Promise<void> {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
    await this.#tidying;
  }

  #rotate({ fd }: Open): void {
    const { path, clock } = this.#options;
    const { mode } = fstatSync(fd);
    closeSync(fd);
    this.#open = undefined;
    renameSync(path, backupPath(path, clock.nowMs()));
    this.#open = openFile(path, mode & 0o777);
    this.#tidying = (this.#tidying ?? Promise.resolve()).then(() => this.#tidy());
  }

  async #tidy(): Promise<void> {
    const { path, compress, log } = this.#options;
    const folder = dirname(path);
    try {
      const { kept, gone } = this.#sorted(await readdir(folder));
      for (const name of gone) await rm(join(folder, name), { force: true });
      if (compress) for (const name of kept.filter((one) => !one.endsWith('.gz'))) await pack(join(folder, name));
    } catch (error) {
      log.warn({ err: error, path }, 'old audit logs cannot be tidied away');
    }
  }

  /** Which old files stay. A packed file and what it was made of are one. */
  #sorted(names: readonly string[]): { readonly kept: readonly string[]; readonly gone: readonly string[] } {
    const { path, maxBackups, maxAgeDays, clock } = this.#options;
    const found = backupsOf(path, names);
    const times = [...new Set(found.map(({ timeMs }) => timeMs))].toSorted((a, b) => b - a);
    const few = new Set(maxBackups === 0 ? times : times.slice(0, maxBackups));
    const oldestMs = maxAgeDays === 0 ? -Infinity : clock.nowMs() - maxAgeDays * dayMs;
    const stays = ({ timeMs }: Backup): boolean => few.has(timeMs) && timeMs >= oldestMs;
    return {
      kept: found.filter(stays).map(({ name }) => name),
      gone: found.filter((one) => !stays(one)).map(({ name }) => name),
    };
  }
}

function openFile(path: string, mode = 0o600): Open {
  const fd = openSync(path, 'a', mode);
  return { fd, bytes: fstatSync(fd).size };
}

function backupPath(path: string, nowMs: number): string {
  const ending = extname(path);
  const time = new Date(nowMs).toISOString().slice(0, -1).replaceAll(':', '-');
  return `${path.slice(0, path.length - ending.length)}-${time}${ending}`;
}

function backupsOf(path: string, names: readonly string[]): Backup[] {
  const ending = extname(path);
  const start = `${basename(path, ending)}-`;
  return names.flatMap((name) => {
    const plain = name.endsWith('.gz') ? name.slice(0, -'.gz'.length) : name;
    if (!plain.startsWith(start) || !plain.endsWith(ending)) return [];
    const time = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(plain.slice(start.length, plain.length - ending.length));
    return time === null ? [] : [{ name, timeMs: Date.parse(`${time[1]}${time[2]}:${time[3]}:${time[4]}Z`) }];
  });
}

async function pack(path: string): Promise<void> {
  const unfinished = `${path}.gz.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished, { mode: 0o600 }));
  await rename(unfinished, `${path}.gz`);
  await rm(path);
}
