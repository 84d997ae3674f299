// What the package offers to tests, as it is built: a program that imports nothing else.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('coxswain/testing starts a cluster without the sources, and lets the program end', async () => {
  const program = `
    import { startCluster } from ${JSON.stringify(join(import.meta.dirname, '../../../dist/testing.js'))};
    await using cluster = await startCluster({ nodes: 1 });
    console.log(cluster.kubeconfig.includes(cluster.url));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout).toBe('true\n');
});
