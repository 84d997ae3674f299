import { expect, test } from 'vitest';
import { StartHooks } from './start-hooks.ts';

test('within the grace /livez takes what is not done for done, other pages do not', async () => {
  const hooks = new StartHooks();
  let grace = true;
  const done = Promise.withResolvers<void>();
  const service = hooks.of({ name: 's', run: (_signal, ready) => done.promise.then(ready) }, 'bootstrap-controller');
  const run = service.run(new AbortController().signal, () => undefined);
  const pages = (): (true | string | Promise<true | string>)[] => {
    const check = hooks.checks(() => grace).find(({ name }) => name === 'poststarthook/bootstrap-controller');
    return (['livez', 'healthz', 'readyz'] as const).map((page) => check?.check(page) ?? 'no such check');
  };
  expect(pages()).toEqual([true, 'not finished', 'not finished']);
  grace = false;
  expect(pages()).toEqual(['not finished', 'not finished', 'not finished']);
  done.resolve();
  await run;
  expect(pages()).toEqual([true, true, true]);
});
