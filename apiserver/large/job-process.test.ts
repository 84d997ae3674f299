import assert from 'node:assert';
import { expect, onTestFinished, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { builtinKinds } from '#api/kinds.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import type { ProposeJob, RenderJob } from './contract.ts';
import { EncodedApiError } from './encoded-error.ts';
import { JobProcess, type JobProcessLimits } from './job-process.ts';

const { signal } = new AbortController();
const configMaps = { group: '', version: 'v1', plural: 'configmaps' };

function aProcess(limits: Partial<JobProcessLimits> = {}): { jobs: JobProcess; clock: FakeClock; stop: () => Promise<void> } {
  const clock = new FakeClock();
  const jobs = new JobProcess({ kinds: builtinKinds, clock, log: silentLog, limits });
  const life = new AbortController();
  const ended = jobs.run(life.signal, () => undefined);
  const stop = async (): Promise<void> => {
    life.abort(new Error('the test is over'));
    await ended;
  };
  onTestFinished(stop);
  return { jobs, clock, stop };
}

function aRendering(value: unknown): RenderJob {
  return { do: 'render', json: Buffer.from(JSON.stringify(value)), as: 'yaml' };
}

function aCreate(object: unknown): ProposeJob {
  const body = { bytes: Buffer.from(JSON.stringify(object)), mediaType: 'application/json' } as const;
  const context = { name: '', namespace: 'default', subresource: '', fieldManager: 'test', fieldValidation: 'Strict', nowMs: 0 } as const;
  return {
    do: 'propose',
    kind: configMaps,
    proposal: { how: 'create', body },
    previous: undefined,
    wantsPrevious: false,
    context,
    user: undefined,
  };
}

test('a process starts with the first job and ends when it has had none for a while', async () => {
  const { jobs, clock } = aProcess({ idleMs: 1_000 });
  expect(jobs.isRunning).toBe(false);
  const { bytes } = await jobs.do(aRendering({ a: [1, 'b'] }), signal);
  expect(Buffer.from(bytes ?? []).toString()).toBe('a:\n- 1\n- b\n');
  expect(jobs.isRunning).toBe(true);
  await clock.advance(999);
  expect(jobs.isRunning).toBe(true);
  await jobs.do(aRendering(1), signal);
  await clock.advance(999);
  expect(jobs.isRunning).toBe(true);
  await clock.advance(1);
  expect(jobs.isRunning).toBe(false);
  expect(Buffer.from((await jobs.do(aRendering(2), signal)).bytes ?? []).toString()).toBe('2\n');
});

test('refusals come through as they are', async () => {
  const { jobs } = aProcess();
  await expect(jobs.do(aCreate({ x: 1 }), signal)).rejects.toMatchObject({
    code: 400,
    message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "x"',
  });
  const many = Object.fromEntries(Array.from({ length: 80_000 }, (_, at) => [`k ${at}`, 'x'.repeat(10)]));
  const refusal = await jobs.do(aCreate({ metadata: { name: 'a' }, data: many }), signal).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(EncodedApiError);
  expect((refusal as EncodedApiError).toStatus()).toMatchObject({ code: 422, reason: 'Invalid', details: { kind: 'ConfigMap' } });
});

test('the queue is bounded by jobs and by bytes', async () => {
  const { jobs } = aProcess({ jobs: 2 });
  const taken = [1, 2, 3].map((value) => jobs.do(aRendering(value), signal));
  await expect(jobs.do(aRendering(4), signal)).rejects.toMatchObject({ code: 429, details: { retryAfterSeconds: 1 } });
  expect(await Promise.all(taken)).toHaveLength(3);

  const { jobs: small } = aProcess({ bytes: 10 });
  const one = aRendering('12345678');
  const first = [small.do(one, signal), small.do(one, signal)];
  await expect(small.do(one, signal)).rejects.toMatchObject({ code: 429 });
  expect(await Promise.all(first)).toHaveLength(2);
});

test('a job that takes too long costs the process its life, and nobody else anything', async () => {
  const { jobs, clock } = aProcess({ jobMs: 5_000 });
  const long = jobs.do(aRendering(0), signal);
  const next = jobs.do(aRendering(1), signal);
  const refused = expect(long).rejects.toMatchObject({ code: 504, reason: 'Timeout' });
  await clock.advance(5_000);
  await refused;
  expect(Buffer.from((await next).bytes ?? []).toString()).toBe('1\n');
});

test('so does one that needs more memory than there is', async () => {
  const { jobs } = aProcess({ heapMegabytes: 64 });
  const values = Array.from({ length: 700_000 }, () => [[]]);
  const large = jobs.do(aCreate({ metadata: { name: 'a' }, x: values }), signal);
  const next = jobs.do(aRendering(1), signal);
  await expect(large).rejects.toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' });
  expect(Buffer.from((await next).bytes ?? []).toString()).toBe('1\n');
});

test('nobody works for clients that are gone', async () => {
  const { jobs } = aProcess();
  const gone = new AbortController();
  const first = jobs.do(aRendering(1), signal);
  const second = jobs.do(aRendering(2), gone.signal);
  gone.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  await first;
});

test('the process ends with the server, and so does what waits', async () => {
  const { jobs, stop } = aProcess();
  const waiting = [jobs.do(aRendering(1), signal), jobs.do(aRendering(2), signal)];
  const refused = Promise.all(waiting.map((job) => expect(job).rejects.toMatchObject({ code: 503 })));
  await stop();
  await refused;
  expect(jobs.isRunning).toBe(false);
  await expect(jobs.do(aRendering(3), signal)).rejects.toMatchObject({ code: 503 });
});

test('only writes with much in them are large, and only of kinds that the process knows', () => {
  const { jobs } = aProcess();
  const bodyOf = (text: string, mediaType: 'application/json' | 'application/yaml' = 'application/json') =>
    ({ bytes: Buffer.from(text), mediaType }) as const;
  const many = `{"a":[${'1,'.repeat(3_000)}1]}`;
  expect(jobs.takes(configMap, bodyOf(many), undefined)).toBe(true);
  expect(jobs.takes(configMap, bodyOf('{}'), Buffer.from(many))).toBe(true);
  expect(jobs.takes(configMap, bodyOf('a: 1\n'.repeat(3_000), 'application/yaml'), undefined)).toBe(true);
  expect(jobs.takes({ ...configMap }, bodyOf(many), undefined)).toBe(false);
  // What stands in a text is one value, however it looks.
  expect(jobs.takes(configMap, bodyOf(JSON.stringify({ a: `\\"${'{,['.repeat(9_000)}` })), undefined)).toBe(false);
  expect(jobs.takes(configMap, bodyOf('{"a":1}'), undefined)).toBe(false);
  // Expressions take long by their length.
  const long = bodyOf(JSON.stringify({ a: 'x'.repeat(20_000) }));
  const taken = builtinKinds.filter((kind) => jobs.takes(kind, long, undefined));
  expect(taken.map(({ names }) => names.plural).sort()).toEqual(['deviceclasses', 'resourceclaims', 'resourceclaimtemplates']);
  const [first] = taken;
  assert(first !== undefined);
  expect(jobs.takes(first, bodyOf('{}'), long.bytes)).toBe(true);
  expect(jobs.takes(first, bodyOf(JSON.stringify({ a: 'x'.repeat(2_000) })), undefined)).toBe(false);
});
