import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '#api/meta/object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { WatchEvent } from './client.ts';
import { watchStream } from './watch-stream.ts';

const never = new AbortController().signal;
const bookmark = (revision: string): string =>
  `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: revision } } })}\n`;

async function readAll(body: PassThrough, options: Partial<Parameters<typeof watchStream>[1]> = {}, signal = never): Promise<string[]> {
  const seen: string[] = [];
  const note = (event: WatchEvent<KubeObject>): number => seen.push(`${event.type} ${event.object.metadata.resourceVersion}`);
  for await (const event of watchStream(body, { clock: new FakeClock(), ...options }, signal)) note(event);
  return seen;
}

describe('watchStream', () => {
  test('gives events until the server ends the watch', async () => {
    const body = new PassThrough();
    body.end(bookmark('1') + '{"type":"ADDED","object":{"metadata":{"resourceVersion":"2"}}}\n');
    expect(await readAll(body)).toEqual(['BOOKMARK 1', 'ADDED 2']);
  });

  test.each([
    {
      name: 'an ERROR event is the error it carries',
      text: '{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410,"message":"too old"}}\n',
      error: { name: 'ApiError', reason: 'Expired' },
    },
    { name: 'an end within an event', text: '{"type":"ADDED"', error: { name: 'TransportError' } },
    { name: 'what is no event', text: 'hello\n', error: { name: 'TransportError' } },
    { name: 'an unknown type', text: '{"type":"SOMETHING","object":{}}\n', error: { name: 'TransportError' } },
    { name: 'JSON without meaning', text: 'null\n', error: { name: 'TransportError' } },
  ])('$name', async ({ text, error }) => {
    const body = new PassThrough();
    body.end(text);
    await expect(readAll(body)).rejects.toMatchObject(error);
    expect(body.destroyed).toBe(true);
  });

  test('an event without end is cut off', async () => {
    const body = new PassThrough();
    body.write(`{"type":"ADDED","object":"${'x'.repeat(200)}`);
    await expect(readAll(body, { lineLimitBytes: 100 })).rejects.toThrow('longer than 100 bytes');
  });

  test('silence ends it, but each word starts the wait anew', async () => {
    const clock = new FakeClock();
    const body = new PassThrough();
    const reading = readAll(body, { clock, silenceLimitMs: 90_000 });
    const failed = expect(reading).rejects.toThrow('said nothing for 90000 ms');
    await clock.advance(60_000);
    body.write(bookmark('1'));
    await clock.advance(60_000);
    body.write(bookmark('2'));
    await clock.advance(89_999);
    expect(body.destroyed).toBe(false);
    await clock.advance(1);
    await failed;
    expect(clock.pending).toBe(0);
  });

  test('the abort of the caller comes through as it is', async () => {
    const stop = new AbortController();
    const body = new PassThrough();
    const reading = readAll(body, { silenceLimitMs: 1_000 }, stop.signal);
    const failed = expect(reading).rejects.toThrow('enough');
    stop.abort(new Error('enough'));
    await failed;
    expect(body.destroyed).toBe(true);
  });

  test('whoever leaves the loop closes the connection', async () => {
    const clock = new FakeClock();
    const body = new PassThrough();
    body.write(bookmark('1'));
    for await (const event of watchStream(body, { clock, silenceLimitMs: 1_000 }, never)) {
      expect(event.type).toBe('BOOKMARK');
      break;
    }
    expect(body.destroyed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});
