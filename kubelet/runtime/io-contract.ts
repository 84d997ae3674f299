// What goes into containers and comes out of them, as contract.ts has the rest.
import type { Readable, Writable } from 'node:stream';

/** Absent streams are not wanted. With `tty`, all output comes on stdout. */
export interface Streams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly tty?: boolean;
  /** Sizes of the client's terminal; ends with the session. */
  readonly resizes?: AsyncIterable<TerminalSize>;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

export interface ExecSyncOptions {
  readonly timeoutMs: number;
  /** Output kept of each stream; default 16 KiB as upstream's probes. The rest is read and dropped. */
  readonly limitBytes?: number;
}

export interface ExecSyncOutcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export interface LogOptions {
  readonly follow?: boolean;
  /** Last lines; undefined: all. 0: none (with follow: only new ones). */
  readonly tailLines?: number;
  /** Only lines written since then. */
  readonly sinceMs?: number;
  readonly timestamps?: boolean;
  readonly limitBytes?: number;
  /** Default All. */
  readonly stream?: 'All' | 'Stdout' | 'Stderr';
}
