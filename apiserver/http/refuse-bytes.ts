import type { Duplex } from 'node:stream';
import { methodNotAllowed } from './verbs/write.ts';

/** Answers bytes that are no HTTP request, in the words of Go's server; a method that HTTP does not know is one that nothing allows. */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [line, contentType, body] = answerTo(error.code);
  const head = `HTTP/1.1 ${line}\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}

function answerTo(code: string | undefined): readonly [line: string, contentType: string, body: string] {
  const plain = 'text/plain; charset=utf-8';
  switch (code) {
    case 'HPE_INVALID_METHOD':
      return ['405 Method Not Allowed', 'application/json', `${JSON.stringify(methodNotAllowed().toStatus())}\n`];
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', plain, '431 Request Header Fields Too Large'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', plain, '408 Request Timeout'];
    default:
      return ['400 Bad Request', plain, '400 Bad Request'];
  }
}
