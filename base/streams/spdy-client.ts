// The client's end of exec and port-forward over SPDY/3.1, over a socket whose upgrade has been agreed.
import { text } from 'node:stream/consumers';
import type { Duplex, Readable, Writable } from 'node:stream';
import { parseExecStatus } from './exec-status.ts';
import type { ExecOutcome, ExecStreams, StreamOptions, TerminalSize } from './session.ts';
import { SpdyConnection } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/stream.ts';

export interface ExecClient {
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  resize(size: TerminalSize): void;
  /** How it ended, as the server says. Failed when the connection is lost before. Read the outputs too, or it never comes. */
  readonly outcome: Promise<ExecOutcome>;
  close(): void;
}

/** Opens the streams of an exec or attach, with protocol v4.channel.k8s.io. */
export function openSpdyExec(
  socket: Duplex,
  wanted: ExecStreams,
  { clock, idleMs }: StreamOptions,
  head: Buffer,
  signal: AbortSignal,
): ExecClient {
  const connection = new SpdyConnection(socket, { side: 'client', clock, idleMs, head }, signal);
  const open = (type: string): SpdyStream => connection.open(new Map([['streamtype', type]]));
  const error = open('error');
  error.end();
  const stdin = wanted.stdin ? open('stdin') : undefined;
  const stdout = wanted.stdout ? open('stdout') : undefined;
  const stderr = wanted.stderr && !wanted.tty ? open('stderr') : undefined;
  const resize = wanted.tty ? open('resize') : undefined;
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    resize: ({ width, height }) => resize?.write(JSON.stringify({ Width: width, Height: height })),
    outcome: outcomeOf(error, connection),
    close: () => connection.destroy(),
  };
}

export interface PortForwardClient {
  /** A connection to a port behind the server. `problem` is what the server says went wrong: '' for nothing. */
  connect(port: number): { readonly data: Duplex; readonly problem: Promise<string> };
  readonly closed: AbortSignal;
  close(): void;
}

/** Speaks portforward.k8s.io. */
export function openSpdyPortForward(
  socket: Duplex,
  { clock, idleMs }: StreamOptions,
  head: Buffer,
  signal: AbortSignal,
): PortForwardClient {
  const connection = new SpdyConnection(socket, { side: 'client', clock, idleMs, head }, signal);
  let requests = 0;
  return {
    closed: connection.closed,
    close: () => connection.destroy(),
    connect: (port) => {
      const id = String(requests++);
      const open = (type: string): SpdyStream =>
        connection.open(
          new Map([
            ['streamtype', type],
            ['port', String(port)],
            ['requestid', id],
          ]),
        );
      const error = open('error');
      error.end();
      return { data: open('data'), problem: text(error).catch(() => '') };
    },
  };
}

async function outcomeOf(error: SpdyStream, connection: SpdyConnection): Promise<ExecOutcome> {
  try {
    const said = await text(error);
    if (said !== '') return parseExecStatus(said);
  } catch {
    // The stream broke before its end; what follows says so.
  } finally {
    void connection.close();
  }
  return { kind: 'failed', message: 'connection lost' };
}
