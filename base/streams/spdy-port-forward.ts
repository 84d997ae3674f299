// Port-forward over SPDY/3.1: for each connection the client opens two streams with the same `requestID`, `error` and `data`.
import type { Duplex } from 'node:stream';
import { Arrivals } from './arrivals.ts';
import type { PortForwardConnection, PortForwardSession, StreamOptions, Upgrade } from './session.ts';
import { SpdyConnection } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/stream.ts';
import { agreeSpdy, chooseProtocol, refuseProtocol } from './upgrade.ts';

export const portForwardProtocol = 'portforward.k8s.io';

/** How long the second stream of a pair may lag behind the first. */
const pairMs = 30_000;
const maxWaiting = 1_000;

/** Accepts the upgrade. Undefined when the client supports no common protocol. */
export function acceptSpdyPortForward(upgrade: Upgrade, options: StreamOptions, signal: AbortSignal): PortForwardSession | undefined {
  const protocol = chooseProtocol(upgrade.request, [portForwardProtocol]);
  if (protocol === undefined) {
    refuseProtocol(upgrade, [portForwardProtocol]);
    return undefined;
  }
  agreeSpdy(upgrade, protocol);
  return servePortForward(upgrade.socket, upgrade.head, options, signal);
}

/** Serves port-forward on something that speaks SPDY from its first byte on. */
export function servePortForward(socket: Duplex, head: Buffer, options: StreamOptions, signal: AbortSignal): PortForwardSession {
  const arrivals = new Arrivals<PortForwardConnection>(maxWaiting);
  const pairs = new Map<string, Partial<Record<'data' | 'error', SpdyStream>>>();
  const { clock, idleMs } = options;

  const onStream = (stream: SpdyStream): void => {
    const type = stream.headers.get('streamtype');
    const port = portOf(stream.headers.get('port') ?? '');
    const id = stream.headers.get('requestid') ?? legacyId(stream, type);
    if ((type !== 'data' && type !== 'error') || port === undefined || pairs.get(id)?.[type] !== undefined) {
      stream.destroy();
      return;
    }
    const pair = pairs.get(id) ?? {};
    pair[type] = stream;
    if (pair.data === undefined || pair.error === undefined) {
      pairs.set(id, pair);
      void dropLonely(stream, id);
      return;
    }
    pairs.delete(id);
    if (!arrivals.push(connectionOf(port, id, pair.data, pair.error))) for (const one of [pair.data, pair.error]) one.destroy();
  };
  const dropLonely = async (stream: SpdyStream, id: string): Promise<void> => {
    try {
      await clock.sleep(pairMs, connection.closed);
    } catch {
      return; // The whole session is over.
    }
    if (!Object.values(pairs.get(id) ?? {}).includes(stream)) return;
    pairs.delete(id);
    stream.destroy();
  };

  const connection = new SpdyConnection(socket, { side: 'server', clock, idleMs, onStream, head }, signal);
  connection.closed.addEventListener('abort', () => arrivals.end(), { once: true });
  if (connection.closed.aborted) arrivals.end();
  return { connections: arrivals, closed: connection.closed, close: () => connection.destroy() };
}

function connectionOf(port: number, id: string, data: SpdyStream, error: SpdyStream): PortForwardConnection {
  error.resume();
  // The client waits for the error stream's end, with or without words, and closes its connection then; so that end must not wait
  // for the client's own.
  for (const event of ['finish', 'close']) {
    data.once(event, () => {
      if (!error.destroyed && !error.writableEnded) error.end();
    });
  }
  return {
    port,
    id,
    data,
    fail: (message) => {
      if (!error.destroyed && !error.writableEnded) error.end(message);
      data.destroy();
    },
  };
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** The oldest clients send no id: their streams come in pairs, error first. */
function legacyId(stream: SpdyStream, type: string | undefined): string {
  return String(type === 'error' ? stream.id : stream.id - 2);
}
