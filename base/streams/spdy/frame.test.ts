import fc from 'fast-check';
import { createDeflate } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodeFrame, type Frame, FrameParser, SpdyError } from './frame.ts';
import { HeaderBlockError, HeaderDecoder, headerDictionary, HeaderEncoder } from './header-block.ts';

const id = fc.integer({ min: 1, max: 0x7fffffff });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('data' as const), streamId: id, fin: fc.boolean(), payload: bytes }),
  fc.record({
    type: fc.constantFrom('syn-stream' as const, 'syn-reply' as const, 'headers' as const),
    streamId: id,
    fin: fc.boolean(),
    block: bytes,
  }),
  fc.record({ type: fc.constant('reset' as const), streamId: id, status: fc.integer({ min: 1, max: 11 }) }),
  fc.record({ type: fc.constant('settings' as const), windowBytes: fc.option(id, { nil: undefined }) }),
  fc.record({ type: fc.constant('ping' as const), id: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ type: fc.constant('goaway' as const), lastStreamId: id }),
  fc.record({ type: fc.constant('window' as const), streamId: id, delta: id }),
);

/** The stream of bytes, cut at the given places. */
function cut(all: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((one) => one % (all.length + 1)))].sort((left, right) => left - right);
  return [0, ...places].map((start, index) => all.subarray(start, places[index] ?? all.length));
}

/** Pieces of one data frame put together again. */
function joined(frames: readonly Frame[]): Frame[] {
  const result: Frame[] = [];
  for (const one of frames) {
    const last = result.at(-1);
    if (one.type === 'data' && last?.type === 'data' && !last.fin && last.streamId === one.streamId) {
      result[result.length - 1] = { ...one, payload: Buffer.concat([last.payload, one.payload]) };
    } else result.push(one);
  }
  return result;
}

test('what is encoded is parsed, however the bytes arrive', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (frames, places) => {
      const parser = new FrameParser();
      const all = Buffer.concat(frames.map(encodeFrame));
      const found = cut(all, places).flatMap((chunk) => [...parser.push(chunk)]);
      expect(joined(found)).toEqual(joined(frames));
    }),
  );
});

test('any bytes give frames or a SpdyError, and little is held', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
      const parser = new FrameParser();
      try {
        for (const chunk of chunks) for (const one of parser.push(Buffer.from(chunk))) expect(one.type).toBeTypeOf('string');
      } catch (error) {
        expect(error).toBeInstanceOf(SpdyError);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.each<[string, number[]]>([
  ['another version', [0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]],
  ['a control frame beyond the limit', [0x80, 3, 0, 1, 0, 1, 0, 1]],
  ['a ping without its id', [0x80, 3, 0, 6, 0, 0, 0, 0]],
  ['more settings than bytes', [0x80, 3, 0, 4, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]],
])('%s is an error', (_, list) => {
  expect(() => [...new FrameParser().push(Buffer.from(list))]).toThrow(SpdyError);
});

test('frames of types that nobody knows are skipped', () => {
  const parser = new FrameParser();
  const unknown = Buffer.from([0x80, 3, 0, 99, 0, 0, 0, 2, 1, 2]);
  expect([...parser.push(Buffer.concat([unknown, encodeFrame({ type: 'ping', id: 7 })]))]).toEqual([{ type: 'ping', id: 7 }]);
});

describe('header blocks', () => {
  test('the dictionary is the one every peer has', () => {
    // A zlib stream that uses a dictionary names it by its checksum.
    let [low, high] = [1, 0];
    for (const byte of headerDictionary()) {
      low = (low + byte) % 65_521;
      high = (high + low) % 65_521;
    }
    expect(((high << 16) | low) >>> 0).toBe(0xe3c6a7c2);
  });

  test('one after the other, from our encoder', async () => {
    const encoder = new HeaderEncoder();
    using decoder = new HeaderDecoder();
    for (const headers of [
      new Map([['streamtype', 'stdin']]),
      new Map<string, string>(),
      new Map([
        ['a', 'ä'.repeat(30_000)],
        ['b', ''],
      ]),
    ]) {
      if (headers.size === 2) await expect(decoder.decode(encoder.encode(headers))).resolves.toEqual(headers);
      else expect(await decoder.decode(encoder.encode(headers))).toEqual(headers);
    }
  });

  test('every block ends with an empty one, for which Go waits', () => {
    const encoder = new HeaderEncoder();
    for (let block = 0; block < 2; block++) expect(encoder.encode(new Map()).subarray(-5)).toEqual(Buffer.from([0, 0, 0, 255, 255]));
  });

  test('compressed with the dictionary, as peers send them', async () => {
    using decoder = new HeaderDecoder();
    const deflate = createDeflate({ dictionary: headerDictionary() });
    const pieces: Buffer[] = [];
    deflate.on('data', (piece: Buffer) => pieces.push(piece));
    for (const type of ['error', 'stdout']) {
      pieces.length = 0;
      deflate.write(rawHeaders([['streamtype', type]]));
      await new Promise<void>((resolve) => deflate.flush(resolve));
      expect(await decoder.decode(Buffer.concat(pieces))).toEqual(new Map([['streamtype', type]]));
    }
    deflate.destroy();
  });

  test('a block that would inflate without end is refused', async () => {
    using decoder = new HeaderDecoder();
    const deflate = createDeflate({ dictionary: headerDictionary() });
    const pieces: Buffer[] = [];
    deflate.on('data', (piece: Buffer) => pieces.push(piece));
    deflate.write(Buffer.alloc(8 * 1024 * 1024));
    await new Promise<void>((resolve) => deflate.flush(resolve));
    deflate.destroy();
    await expect(decoder.decode(Buffer.concat(pieces))).rejects.toThrow(HeaderBlockError);
  });

  test('any bytes give headers or an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 }), fc.boolean(), async (blocks, isStored) => {
        using decoder = new HeaderDecoder();
        try {
          for (const [at, block] of blocks.entries()) {
            const stored = [...(at === 0 ? [0x78, 1] : []), 0, block.length, 0, ~block.length & 0xff, 0xff, ...block];
            await decoder.decode(Buffer.from(isStored ? stored : block));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(HeaderBlockError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function rawHeaders(headers: readonly (readonly [string, string])[]): Buffer {
  const word = (value: number): Buffer => Buffer.from([0, 0, value >> 8, value & 0xff]);
  const texts = headers.flat().flatMap((one) => [word(one.length), Buffer.from(one)]);
  return Buffer.concat([word(headers.length), ...texts]);
}
