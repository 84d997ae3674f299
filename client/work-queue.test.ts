import { describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

const never = new AbortController().signal;

async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) keys.push(await queue.take(never));
  return keys;
}

describe('WorkQueue', () => {
  test('hands out each waiting key once, first come first served', async () => {
    const queue = new WorkQueue({ clock: new FakeClock() });
    for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key);
    expect(await takeAll(queue)).toEqual(['b', 'a', 'c']);
  });

  test('a key added while it is worked on comes again afterwards, once, and never to two workers', async () => {
    const queue = new WorkQueue({ clock: new FakeClock() });
    queue.add('a');
    expect(await queue.take(never)).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.finish('a');
    expect(await takeAll(queue)).toEqual(['a']);
    queue.finish('a');
    expect(queue.depth).toBe(0);
  });

  test('a waiting worker gets the next key; an aborted one leaves it for others', async () => {
    const queue = new WorkQueue({ clock: new FakeClock() });
    const gone = new AbortController();
    const first = queue.take(gone.signal);
    const second = queue.take(never);
    gone.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    queue.add('a');
    expect(await second).toBe('a');
    await expect(queue.take(gone.signal)).rejects.toThrow('gone');
  });

  test('delays: the earliest counts, and time alone lets keys in', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock });
    const stop = new AbortController();
    const running = queue.run(stop.signal);
    queue.addAfter('late', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 3_000);
    queue.addAfter('b', 3_000);
    queue.addAfter('b', 500);
    queue.addAfter('now', 0);
    expect(await takeAll(queue)).toEqual(['now']);
    await clock.advance(499);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await takeAll(queue)).toEqual(['b']);
    await clock.advance(500);
    expect(await takeAll(queue)).toEqual(['a']);
    queue.finish('a');
    queue.finish('b');
    await clock.advance(3_000);
    expect(queue.depth).toBe(0);
    await clock.advance(1_000);
    expect(await takeAll(queue)).toEqual(['late']);
    stop.abort();
    await running;
    expect(clock.pending).toBe(0);
  });

  test('failures wait 5 ms, doubled each time up to 1000 s, until forgotten', () => {
    const queue = new WorkQueue({ clock: new FakeClock() });
    const delays = Array.from({ length: 20 }, () => queue.addFailed('a'));
    expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(delays.slice(-2)).toEqual([1_000_000, 1_000_000]);
    expect(queue.failuresOf('a')).toBe(20);
    queue.forget('a');
    expect(queue.addFailed('a')).toBe(5);
  });

  test('tells its observer', async () => {
    const seen: string[] = [];
    const clock = new FakeClock();
    const queue = new WorkQueue({
      clock,
      observe: {
        added: (depth) => seen.push(`added ${depth}`),
        taken: (depth, waitedMs) => seen.push(`taken ${depth} ${waitedMs}`),
        finished: (workedMs) => seen.push(`finished ${workedMs}`),
        retried: () => seen.push('retried'),
      },
    });
    queue.add('a');
    await clock.advance(20);
    await queue.take(never);
    await clock.advance(30);
    expect([...queue.processingSince]).toEqual([20]);
    queue.addFailed('a');
    queue.finish('a');
    expect(seen).toEqual(['added 1', 'taken 0 20', 'retried', 'finished 30']);
  });
});
