// Exec and attach over SPDY/3.1: the client opens a stream for each of error, stdin, stdout, stderr and resize, named by the header
// `streamType`, and the session begins when all are there.
import { finished } from 'node:stream/promises';
import { execErrorText, execStatusText } from './exec-status.ts';
import type { ExecOutcome, ExecSession, ExecStreams, StreamOptions, Upgrade } from './session.ts';
import { SpdyConnection } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/stream.ts';
import { TerminalSizes } from './terminal-sizes.ts';
import { agreeSpdy, chooseProtocol, refuseProtocol } from './upgrade.ts';

/** Newest first, as upstream lists them. v4 made the status JSON, v3 added resize; v2 and v1 differ only in what clients wait for. */
const execProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'] as const;

/** How long a client has to open its streams. */
const openMs = 30_000;

type StreamType = 'error' | 'stdin' | 'stdout' | 'stderr' | 'resize';

/** Accepts the upgrade and waits for the streams. Undefined when that fails. */
export async function acceptSpdyExec(
  upgrade: Upgrade,
  wanted: ExecStreams,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<ExecSession | undefined> {
  const protocol = chooseProtocol(upgrade.request, execProtocols);
  if (protocol === undefined) {
    refuseProtocol(upgrade, execProtocols);
    return undefined;
  }
  agreeSpdy(upgrade, protocol);
  const streams = new Map<StreamType, SpdyStream>();
  const expected = expectedStreams(wanted, protocol);
  const complete = Promise.withResolvers<void>();
  const onStream = (stream: SpdyStream): void => {
    const type = stream.headers.get('streamtype') as StreamType;
    if (!expected.has(type) || streams.has(type)) {
      stream.destroy();
      return;
    }
    streams.set(type, stream);
    if (streams.size === expected.size) complete.resolve();
  };
  const { clock, idleMs } = options;
  const connection = new SpdyConnection(upgrade.socket, { side: 'server', clock, idleMs, onStream, head: upgrade.head }, signal);
  using deadline = clock.deadline(connection.closed, openMs);
  const late = (): void => complete.reject(deadline.signal.reason);
  deadline.signal.addEventListener('abort', late, { once: true });
  if (deadline.signal.aborted) late();
  try {
    await complete.promise;
  } catch {
    // Gone, or too slow to open its streams: no peer is left to report to.
    connection.destroy();
    return undefined;
  }
  return sessionOf(connection, streams, protocol);
}

function expectedStreams({ stdin, stdout, stderr, tty }: ExecStreams, protocol: string): ReadonlySet<StreamType> {
  const hasResize = protocol === 'v4.channel.k8s.io' || protocol === 'v3.channel.k8s.io';
  const all: [StreamType, boolean][] = [
    ['error', true],
    ['stdin', stdin],
    ['stdout', stdout],
    ['stderr', stderr],
    ['resize', tty && hasResize],
  ];
  return new Set(all.filter(([, isWanted]) => isWanted).map(([type]) => type));
}

function sessionOf(connection: SpdyConnection, streams: ReadonlyMap<StreamType, SpdyStream>, protocol: string): ExecSession {
  const [stdin, stdout, stderr] = [streams.get('stdin'), streams.get('stdout'), streams.get('stderr')];
  const sizes = new TerminalSizes();
  const resize = streams.get('resize');
  resize?.on('data', (bytes: Buffer) => sizes.push(bytes));
  if (resize === undefined) sizes.end();
  else resize.on('close', () => sizes.end());
  // Only one way of each stream is used. Our way of stdin stays open all the same: clients take its end for the end of the command.
  for (const stream of [streams.get('error'), stdout, stderr]) stream?.resume();
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    resizes: sizes,
    closed: connection.closed,
    finish: async (outcome: ExecOutcome) => {
      const error = streams.get('error') as SpdyStream;
      await Promise.all([stdout, stderr].map((stream) => endStream(stream, '')));
      await endStream(error, protocol === 'v4.channel.k8s.io' ? execStatusText(outcome) : execErrorText(outcome));
      sizes.end();
      await connection.close();
    },
  };
}

/** Writes the last words and waits until they are out; a stream that the client has closed needs none. */
async function endStream(stream: SpdyStream | undefined, text: string): Promise<void> {
  if (stream === undefined || stream.destroyed) return;
  if (!stream.writableEnded) stream.end(text);
  await finished(stream, { readable: false }).catch(() => undefined);
}
