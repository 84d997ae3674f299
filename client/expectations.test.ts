import { describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { Expectations } from './expectations.ts';

describe('Expectations', () => {
  test('creations are awaited one by one', () => {
    const expectations = new Expectations(new FakeClock());
    expect(expectations.isSatisfied('a/rs')).toBe(true);
    expectations.expectCreations('a/rs', 2);
    expectations.creationSeen('a/rs');
    expectations.creationSeen('a/other');
    expect(expectations.isSatisfied('a/rs')).toBe(false);
    expectations.creationSeen('a/rs');
    expect(expectations.isSatisfied('a/rs')).toBe(true);
  });

  test('a deletion seen twice counts once', () => {
    const expectations = new Expectations(new FakeClock());
    expectations.expectDeletions('a/rs', ['x', 'y']);
    expectations.deletionSeen('a/rs', 'x');
    expectations.deletionSeen('a/rs', 'x');
    expectations.deletionSeen('a/rs', 'z');
    expect(expectations.isSatisfied('a/rs')).toBe(false);
    expectations.deletionSeen('a/rs', 'y');
    expect(expectations.isSatisfied('a/rs')).toBe(true);
  });

  test('after five minutes the cache is believed', async () => {
    const clock = new FakeClock();
    const expectations = new Expectations(clock);
    expectations.expectCreations('a/rs', 1);
    await clock.advance(300_000);
    expect(expectations.isSatisfied('a/rs')).toBe(false);
    await clock.advance(1);
    expect(expectations.isSatisfied('a/rs')).toBe(true);
  });

  test('forgets with the parent', () => {
    const expectations = new Expectations(new FakeClock());
    expectations.expectCreations('a/rs', 1);
    expectations.forget('a/rs');
    expect(expectations.isSatisfied('a/rs')).toBe(true);
  });
});
