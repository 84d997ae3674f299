import type { Bench } from '../bench.ts';
import { median, seconds } from '../figure.ts';
import { startApiServer } from '../servers.ts';

/** From starting the process to /readyz, with an empty store; the compile cache is warm after the first. */
export const ready: Bench = {
  name: 'ready',
  about: 'time from start to /readyz of API server and store',
  async *run({ workshop, bundles, quick }) {
    const times: number[] = [];
    for (let round = 0; round < (quick ? 3 : 7); round++) {
      await using server = await startApiServer(workshop, { bundles, data: `ready-${round}` });
      if (round > 0) times.push(server.readyMs / 1_000);
    }
    yield { what: 'API server + store answering /readyz', ours: seconds(median(times)), target: seconds(0.5) };
  },
};
