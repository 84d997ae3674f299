import { afterAll, afterEach, beforeAll } from 'vitest';
import { type ClusterOptions, LocalCluster } from './cluster.ts';

/** A cluster for all tests of a file: started before the first, stopped after the last, with logs shown when one fails. */
export function useCluster(options: ClusterOptions = {}): () => LocalCluster {
  let cluster: LocalCluster | undefined;
  const require = (): LocalCluster => {
    if (cluster === undefined) throw new Error('the cluster did not start');
    return cluster;
  };
  beforeAll(async () => {
    cluster = await LocalCluster.start(options);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`\n----- ${task.name}\n${await require().logs()}\n-----\n`);
  });
  afterAll(async () => {
    await cluster?.stop();
  });
  return require;
}
