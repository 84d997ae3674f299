import { describe, expect, test } from 'vitest';
import { type Action, EventSeries } from './event-series.ts';

const startMs = Date.UTC(2026, 0, 1);
const failed: Action = {
  regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'a', name: 'web', uid: 'u1', resourceVersion: '7' },
  type: 'Warning',
  reason: 'FailedScheduling',
  action: 'Scheduling',
  note: 'no room',
  reportingController: 'default-scheduler',
  reportingInstance: 'default-scheduler-host',
};

describe('EventSeries', () => {
  test('writes the first, starts a series with the second, then only counts', () => {
    const series = new EventSeries();
    expect(series.observe(failed, startMs)).toMatchObject({
      kind: 'send',
      patch: undefined,
      event: { eventTime: '2026-01-01T00:00:00.000000Z', note: 'no room', action: 'Scheduling', metadata: { namespace: 'a' } },
    });
    expect(series.observe(failed, startMs + 1_500)).toMatchObject({
      patch: { series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.500000Z' } },
    });
    expect(series.observe(failed, startMs + 2_000)).toEqual({ kind: 'none' });
    expect(series.observe({ ...failed, reason: 'Scheduled' }, startMs)).toMatchObject({ patch: undefined });
  });

  test('a series that ended is written once more and begins anew', () => {
    const series = new EventSeries();
    for (let at = 0; at < 5; at++) series.observe(failed, startMs + at);
    expect(series.sweep(startMs + 300_000)).toEqual([]);
    expect(series.sweep(startMs + 400_000)).toMatchObject([{ patch: { series: { count: 5 } } }]);
    expect(series.sweep(startMs + 900_000)).toEqual([]);
    expect(series.observe(failed, startMs + 900_000)).toMatchObject({ patch: undefined });
  });

  test('a long series is written every half hour', () => {
    const series = new EventSeries();
    for (let minute = 0; minute <= 32; minute++) series.observe(failed, startMs + minute * 60_000);
    expect(series.sweep(startMs + 32 * 60_000)).toMatchObject([{ patch: { series: { count: 33 } } }]);
    expect(series.sweep(startMs + 33 * 60_000)).toEqual([]);
  });
});
