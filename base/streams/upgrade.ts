// The HTTP side of an upgrade: what the client asks for, and the answers.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Upgrade } from './session.ts';

/** Where SPDY clients list the stream protocols they know, best first, and servers name the one they took. */
const protocolHeader = 'x-stream-protocol-version';
const acceptedHeader = 'X-Accepted-Stream-Protocol-Versions';

/** What the client wants to leave HTTP for. */
export function upgradeKind(request: IncomingMessage): 'spdy' | 'websocket' | 'none' {
  const connection = request.headers.connection?.toLowerCase() ?? '';
  if (!connection.includes('upgrade')) return 'none';
  const upgrade = request.headers.upgrade?.toLowerCase() ?? '';
  if (upgrade.includes('websocket')) return 'websocket';
  return upgrade.includes('spdy/3.1') ? 'spdy' : 'none';
}

/** The first of the client's stream protocols that the server has; '' when the client names none, as the oldest do. */
export function chooseProtocol(request: IncomingMessage, known: readonly string[]): string | undefined {
  const offered = offeredProtocols(request);
  return offered.length === 0 ? '' : offered.find((one) => known.includes(one));
}

/** Agrees to SPDY. */
export function agreeSpdy({ socket }: Upgrade, protocol: string): void {
  const chosen = protocol === '' ? '' : `X-Stream-Protocol-Version: ${protocol}\r\n`;
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${chosen}\r\n`);
}

/** Upstream's answer when no stream protocol is known to both. */
export function refuseProtocol(upgrade: Upgrade, known: readonly string[]): void {
  const offered = offeredProtocols(upgrade.request);
  const text = `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${known.join(' ')}]`;
  const accepted = known.map((one) => `${acceptedHeader}: ${one}\r\n`).join('');
  answer(upgrade.socket, '403 Forbidden', text, accepted);
}

/** Refuses with a plain text answer and closes. */
export function refuseUpgrade({ socket }: Upgrade, status: string, text: string): void {
  answer(socket, status, text, '');
}

function answer(socket: Duplex, status: string, text: string, headers: string): void {
  const body = `${text}\n`;
  const head = `HTTP/1.1 ${status}\r\n${headers}Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n`;
  socket.on('error', () => socket.destroy());
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

function offeredProtocols(request: IncomingMessage): string[] {
  const value = request.headers[protocolHeader] ?? '';
  return (Array.isArray(value) ? value.join(',') : value)
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
