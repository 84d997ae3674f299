import { expect, test } from 'vitest';
import type { DiskUse } from '../node/measure.ts';
import { aPod } from '../pods/testing.ts';
import { podPaths } from '../volumes/paths.ts';
import { mountedVolumes } from './mounted-volumes.ts';

test('volumes in memory and on a server are asked themselves; what is not there yet is left out', async () => {
  const volumes = [
    { name: 'disk', emptyDir: {} },
    { name: 'map', configMap: { name: 'm' } },
    { name: 'host', hostPath: { path: '/' } },
    { name: 'ram', emptyDir: { medium: 'Memory' } },
    { name: 'secret', secret: { secretName: 's' } },
    { name: 'token', projected: { sources: [] } },
    { name: 'names', downwardAPI: { items: [] } },
    { name: 'share', nfs: { server: 'h', path: '/' } },
    { name: 'late', secret: { secretName: 'l' } },
  ];
  const use: DiskUse = { totalBytes: 4, availableBytes: 3, totalInodes: 2, freeInodes: 1 };
  const asked: string[] = [];
  const fileSystem = (path: string): Promise<DiskUse> => {
    asked.push(path);
    return path.endsWith('late') ? Promise.reject(new Error('ENOENT')) : Promise.resolve(use);
  };
  const found = await mountedVolumes(aPod({ volumes }), { paths: podPaths('/k'), fileSystem });
  expect(found).toEqual(['ram', 'secret', 'token', 'names', 'share'].map((name) => ({ name, ...use })));
  expect(asked).toContain('/k/pods/u/volumes/kubernetes.io~projected/token');
});
