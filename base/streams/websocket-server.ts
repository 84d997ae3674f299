import type { IncomingMessage } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Upgrade } from './session.ts';
import { refuseUpgrade } from './upgrade.ts';

export interface AcceptedWebSocket {
  readonly socket: WebSocket;
  /** The sub-protocol that was agreed; '' for none. */
  readonly protocol: string;
}

/** What one message of a client may hold. */
const maxMessageBytes = 4 * 1024 * 1024;
/** Answers (pongs) that a client does not read; beyond this it is cut off. */
const maxUnreadBytes = 1024 * 1024;

/**
 * Completes a WebSocket handshake with the first of the client's sub-protocols that is known; '' stands for clients that name none.
 * Undefined when it was refused.
 */
export function acceptWebSocket(upgrade: Upgrade, known: readonly string[]): Promise<AcceptedWebSocket | undefined> {
  const { request, socket, head } = upgrade;
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  const chosen = offered.find((one) => known.includes(one));
  if (chosen === undefined) {
    const text = `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${known.join(' ')}]`;
    refuseUpgrade(upgrade, '403 Forbidden', text);
    return Promise.resolve(undefined);
  }
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  // The library takes only names that are tokens, and `SPDY/3.1+portforward.k8s.io` has a slash: so we agree on the name ourselves.
  const headers = { ...request.headers };
  delete headers['sec-websocket-protocol'];
  const shown = Object.create(request, { headers: { value: headers } }) as IncomingMessage;
  if (chosen !== '') server.on('headers', (lines) => lines.push(`Sec-WebSocket-Protocol: ${chosen}`));
  return new Promise((resolve) => {
    // A handshake that is malformed gets its answer from the library, which then closes the socket.
    socket.once('close', () => resolve(undefined));
    socket.on('error', () => socket.destroy());
    server.handleUpgrade(shown, socket, head, (webSocket) => {
      webSocket.on('error', () => webSocket.terminate());
      webSocket.on('ping', () => {
        if (webSocket.bufferedAmount > maxUnreadBytes) webSocket.terminate();
      });
      resolve({ socket: webSocket, protocol: chosen });
    });
  });
}
