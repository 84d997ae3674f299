import { expect, test } from 'vitest';
import { Semaphore } from './semaphore.ts';

test('two at a time, in the order in which they came, failures too', async () => {
  const semaphore = new Semaphore(2);
  const running: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const ended = ['a', 'b', 'c', 'd'].map((name) =>
    semaphore
      .run(async () => {
        running.push(name);
        const gate = Promise.withResolvers<void>();
        gates.set(name, gate);
        await gate.promise;
        return name;
      })
      .catch((error: Error) => error.message),
  );
  expect(running).toEqual(['a', 'b']);
  gates.get('b')?.reject(new Error('no'));
  expect(await ended[1]).toBe('no');
  expect(running).toEqual(['a', 'b', 'c']);
  gates.get('a')?.resolve();
  expect(await ended[0]).toBe('a');
  expect(running).toEqual(['a', 'b', 'c', 'd']);
  for (const gate of gates.values()) gate.resolve();
  expect(await Promise.all(ended)).toEqual(['a', 'no', 'c', 'd']);
});
