import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { ApiError } from '#api/meta/status.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { aBody, aContext, aKind, startRegistry } from '../../registry/testing.ts';
import { Buckets } from './buckets.ts';
import { type EventLimit, eventRateLimit, type LimitType } from './plugin.ts';

describe('a bucket', () => {
  test('gives its burst at once, then as much as comes back', async () => {
    const clock = new FakeClock();
    const buckets = new Buckets({ perSecond: 2, burst: 3 }, 8, clock);
    const take = (count: number): boolean[] => Array.from({ length: count }, () => buckets.take('k'));
    expect(take(4)).toEqual([true, true, true, false]);
    await clock.advance(499);
    expect(take(1)).toEqual([false]);
    await clock.advance(1);
    expect(take(2)).toEqual([true, false]);
    await clock.advance(3_600_000);
    expect(take(4)).toEqual([true, true, true, false]);
  });

  test('is forgotten when others were used since, and is full again', () => {
    const buckets = new Buckets({ perSecond: 1, burst: 1 }, 2, new FakeClock());
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map((key) => buckets.take(key))).toEqual([true, true, false, true, false, true]);
  });
});

interface Sent {
  readonly namespace?: string;
  readonly user?: string;
  readonly object?: string;
  readonly group?: string;
}

/** What events come to, sent at once. */
async function sendAll(limits: readonly EventLimit[], sent: readonly Sent[]): Promise<string[]> {
  const clock = new FakeClock();
  await using running = await startRegistry({ kinds: builtinKinds, admission: [eventRateLimit(limits, clock)], clock });
  const answers: string[] = [];
  for (const [at, { namespace = 'default', user = 'u', object = 'o', group = '' }] of sent.entries()) {
    const core = {
      apiVersion: 'v1',
      involvedObject: { kind: 'Pod', namespace, name: object },
      source: { component: 'c', host: 'h' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
    };
    const newer = {
      apiVersion: 'events.k8s.io/v1',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/c',
      reportingInstance: 'i',
      action: 'a',
      reason: 'r',
      type: 'Normal',
      regarding: { kind: 'Pod', namespace, name: object },
    };
    const body = aBody({ kind: 'Event', metadata: { name: `e${at}` }, ...(group === '' ? core : newer) });
    const answer = await running.registry
      .create(aKind('events', group), body, aContext({ namespace, user: { name: user, groups: [] } }))
      .then(
        () => 'made',
        (error: unknown) => `${(error as ApiError).code} ${(error as ApiError).message}`,
      );
    answers.push(answer);
  }
  return answers;
}

const limit = (type: LimitType, burst = 1): EventLimit => ({ type, perSecond: 1, burst, cacheSize: 10 });
const reached = (type: LimitType, key: string): string => `429 Too many requests: limit reached on type ${type} for key ${key}`;

test.each<[string, EventLimit[], Sent[], string[]]>([
  ['the server', [limit('Server', 2)], [{}, { namespace: 'a' }, { user: 'b' }], ['made', 'made', reached('Server', '')]],
  ['a namespace', [limit('Namespace')], [{}, { namespace: 'a' }, { user: 'b' }], ['made', 'made', reached('Namespace', 'default')]],
  ['a user', [limit('User')], [{}, { user: 'b' }, { namespace: 'a' }], ['made', 'made', reached('User', 'u')]],
  [
    'a source and its object',
    [limit('SourceAndObject')],
    [{}, { object: 'p' }, { user: 'b' }],
    ['made', 'made', reached('SourceAndObject', 'chPoddefaulto')],
  ],
  [
    'several, each asked each time',
    [limit('Server'), limit('User')],
    [{}, { user: 'b' }, { user: 'b' }],
    ['made', reached('Server', ''), '429 Too many requests: [limit reached on type Server for key , limit reached on type User for key b]'],
  ],
  ['not those of the newer group', [limit('Server')], [{}, { group: 'events.k8s.io' }], ['made', 'made']],
])('events are limited by %s', async (_name, limits, sent, wanted) => {
  expect(await sendAll(limits, sent)).toEqual(wanted);
});
