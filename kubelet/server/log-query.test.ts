import { describe, expect, it } from 'vitest';
import { parseLogQuery } from './log-query.ts';

const nowMs = Date.UTC(2026, 0, 1);

function parse(query: string): object {
  return parseLogQuery(new URLSearchParams(query), nowMs);
}

describe('parseLogQuery', () => {
  it.each<[string, object]>([
    ['', { previous: false, options: { follow: false, timestamps: false, stream: 'All' } }],
    ['follow=true&previous=1&timestamps=', { previous: true, options: { follow: true, timestamps: true } }],
    ['follow=False', { options: { follow: false } }],
    ['tailLines=0&limitBytes=5', { options: { tailLines: 0, limitBytes: 5 } }],
    ['tail=3', { options: { tailLines: 3 } }],
    ['sinceSeconds=60', { options: { sinceMs: nowMs - 60_000 } }],
    ['sinceTime=2025-12-31T23:00:00Z', { options: { sinceMs: nowMs - 3_600_000 } }],
    ['stream=Stderr', { options: { stream: 'Stderr' } }],
  ])('%s', (query, wanted) => {
    expect(parse(query)).toMatchObject(wanted);
  });

  it.each<[string, number]>([
    ['tailLines=x', 400],
    ['sinceTime=yesterday', 400],
    ['tailLines=-1', 422],
    ['limitBytes=0', 422],
    ['sinceSeconds=0', 422],
    ['sinceSeconds=1&sinceTime=2025-12-31T23:00:00Z', 422],
    ['stream=both', 422],
    ['stream=Stdout&tailLines=1', 422],
  ])('refuses %s with %i', (query, status) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ status }));
  });
});
