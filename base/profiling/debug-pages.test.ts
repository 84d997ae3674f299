import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { FakeClock } from '../fake-clock.ts';
import type { LogLevelSwitch } from '../log.ts';
import { DebugPages, type DebugAnswer } from './debug-pages.ts';
import { pprofBytes } from './pprof.ts';

type Field = readonly [field: number, value: bigint | Buffer];

/** The fields of a message of protobuf, as they come. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    if ((key & 7) === 0) fields.push([key >> 3, varint()]);
    else {
      const length = Number(varint());
      fields.push([key >> 3, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

const all = (fields: readonly Field[], field: number): Buffer[] =>
  fields.filter(([one]) => one === field).map(([, value]) => value as Buffer);
const one = (fields: readonly Field[], field: number): number => Number(fields.find(([found]) => found === field)?.[1] ?? 0);

/** A profile as people read it: its types, and its samples with the names of their functions. */
function read(packed: Uint8Array): { types: string[]; samples: { stack: string[]; values: number[] }[]; fields: Field[] } {
  const fields = fieldsOf(gunzipSync(packed));
  const texts = all(fields, 6).map(String);
  const functions = new Map(all(fields, 5).map((bytes) => [one(fieldsOf(bytes), 1), texts[one(fieldsOf(bytes), 2)] ?? '']));
  const places = new Map(
    all(fields, 4).map((bytes) => [
      one(fieldsOf(bytes), 1),
      functions.get(one(fieldsOf(all(fieldsOf(bytes), 4)[0] ?? Buffer.of()), 1)) ?? '',
    ]),
  );
  const packedOf = (bytes: Buffer, field: number): number[] => {
    // Each number of a packed field, read as if it were a field of its own.
    const inner = all(fieldsOf(bytes), field)[0] ?? Buffer.of();
    const numbers: number[] = [];
    for (let at = 0; at < inner.length; ) {
      let end = at;
      while ((inner[end] ?? 0) > 127) end++;
      numbers.push(one(fieldsOf(Buffer.concat([Buffer.of(8), inner.subarray(at, end + 1)])), 1));
      at = end + 1;
    }
    return numbers;
  };
  return {
    types: all(fields, 1).map((bytes) => `${texts[one(fieldsOf(bytes), 1)]}/${texts[one(fieldsOf(bytes), 2)]}`),
    samples: all(fields, 2).map((bytes) => ({
      stack: packedOf(bytes, 1).map((id) => places.get(id) ?? ''),
      values: packedOf(bytes, 2),
    })),
    fields,
  };
}

test('a profile is written as pprof has it', () => {
  const frame = (name: string, line: number) => ({ name, file: 'a.ts', line });
  const { types, samples, fields } = read(
    pprofBytes({
      types: [{ type: 'cpu', unit: 'nanoseconds' }],
      samples: [
        { stack: [frame('inner', 3), frame('outer', 1)], values: [5_000_000_000] },
        { stack: [frame('outer', 1)], values: [300] },
      ],
      period: { of: { type: 'cpu', unit: 'nanoseconds' }, amount: 1_000 },
      startMs: 1_700_000_000_000,
      durationMs: 2_000,
    }),
  );
  expect(types).toEqual(['cpu/nanoseconds']);
  expect(samples).toEqual([
    { stack: ['inner', 'outer'], values: [5_000_000_000] },
    { stack: ['outer'], values: [300] },
  ]);
  // The texts start with the empty one, as every reader expects.
  expect(all(fields, 6)[0]?.length).toBe(0);
  expect([one(fields, 9), one(fields, 10), one(fields, 12)]).toEqual([1_700_000_000_000_000_000, 2_000_000_000, 1_000]);
});

