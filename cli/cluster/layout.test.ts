import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClusterConfig, Layout } from './layout.ts';

const config: ClusterConfig = {
  name: 'here',
  port: 6_443,
  nodeName: 'here',
  nodeIp: '192.0.2.1',
  serviceCidr: '10.96.0.0/16',
  podCidr: '10.244.0.0/16',
  loadBalancerCidr: '10.97.0.0/24',
  dnsIp: '10.96.0.10',
  clusterDomain: 'cluster.local',
};
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-layout-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Does something synchronous with the rights of an ordinary user. */
function asOrdinaryUser<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}

test('says which file an ordinary user may not read, not that there is no cluster', () => {
  const layout = new Layout(folder);
  expect(asOrdinaryUser(() => layout.readConfig())).toBeUndefined();
  layout.writeConfig(config);
  chmodSync(layout.config, 0);
  expect(() => asOrdinaryUser(() => layout.readConfig())).toThrow(
    `cannot read ${folder}/cluster.json: permission denied; only root may: use sudo`,
  );
  chmodSync(layout.config, 0o644);
  expect(asOrdinaryUser(() => layout.readConfig())).toEqual(config);
});

test('a closed data folder is told from an empty one', () => {
  const layout = new Layout(join(folder, 'closed'));
  layout.create();
  expect(() => asOrdinaryUser(() => layout.readConfig())).toThrow('permission denied');
  expect(layout.readConfig()).toBeUndefined();
});
