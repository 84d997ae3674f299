import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '#base/log.ts';
import { aContainer, aPod } from '../testing.ts';
import { Cgroups } from './cgroups.ts';
import { hugePageLimits } from './huge-pages.ts';

let mount: string;
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'cgroups-'));
});
afterEach(() => rm(mount, { recursive: true, force: true }));

const asks = (name: string, amounts: Record<string, string>): ReturnType<typeof aContainer> =>
  aContainer(name, { resources: { requests: { cpu: '1', ...amounts }, limits: amounts } });
const mi = 2 ** 20;
const pod = aPod({
  initContainers: [asks('i', { 'hugepages-2Mi': '8Mi' })],
  containers: [asks('a', { 'hugepages-2Mi': '4Mi' }), asks('b', { 'hugepages-2Mi': '6Mi', 'hugepages-1Gi': '1Gi' })],
});

test('what a pod may take is what it asks for at most at a time', () => {
  expect(Object.fromEntries(hugePageLimits(pod))).toEqual({ [2 * mi]: 10 * mi, [1_024 * mi]: 1_024 * mi });
  expect(hugePageLimits(aPod())).toEqual(new Map());
  const whole = aPod({ ...pod.spec, resources: { limits: { 'hugepages-2Mi': '20Mi' } } });
  expect(hugePageLimits(whole).get(2 * mi)).toBe(20 * mi);
});

test.each<[version: 1 | 2, hierarchy: string, file: string]>([
  [1, 'hugetlb', 'limit_in_bytes'],
  [2, '', 'max'],
])('its cgroup holds it to that, and to none of another size: version %i', async (version, hierarchy, file) => {
  const folder = join(mount, hierarchy, 'kubepods/burstable/podu');
  await mkdir(folder, { recursive: true });
  for (const size of ['2MB', '1GB', '32MB']) await writeFile(join(folder, `hugetlb.${size}.${file}`), 'unset');
  if (version === 2)
    for (const at of ['', 'kubepods', 'kubepods/besteffort', 'kubepods/burstable', 'kubepods/burstable/podu']) await offers(at);
  await new Cgroups({ enabled: true, root: '/', version, refusal: undefined, nodeCpuMillis: 2_000, mount, log: silentLog }).create(pod);
  const found = await Promise.all(['2MB', '1GB', '32MB'].map((size) => readFile(join(folder, `hugetlb.${size}.${file}`), 'utf8')));
  expect(found).toEqual([String(10 * mi), String(1_024 * mi), '0']);
});

test('where the kernel counts none, none is limited', async () => {
  await new Cgroups({ enabled: true, root: '/', version: 1, refusal: undefined, nodeCpuMillis: 2_000, mount, log: silentLog }).create(pod);
  await expect(readFile(join(mount, 'hugetlb'))).rejects.toThrow(/ENOENT/);
});

/** As the kernel lists them in every folder. */
async function offers(at: string): Promise<void> {
  await mkdir(join(mount, at), { recursive: true });
  await writeFile(join(mount, at, 'cgroup.controllers'), 'cpu memory hugetlb\n');
}