describe('debug pages', () => {
  const level: LogLevelSwitch = { level: 'info' };
  const pages = (clock = systemClock): DebugPages =>
    new DebugPages({ clock, logLevel: level, hasProfiles: true, argv: ['kube-x', '--a=b'] });
  const { signal } = new AbortController();
  const ask = (path: string, search = '', more: { method?: string; body?: string; pages?: DebugPages } = {}): Promise<DebugAnswer> =>
    (more.pages ?? pages()).answer(
      {
        method: more.method ?? 'GET',
        path,
        query: new URLSearchParams(search),
        body: () => Promise.resolve(Buffer.from(more.body ?? '')),
      },
      signal,
    );

  function busyWork(): number {
    const endMs = performance.now() + 300;
    let sum = 0;
    while (performance.now() < endMs) sum += Math.sqrt(sum + 1);
    return sum;
  }

  test('tell where the time of the processor went', async () => {
    const clock = new FakeClock();
    const asked = ask('/debug/pprof/profile', 'seconds=1', { pages: pages(clock) });
    await expect.poll(() => clock.pending).toBe(1);
    busyWork();
    await clock.advance(1_000);
    const { status, contentType, body, headers } = await asked;
    expect([status, contentType]).toEqual([200, 'application/octet-stream']);
    expect(headers).toContainEqual(['Content-Disposition', 'attachment; filename="profile"']);
    const { types, samples } = read(body as Uint8Array);
    expect(types).toEqual(['samples/count', 'cpu/nanoseconds']);
    const busy = samples.filter(({ stack }) => stack.includes('busyWork'));
    expect(busy.reduce((sum, { values }) => sum + (values[1] ?? 0), 0)).toBeGreaterThan(50_000_000);
    expect(samples.flatMap(({ stack }) => stack)).not.toContain('(idle)');
  });

  test('make one profile at a time', async () => {
    const clock = new FakeClock();
    const shared = pages(clock);
    const first = ask('/debug/pprof/allocs', '', { pages: shared });
    await expect.poll(() => clock.pending).toBe(1);
    expect(await ask('/debug/pprof/profile', '', { pages: shared })).toMatchObject({
      status: 500,
      headers: [['X-Go-Pprof', '1'], expect.anything()],
    });
    await clock.advance(30_000);
    expect(read((await first).body as Uint8Array).types).toEqual(['alloc_objects/count', 'alloc_space/bytes']);
  });

  test('tell what memory is used for, and what keeps the loop alive', async () => {
    const { types, samples } = read((await ask('/debug/pprof/heap')).body as Uint8Array);
    expect(types).toEqual(['inuse_space/bytes']);
    expect(samples.find(({ stack }) => stack[0] === 'V8 old_space')?.values[0]).toBeGreaterThan(1_000_000);
    expect((await ask('/debug/pprof/goroutine', 'debug=1')).body).toMatch(/^goroutine profile: total \d+\n/);
    expect(read((await ask('/debug/pprof/goroutine')).body as Uint8Array).types).toEqual(['goroutine/count']);
  });

  test('tell the command line and what else there is', async () => {
    expect((await ask('/debug/pprof/cmdline')).body).toBe('kube-x\0--a=b');
    expect((await ask('/debug/pprof/symbol')).body).toBe('num_symbols: 1\n');
    expect((await ask('/debug/pprof/')).body).toMatch(/^\/debug\/pprof\/\n[^]*\nprofile {4}/);
    expect(await ask('/debug/pprof')).toMatchObject({ status: 301, headers: [['Location', '/debug/pprof/']] });
    expect(await ask('/debug/pprof/mutex')).toMatchObject({ status: 404, body: 'Unknown profile\n' });
  });

  test('set how much the log says', async () => {
    const put = (body: string): Promise<DebugAnswer> => ask('/debug/flags/v', '', { method: 'PUT', body });
    expect(await put('5')).toMatchObject({ status: 200, body: 'successfully set klog.logging.verbosity to 5' });
    expect(level.level).toBe('debug');
    expect((await put('6')).status).toBe(200);
    expect(level.level).toBe('trace');
    expect((await put('0')).status).toBe(200);
    expect(level.level).toBe('info');
    const why = 'failed set klog.logging.verbosity much: strconv.ParseInt: parsing "much": invalid syntax';
    expect(await put('much')).toMatchObject({ status: 400, body: why });
    expect(await ask('/debug/flags/v')).toMatchObject({ status: 406, body: 'unsupported http method' });
  });

  test('are not there where they are not wanted', () => {
    const none = new DebugPages({ clock: systemClock, logLevel: level, hasProfiles: false, takesLevel: false, argv: [] });
    expect([none.owns('/debug/pprof/'), none.owns('/debug/flags/v'), none.paths()]).toEqual([false, false, []]);
  });
});
