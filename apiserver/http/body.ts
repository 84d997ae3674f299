import { gunzip } from 'node:zlib';
import { ApiError } from '#api/meta/status.ts';
import type { Body } from '../registry/contract.ts';
import type { Exchange, RawRequest } from './exchange.ts';
import { mediaTypesOf, type Offer, unsupportedMediaType } from './negotiate.ts';
import { mediaTypeOf } from './options.ts';

/** No request body may be larger, neither as sent nor unpacked. */
const maxBodyBytes = 3 * 1024 * 1024;

const nothing = Buffer.alloc(0);

/** The 413 answer. */
function bodyTooLarge(): ApiError {
  return new ApiError({ reason: 'RequestEntityTooLarge', message: `Request entity too large: limit is ${maxBodyBytes}` });
}

/** The body of a write with its media type, one of those that the kind has; JSON where the client says nothing. Throws UnsupportedMediaType and what `readBody` throws. */
export async function objectBody(exchange: Exchange, offer: Offer = 'all'): Promise<Body> {
  const given = mediaTypeOf(exchange);
  const types = mediaTypesOf(offer);
  const mediaType = given === '' ? 'application/json' : types.find((one) => one === given);
  if (mediaType === undefined) throw unsupportedMediaType(types);
  return { bytes: await readBody(exchange), mediaType };
}

/** The whole body, unpacked where it came packed. Throws RequestEntityTooLarge, UnsupportedMediaType or BadRequest. */
export async function readBody(exchange: Exchange): Promise<Buffer> {
  const bytes = await wholeBody(exchange.request);
  exchange.receivedBytes = bytes.length;
  return bytes;
}

async function wholeBody(request: RawRequest): Promise<Buffer> {
  const declared = request.headers['content-length'];
  if (declared === '0') return nothing;
  if (declared !== undefined && Number(declared) > maxBodyBytes) throw bodyTooLarge();
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity' && encoding !== 'gzip') throw unsupportedMediaType(['gzip']);
  const bytes = await collect(request);
  return encoding === 'gzip' ? unpack(bytes) : bytes;
}

function collect(request: RawRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let total = 0;
    let isOver = false;
    request.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total > maxBodyBytes) {
        request.removeAllListeners('data');
        // The rest is read and dropped, so that the client gets to read the answer.
        request.resume();
        reject(bodyTooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      isOver = true;
      resolve(chunks.length === 1 ? (chunks[0] ?? nothing) : Buffer.concat(chunks, total));
    });
    request.on('error', reject);
    request.on('close', () => {
      // An error costs 20 µs to make, and every request closes.
      if (!isOver) reject(new ApiError({ reason: 'BadRequest', message: 'unexpected EOF' }));
    });
  });
}

function unpack(bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: maxBodyBytes }, (error, result) => {
      if (error === null) resolve(result);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') reject(bodyTooLarge());
      else reject(new ApiError({ reason: 'BadRequest', message: `gzip: ${error.message}`, cause: error }));
    });
  });
}
