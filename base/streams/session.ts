// What kubectl exec, attach and port-forward come down to, whatever the client speaks (SPDY/3.1 or WebSocket, old or new). A server
// turns an HTTP upgrade into a session and works with plain Node streams:
//
//   server.on('upgrade', (request, socket, head) => {
//     const session = await acceptExec({ request, socket, head }, { stdin, stdout, stderr, tty }, { clock, idleMs }, signal);
//     if (session === undefined) return;                     // refused; the client has its answer
//     const code = await runtime.exec(id, command, { ...session, tty }, session.closed);
//     await session.finish({ kind: 'exited', code });        // writes the status, then closes everything
//   });
//
//   const session = await acceptPortForward({ request, socket, head }, ports, { clock, idleMs }, signal);
//   for await (const connection of session?.connections ?? []) { … connection.data.pipe(toThePod).pipe(connection.data) … }
//
// Bytes wait in bounded buffers on both ways: a slow reader slows the writer. Nothing here knows what is run.
import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Clock } from '../clock.ts';

/** An upgrade request as Node's `upgrade` event gives it. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent right behind the request. */
  readonly head: Buffer;
}

export interface StreamOptions {
  readonly clock: Clock;
  /** A session without traffic for so long is closed; upstream's default is four hours. 0 means never. */
  readonly idleMs: number;
}

/** Which streams an exec or attach has, as its query says. */
export interface ExecStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Ignored with a terminal, which has one output. */
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** How an exec or attach ended. */
export type ExecOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'exited'; readonly code: number }
  /** Could not be run, or not to its end. `message` as upstream: `error executing command in container: …`. */
  | { readonly kind: 'failed'; readonly message: string };

/** One exec or attach. Streams that were not asked for are absent. */
export interface ExecSession {
  /** Ends when the client says that no more comes, or is gone. */
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** The newest size of the client's terminal whenever it changes; ends with the session. */
  readonly resizes: AsyncIterable<TerminalSize>;
  /** Aborts when the client is gone, the session idle or finished, or the server's signal aborted. */
  readonly closed: AbortSignal;
  /** Reports the outcome to the client after all data was sent, then closes the session. */
  finish(outcome: ExecOutcome): Promise<void>;
}

/** One TCP connection that the client accepted for one of the forwarded ports. */
export interface PortForwardConnection {
  readonly port: number;
  /** Identifies the connection within its session; for logs. */
  readonly id: string;
  /** Half-closes both ways. Destroying it resets the client's connection. */
  readonly data: Duplex;
  /** Reports the error to the client and closes the connection. Call at most once. */
  fail(message: string): void;
}

/** One port-forward. */
export interface PortForwardSession {
  /** Connections as they come; ends with the session. */
  readonly connections: AsyncIterable<PortForwardConnection>;
  /** Aborts when the client is gone, the session idle or closed, or the server's signal aborted. */
  readonly closed: AbortSignal;
  close(): void;
}
