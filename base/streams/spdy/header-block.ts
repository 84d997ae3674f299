// Header blocks of SPDY/3: names and values, length-prefixed, in one zlib stream for each direction of a connection, primed with a
// fixed dictionary. We send `stored` blocks, which every inflater takes: our headers are a few words, so there is nothing to win, and
// no state to keep. What peers send is inflated with a bound on what comes out.
import { createInflate, type Inflate } from 'node:zlib';

export type Headers = ReadonlyMap<string, string>;

/** A header block that cannot be read: the connection's compression state is lost with it. */
export class HeaderBlockError extends Error {
  override readonly name = 'HeaderBlockError';
}

const maxInflatedBytes = 64 * 1024;
const maxHeaders = 256;

/** Words of the dictionary that stand behind their length (draft-mbelshe-httpbis-spdy-00, 2.6.10.1). */
const lengthPrefixed = `options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5
content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since
last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer
transfer-encoding upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie
keep-alive origin`;

const plain =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information' +
  '204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error' +
  '501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, ' +
  'Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,' +
  'publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

/** The dictionary that both ends start with. */
export function headerDictionary(): Buffer {
  const words = lengthPrefixed.split(/\s+/).map((word) => {
    const bytes = Buffer.from(word.replace('_', ' '));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return Buffer.concat([...words, Buffer.from(plain)]);
}

/** Encodes blocks of one direction of a connection, in the order in which they are sent. */
export class HeaderEncoder {
  #hasStarted = false;

  encode(headers: Headers): Buffer {
    const raw = rawBlock(headers);
    const parts: Buffer[] = [];
    // A zlib header without a dictionary, then deflate blocks of type 0: length, its complement, bytes.
    if (!this.#hasStarted) parts.push(Buffer.from([0x78, 0x01]));
    this.#hasStarted = true;
    for (let at = 0; at < raw.length; at += 0xffff) {
      const piece = raw.subarray(at, at + 0xffff);
      const head = Buffer.alloc(5);
      head.writeUInt16LE(piece.length, 1);
      head.writeUInt16LE(~piece.length & 0xffff, 3);
      parts.push(head, piece);
    }
    // Go's inflater hands out what it has only at an empty block, which is how every zlib ends a flush.
    parts.push(Buffer.from([0, 0, 0, 0xff, 0xff]));
    return Buffer.concat(parts);
  }
}

/** Decodes blocks of one direction of a connection, in the order in which they came: await one before giving the next. */
export class HeaderDecoder implements Disposable {
  readonly #inflate: Inflate = createInflate({ dictionary: headerDictionary() });
  #pieces: Buffer[] = [];
  #size = 0;
  #failure: Error | undefined;

  constructor() {
    this.#inflate.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#size += piece.length;
      if (this.#size > maxInflatedBytes) this.#inflate.destroy(new HeaderBlockError('header block is too large'));
    });
    this.#inflate.on('error', (error) => (this.#failure = error));
  }

  /** Throws HeaderBlockError. */
  async decode(block: Buffer): Promise<Headers> {
    this.#pieces = [];
    this.#size = 0;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#inflate.off('close', done);
        resolve();
      };
      this.#inflate.once('close', done);
      if (this.#inflate.destroyed) done();
      else this.#inflate.write(block, done);
    });
    if (this.#failure !== undefined || this.#inflate.destroyed) {
      throw new HeaderBlockError('header block cannot be inflated', { cause: this.#failure });
    }
    return parseBlock(Buffer.concat(this.#pieces));
  }

  [Symbol.dispose](): void {
    this.#inflate.destroy();
  }
}

function rawBlock(headers: Headers): Buffer {
  const parts: Buffer[] = [numberBytes(headers.size)];
  for (const [name, value] of headers) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      parts.push(numberBytes(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

function parseBlock(raw: Buffer): Headers {
  let at = 0;
  const number = (): number => {
    if (at + 4 > raw.length) throw new HeaderBlockError('header block is cut short');
    const value = raw.readUInt32BE(at);
    at += 4;
    return value;
  };
  const text = (): string => {
    const length = number();
    if (length > raw.length - at) throw new HeaderBlockError('header block is cut short');
    const value = raw.toString('utf8', at, at + length);
    at += length;
    return value;
  };
  const count = number();
  if (count > maxHeaders) throw new HeaderBlockError('header block has too many headers');
  const headers = new Map<string, string>();
  // Several values of a name stand together, with zero bytes between; nothing here has more than one.
  for (let index = 0; index < count; index++) headers.set(text().toLowerCase(), text());
  return headers;
}

function numberBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
