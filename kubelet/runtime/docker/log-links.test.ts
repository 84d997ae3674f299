import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { InspectedContainer } from './inspection.ts';
import { collectorName, linkLog, unlinkLog } from './log-links.ts';
import { encodeLabels, logPathLabel } from './names.ts';

const id = 'ab'.repeat(32);
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'links-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function started(logPath: string | undefined): InspectedContainer {
  const pod = { name: 'p', namespace: 'ns', uid: 'u' };
  const extra: Record<string, string> = logPath === undefined ? {} : { [logPathLabel]: logPath };
  const Labels = encodeLabels({ cluster: 'c', kind: 'container', pod, container: 'main', attempt: 0, extra });
  return { Id: id, LogPath: '/engine/id-json.log', Config: { Labels } } as unknown as InspectedContainer;
}

test('a log is found by its pod, and by a name that says all', async () => {
  const byPod = join(root, 'pods/ns_p_u/main/0.log');
  const containers = join(root, 'containers');
  for (let starts = 0; starts < 2; starts++) await linkLog(started(byPod), containers);
  expect(await readlink(byPod)).toBe('/engine/id-json.log');
  expect(await readdir(containers)).toEqual([`p_ns_main-${id}.log`]);
  expect(await readlink(join(containers, `p_ns_main-${id}.log`))).toBe(byPod);
  await unlinkLog(started(byPod), containers);
  expect(await readdir(containers)).toEqual([]);
  expect(await readdir(join(root, 'pods/ns_p_u/main'))).toEqual([]);
});

test('a log without a place gets no link', async () => {
  await linkLog(started(undefined), root);
  await unlinkLog(started(undefined), root);
  expect(await readdir(root)).toEqual([]);
});

test('a name is no longer than a file’s name may be', () => {
  const name = collectorName({ name: 'p'.repeat(253), namespace: 'ns' }, 'main', id);
  expect(name).toBe(`${'p'.repeat(251)}.log`);
});
