import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { writeAll } from '../write-all.ts';
import { splitFrames } from './frames.ts';
import { joinLines } from './logs.ts';

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** The same bytes in chunks of that size. */
async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const time = '2026-01-01T00:00:00.000000000Z ';

describe('splitFrames', () => {
  const bytes = Buffer.concat([frame(1, 'one\n'), frame(2, 'bad\n'), frame(1, ''), frame(1, 'two\n')]);

  it.each([1, 3, 8, 9, 1_000])('sorts the streams, in chunks of %i bytes', async (size) => {
    const got = { stdout: '', stderr: '' };
    for await (const piece of splitFrames(chunked(bytes, size))) got[piece.stream] += piece.bytes.toString();
    expect(got).toEqual({ stdout: 'one\ntwo\n', stderr: 'bad\n' });
  });
});

describe('joinLines', () => {
  it.each([1, 7, 40, 10_000])('drops the times inside a line, in chunks of %i bytes', async (size) => {
    const bytes = Buffer.concat([
      frame(1, `${time}first half, `),
      frame(2, `${time}error\n`),
      frame(1, `${time}second half\n`),
      frame(1, `${time}next\n`),
    ]);
    let text = '';
    for await (const piece of joinLines(splitFrames(chunked(bytes, size)), true)) text += Buffer.from(piece).toString();
    expect(text).toBe(`${time}first half, ${time}error\nsecond half\n${time}next\n`);
  });

  it('leaves lines without times alone', async () => {
    let text = '';
    const bytes = Buffer.concat([frame(1, 'a'), frame(1, 'b\n')]);
    for await (const piece of joinLines(splitFrames(chunked(bytes, 5)), false)) text += Buffer.from(piece).toString();
    expect(text).toBe('ab\n');
  });
});

describe('writeAll', () => {
  it('waits for a full receiver, and not for a closed one', async () => {
    const target = new PassThrough({ highWaterMark: 4 });
    let done = false;
    const writing = writeAll(target, Buffer.from('12345678')).then((ok) => {
      done = true;
      return ok;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    target.read();
    expect(await writing).toBe(true);
    const waiting = writeAll(target, Buffer.from('12345678'));
    target.destroy();
    expect(await waiting).toBe(false);
    expect(await writeAll(target, Buffer.from('1'))).toBe(false);
  });
});
