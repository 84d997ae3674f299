// A container's log out of the engine, with the cuts that upstream's log options make.
import type { Readable } from 'node:stream';
import { RuntimeError } from '../contract.ts';
import type { LogOptions } from '../io-contract.ts';
import type { Engine } from './engine.ts';
import { type Piece, splitFrames } from './frames.ts';

/** `2026-01-01T00:00:00.000000000Z ` in front of every message. */
const timestampBytes = 31;

interface LogSource {
  readonly engine: Engine;
  readonly id: string;
  /** Whether the container has a terminal: its log has no frames then. */
  readonly tty: boolean;
}

/** See Runtime.logs. */
export async function* readLogs(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const { stream = 'All', limitBytes, timestamps = false, follow = false, tailLines, sinceMs } = options;
  const query = {
    stdout: stream !== 'Stderr',
    stderr: stream !== 'Stdout',
    follow,
    timestamps,
    tail: tailLines === undefined ? 'all' : tailLines,
    since: sinceMs === undefined ? undefined : sinceText(sinceMs),
  };
  const answer = await source.engine.stream('GET', `/containers/${source.id}/logs`, { query }, signal);
  try {
    const bytes = source.tty ? raw(answer) : joinLines(splitFrames(answer), timestamps);
    yield* limited(bytes, limitBytes);
  } catch (error) {
    signal.throwIfAborted();
    throw new RuntimeError('Unavailable', `reading the log of container ${source.id} broke off`, { cause: error });
  } finally {
    answer.destroy();
  }
}

async function* raw(answer: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of answer) yield chunk as Buffer;
}

/**
 * The engine keeps a line over 16 KiB as several messages, each in a frame of its own and each with a timestamp in front.
 * A message that does not end its line is followed by one whose timestamp does not belong there.
 */
export async function* joinLines(pieces: AsyncIterable<Piece>, timestamps: boolean): AsyncGenerator<Uint8Array, void, undefined> {
  const open = { stdout: false, stderr: false };
  let skip = 0;
  let atStart = true;
  for await (const { stream, bytes, more } of pieces) {
    if (atStart) skip = timestamps && open[stream] ? timestampBytes : 0;
    atStart = !more;
    const cut = Math.min(skip, bytes.length);
    skip -= cut;
    if (bytes.length > 0) open[stream] = bytes.at(-1) !== 0x0a;
    if (bytes.length > cut) yield bytes.subarray(cut);
  }
}

async function* limited(source: AsyncIterable<Uint8Array>, limitBytes: number | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for await (const bytes of source) {
    yield bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= bytes.length;
    if (left <= 0) return;
  }
}

function sinceText(sinceMs: number): string {
  const seconds = Math.floor(sinceMs / 1_000);
  return `${seconds}.${String(Math.floor(sinceMs - seconds * 1_000)).padStart(3, '0')}000000`;
}
