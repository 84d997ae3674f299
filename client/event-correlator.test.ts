import { describe, expect, test } from 'vitest';
import { EventCorrelator, type Occurrence } from './event-correlator.ts';

const startMs = Date.UTC(2026, 0, 1);
const about = { apiVersion: 'v1', kind: 'Pod', namespace: 'a', name: 'web', uid: 'u1' };
const back: Occurrence = { about, type: 'Warning', reason: 'BackOff', message: 'm', component: 'kubelet', host: 'n1' };

describe('EventCorrelator', () => {
  test('the first is created whole', () => {
    const result = new EventCorrelator().correlate(back, startMs);
    expect(result).toMatchObject({
      kind: 'send',
      patch: undefined,
      event: {
        metadata: { namespace: 'a' },
        involvedObject: about,
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        source: { component: 'kubelet', host: 'n1' },
        reportingComponent: 'kubelet',
        type: 'Warning',
        reason: 'BackOff',
        message: 'm',
      },
    });
    expect(result.kind === 'send' && (result.event as { metadata: { name: string } }).metadata.name).toMatch(/^web\.[0-9a-f]{16}$/);
  });

  test('the same again counts up the first', () => {
    const correlator = new EventCorrelator();
    const first = correlator.correlate(back, startMs);
    const second = correlator.correlate(back, startMs + 61_000);
    expect(second).toMatchObject({ patch: { count: 2, lastTimestamp: '2026-01-01T00:01:01Z', message: 'm' } });
    expect(nameIn(second)).toBe(nameIn(first));
    expect(second).toMatchObject({ event: { count: 2, firstTimestamp: '2026-01-01T00:00:00Z' } });
  });

  test('another message, container or object is another event', () => {
    const correlator = new EventCorrelator();
    const others: Occurrence[] = [
      back,
      { ...back, message: 'n' },
      { ...back, about: { ...about, fieldPath: 'spec.containers{c}' } },
      { ...back, about: { ...about, uid: 'u2' } },
    ];
    const names = others.map((one) => nameIn(correlator.correlate(one, startMs)));
    expect(new Set(names).size).toBe(4);
  });

  test('ten that differ only in their words become one combined event', () => {
    const correlator = new EventCorrelator();
    const sent = Array.from({ length: 12 }, (_, at) => correlator.correlate({ ...back, message: `m${at}` }, startMs + at));
    expect(sent[8]).toMatchObject({ event: { message: 'm8', count: 1 } });
    expect(sent[9]).toMatchObject({ event: { message: '(combined from similar events): m9', count: 1 }, patch: undefined });
    expect(sent[11]).toMatchObject({ patch: { count: 3, message: '(combined from similar events): m11' } });
    expect(nameIn(sent[11])).toBe(nameIn(sent[9]));
    // Ten quiet minutes later they are told apart again.
    expect(correlator.correlate({ ...back, message: 'x' }, startMs + 700_000)).toMatchObject({ event: { message: 'x' } });
  });

  test('25 at once about an object, then one every five minutes', () => {
    const correlator = new EventCorrelator();
    const kinds = Array.from({ length: 30 }, () => correlator.correlate(back, startMs).kind);
    expect(kinds.filter((kind) => kind === 'send')).toHaveLength(25);
    expect(correlator.correlate(back, startMs + 299_000).kind).toBe('drop');
    // Dropped ones are counted.
    expect(correlator.correlate(back, startMs + 301_000)).toMatchObject({ patch: { count: 32 } });
    expect(correlator.correlate(back, startMs + 302_000).kind).toBe('drop');
    expect(correlator.correlate({ ...back, about: { ...about, uid: 'other' } }, startMs).kind).toBe('send');
  });
});

function nameIn(result: unknown): string {
  return (result as { event: { metadata: { name: string } } }).event.metadata.name;
}
