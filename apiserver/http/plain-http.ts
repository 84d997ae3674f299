// HTTP without TLS on the TLS port: a client that forgot the `s` of https gets a plain-text error, as from Go's server. The bytes have to go
// past TLS, over the connection below it, which is remembered from its first byte until the handshake is over.
import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';

const answer = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** Answers on its own; the server's other listeners still hear of the failed handshake. */
export function answerPlainHttp(server: Http2SecureServer): void {
  const shaking = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    shaking.set(peer, socket);
    socket.once('close', () => {
      if (shaking.get(peer) === socket) shaking.delete(peer);
    });
  });
  server.on('secureConnection', (socket) => shaking.delete(peerOf(socket)));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const below = error.code === 'ERR_SSL_HTTP_REQUEST' ? shaking.get(peerOf(socket)) : undefined;
    below?.on('error', () => below.destroy()).end(answer);
  });
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
