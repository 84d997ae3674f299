import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { megabytes } from '../figure.ts';
import { pssMegabytes } from '../process-usage.ts';

const settleMs = 5_000;

/** What the API server and its store take, a few seconds after the last request. */
export const memory: Bench = {
  name: 'memory',
  about: 'PSS of API server and store, empty and with 26,800 pods',
  async *run(context) {
    {
      await using server = await context.emptyServer('memory');
      await sleep(settleMs);
      yield { what: 'memory of API server + store, empty', ours: megabytes(pssMegabytes(server.pid)), target: megabytes(100) };
    }
    const server = await context.filledServer();
    await sleep(settleMs);
    const what = `memory of API server + store, ${context.manyPods} pods`;
    yield { what, ours: megabytes(pssMegabytes(server.pid)), target: megabytes(600) };
  },
};
