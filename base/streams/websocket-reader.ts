// One stream of bytes to a WebSocket client that only listens: what upstream's server offers for logs, with its protocols.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Upgrade } from './session.ts';
import { acceptWebSocket } from './websocket-server.ts';

/** As `base64.binary.k8s.io` each message is text, for clients that cannot take bytes; '' is for clients that name no protocol. */
const protocols = ['', 'binary.k8s.io', 'base64.binary.k8s.io'];
const maxMessageBytes = 2048;

/**
 * Sends what `source` yields, an empty message first, then closes. What the client says is ignored; `source` is destroyed when it goes.
 * A client whose protocols are all unknown is refused.
 */
export async function sendAsMessages(upgrade: Upgrade, source: Readable): Promise<void> {
  const accepted = await acceptWebSocket(upgrade, protocols);
  if (accepted === undefined) {
    source.destroy();
    return;
  }
  const { socket, protocol } = accepted;
  socket.on('close', () => source.destroy());
  const encode = (bytes: Buffer): Buffer | string => (protocol.startsWith('base64.') ? bytes.toString('base64') : bytes);
  try {
    await send(socket, encode(Buffer.alloc(0)));
    for await (const chunk of source as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += maxMessageBytes) await send(socket, encode(chunk.subarray(at, at + maxMessageBytes)));
    }
    await close(socket);
  } catch {
    // Either side broke off: nothing is left to report.
    socket.terminate();
  }
}

/** Resolves when the message is on its way, so that a slow client slows the source. */
function send(socket: WebSocket, message: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => socket.send(message, (error) => (error ? reject(error) : resolve())));
}

/** The library ends the connection of a client that does not say goodbye. */
async function close(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  socket.close(1000);
  await once(socket, 'close');
}
