// Connections begin their handshakes a few at a time. When a server comes back, all clients reconnect at once,
// and a TLS handshake with what follows it takes half a millisecond of the event loop: hundreds in one turn would hold up every request
// that is under way. A handshake gives its place to the next one when it is done, or when its peer is slow.
import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '#base/clock.ts';

const places = 16;
const placeMs = 50;

/**
 * Puts itself between a server that does not listen yet and those who wait for its `connection` events now; who comes later hears at
 * once, as ever. Until its turn nothing is read from a connection, so that TLS sees all of it, also that it ended. When the signal
 * aborts, those whose turn has not come are closed, and those that come yet.
 */
export function acceptInTurns(server: Http2SecureServer, clock: Clock, signal: AbortSignal): void {
  const shakers = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  // What TLS makes of a connection inherits this, too: there it would never be read.
  const pauseConnections = (pauseOnConnect: boolean): void => void Object.assign(server, { pauseOnConnect });
  const begin = (socket: Socket): void => {
    pauseConnections(false);
    for (const shake of shakers) shake.call(server, socket);
    pauseConnections(true);
  };
  const waiting: Socket[] = [];
  /** When those began that have places, the earliest first. */
  const begun: number[] = [];
  let isRefilling = false;
  const fill = (): void => {
    const nowMs = clock.monotonicMs();
    while ((begun[0] ?? nowMs) <= nowMs - placeMs) begun.shift();
    for (const socket of waiting.splice(0, places - begun.length)) {
      begun.push(nowMs);
      begin(socket);
    }
  };
  const refill = async (): Promise<void> => {
    isRefilling = true;
    for (; waiting.length > 0; fill()) await clock.sleep(placeMs, signal);
    isRefilling = false;
  };
  const onDone = (): void => {
    begun.shift();
    if (waiting.length > 0) setImmediate(fill);
  };
  pauseConnections(true);
  server.on('secureConnection', onDone);
  server.on('tlsClientError', onDone);
  server.on('connection', (socket: Socket) => {
    if (signal.aborted) return void socket.destroy();
    waiting.push(socket);
    fill();
    // It fails when the signal aborts, and then none is left to begin.
    if (waiting.length > 0 && !isRefilling) refill().catch(() => undefined);
  });
  signal.addEventListener('abort', () => waiting.splice(0).forEach((socket) => socket.destroy()));
}
