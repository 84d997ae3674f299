// A worker that loses its power, or its network: its pods are replaced elsewhere, nothing runs twice under one name, and it comes back. The times are
// those of docs/guides/fast-failover.md.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDemoImages } from '#cli/demo/images.ts';
import { EngineRecord } from '#test/chaos/history/engine-record.ts';
import { checkRuns, starts } from '#test/chaos/history/runs.ts';
import { NamedPods } from '#test/chaos/named-pods.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { until } from './cluster.ts';
import { deploymentManifest, fastFailover } from './manifests.ts';

const hello = join(import.meta.dirname, '../../cli/demo/hello.mjs');
const workers = ['host2', 'host3'];
let fleet: Fleet;
let record: EngineRecord;
let named: NamedPods;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 1, workers: 2, cluster: fastFailover });
  await Promise.all(workers.map((name) => buildDemoImages(fleet.host(name).dockerSocket, hello, () => undefined)));
  record = await EngineRecord.follow(workers.map((name) => fleet.host(name)));
  await kubectl('apply -f -', JSON.stringify(deploymentManifest('web', 4)));
  named = new NamedPods(fleet, 4);
  await kubectl('rollout status deployment/web --timeout=90s');
  await until('pods with names of their own are ready', () => named.areReady(), 90_000);
});
afterAll(async () => {
  await named[Symbol.asyncDispose]();
  await record[Symbol.asyncDispose]();
  await fleet.stop();
});

async function kubectl(words: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await fleet.kubectl(words.split(' '), { timeoutMs: 120_000, ...(input === undefined ? {} : { input }) });
  if (code !== 0) throw new Error(`kubectl ${words}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

interface Seen {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly ready: boolean;
}

async function pods(): Promise<readonly Seen[]> {
  const path =
    '{range .items[*]}{.metadata.name} {.metadata.uid} {.spec.nodeName} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const { stdout } = await fleet.kubectl(['get', 'pods', '-l', 'app=web', '-o', `jsonpath=${path}`]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', uid = '', node = '', ready = ''] = line.split(' ');
      return { name, uid, node, ready: ready === 'True' };
    });
}

/** Uids of the pods whose containers run on a host. */
async function running(name: string): Promise<readonly string[]> {
  const format = '{{.Label "io.kubernetes.pod.uid"}}';
  const filter = '--filter label=io.kubernetes.container.name=hello';
  return (await fleet.host(name).sh(`docker ps ${filter} --format '${format}'`)).split('\n').filter((line) => line !== '');
}

async function allOn(node: string): Promise<void> {
  await until(
    `four pods are ready on ${node}`,
    async () => (await pods()).filter((pod) => pod.node === node && pod.ready).length === 4,
    120_000,
  );
}

/** Every pod that runs is one that the API knows on that node, once. */
async function settled(): Promise<void> {
  await until(
    'what runs is what should run',
    async () => {
      const known = await pods();
      for (const name of workers) {
        const expected = known.filter(({ node }) => node === name).map(({ uid }) => uid);
        if (JSON.stringify((await running(name)).toSorted()) !== JSON.stringify(expected.toSorted())) return false;
      }
      return known.length === 4 && known.every(({ ready }) => ready);
    },
    120_000,
  );
}

async function isReady(name: string): Promise<boolean> {
  return / Ready /.test(await kubectl(`get node ${name} --no-headers`));
}

test('pods of a worker that lost its power are replaced, and gone when it is back', async () => {
  expect(new Set((await pods()).map(({ node }) => node))).toEqual(new Set(workers));
  const before = (await pods()).filter(({ node }) => node === 'host3').map(({ uid }) => uid);
  await fleet.powerOff('host3');
  await allOn('host2');
  await fleet.powerOn('host3');
  await until('host3 is Ready again', () => isReady('host3'), 60_000);
  await settled();
  expect((await running('host3')).filter((uid) => before.includes(uid))).toEqual([]);
});

test('pods of a worker that is cut off are replaced, and end when it hears of it', async () => {
  await kubectl('rollout restart deployment/web');
  await kubectl('rollout status deployment/web --timeout=90s');
  await settled();
  const node = (await pods())[0]?.node ?? '';
  const lost = (await pods()).filter((pod) => pod.node === node).map(({ uid }) => uid);
  fleet.cut(node);
  await allOn(workers.find((name) => name !== node) ?? '');
  // It serves on, for all that it knows: nobody may take over its pods' names or addresses, and nobody does.
  expect([...(await running(node))].sort()).toEqual([...lost].sort());
  fleet.heal(node);
  await until(`${node} is Ready again`, () => isReady(node), 60_000);
  await settled();
  expect((await running(node)).filter((uid) => lost.includes(uid))).toEqual([]);
});

test('no container of a pod ran twice at a time under its name', async () => {
  await until('pods with names of their own are ready', () => named.areReady(), 120_000);
  const counts = starts(record.runs);
  const times = named.names.map((name) => counts.get(`default/${name}/main`) ?? 0);
  // Each worker has one of them at least, and was lost once, or one of them twice.
  expect(
    times.every((count) => count >= 1),
    String(times),
  ).toBe(true);
  expect(times.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(named.names.length + 2);
  expect(checkRuns(record.runs)).toEqual([]);
});

test('one that does is seen', async () => {
  await using own = await EngineRecord.follow(workers.map((name) => fleet.host(name)));
  const { host = '', uid = '' } = own.runs.find(({ pod, endMs }) => pod === 'db-0' && endMs === undefined) ?? {};
  const labels = Object.entries({ name: 'db-0', namespace: 'default', uid }).map(
    ([key, value]) => `--label io.kubernetes.pod.${key}=${value}`,
  );
  const words = `-d --rm --network none --label io.kubernetes.container.name=main ${labels.join(' ')} coxswain/busybox:1 true`;
  const second = (await fleet.host(workers.find((name) => name !== host) ?? '').sh(`docker run ${words}`)).trim();
  const isOver = (): boolean => own.runs.some(({ id, endMs }) => id === second && endMs !== undefined);
  await until('the second one has come and gone', () => Promise.resolve(isOver()));
  expect(checkRuns(own.runs)).toEqual([expect.stringContaining('default/db-0/main ran twice')]);
});
