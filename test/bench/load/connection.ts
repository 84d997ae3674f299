// One kept-alive HTTP/1.1 connection over TLS that costs its process as little as possible: requests are bytes made before, answers
// are only counted. A client library would need more CPU time than the server that is measured.
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

export interface Peer {
  /** Default: loopback. */
  readonly host?: string;
  readonly port: number;
  readonly ca: string;
  /** Client certificate. */
  readonly cert: string;
  readonly key: string;
}

interface Answer {
  readonly status: number;
  readonly bytes: number;
}

const noBytes = Buffer.alloc(0);
const lastChunk = Buffer.from('\r\n0\r\n\r\n');

export class Connection {
  readonly #socket: TLSSocket;
  #resolve: ((answer: Answer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #status = 0;
  #total = 0;
  /** Bytes of the body still to come; -1 while the head is read. */
  #left = -1;
  #head: Buffer | undefined;
  #tail: Buffer = noBytes;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    const failed = (error?: Error): void => this.#reject?.(error ?? new Error('the server closed the connection'));
    socket.on('error', failed);
    socket.on('close', () => failed());
  }

  static async open(peer: Peer): Promise<Connection> {
    const socket = await openSocket(peer);
    return new Connection(socket);
  }

  /** Sends a whole request and reads its answer, which must say its length. One at a time. */
  request(bytes: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#left >= 0) {
      if (this.#left === Infinity) this.#readChunked(chunk);
      else this.#count(chunk.length);
      return;
    }
    const bytes = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#head = bytes;
      return;
    }
    this.#head = undefined;
    const head = bytes.toString('latin1', 0, end + 2);
    this.#status = Number(head.slice(9, 12));
    const at = head.search(/content-length: /i);
    if (at < 0) {
      this.#total = 0;
      this.#left = Infinity;
      this.#readChunked(bytes.subarray(end + 4));
      return;
    }
    this.#total = Number(head.slice(at + 16, head.indexOf('\r', at)));
    this.#left = this.#total;
    this.#count(bytes.length - end - 4);
  }

  /** A body in chunks: JSON holds no line breaks of its own, so its end is known by its last bytes. */
  #readChunked(chunk: Buffer): void {
    this.#total += chunk.length;
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-lastChunk.length)]).subarray(-lastChunk.length);
    if (!this.#tail.equals(lastChunk)) return;
    this.#tail = noBytes;
    this.#left = -1;
    this.#resolve?.({ status: this.#status, bytes: this.#total });
  }

  #count(bytes: number): void {
    this.#left -= bytes;
    if (this.#left > 0) return;
    this.#left = -1;
    this.#resolve?.({ status: this.#status, bytes: this.#total });
  }
}

/** A TLS connection that has shaken hands. */
export async function openSocket({ host = '127.0.0.1', port, ca, cert, key }: Peer): Promise<TLSSocket> {
  const socket = connect({ port, host, ca, cert, key, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  socket.setNoDelay(true);
  return socket;
}

/** A request's head and body in one buffer; `body` may be filled in later. */
export function requestBytes(method: string, path: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const length = body.length === 0 ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n${length}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
