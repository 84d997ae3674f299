// Whole kubelets over a simulated runtime: what a node runs by itself, with an API server and without.
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { node as nodeKind } from '#api/core/node/node.ts';
import { event } from '#api/core/event/event.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { startTestApiServer } from '#apiserver/testing.ts';
import { MemoryStore } from '#apiserver/storage/memory.ts';
import { connect } from '#client/rest.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { endsAfter } from '../runtime/simulated/program.ts';
import { eventually, startTestCluster, startTestKubelet, type TestCluster, type TestKubelet, testNode } from '../testing.ts';

const { signal } = new AbortController();
let cluster: TestCluster;
let folder: string;
let runtime: SimulatedRuntime;
/** Whether the container of the program `stubborn` was. */
let wasAskedToEnd: boolean;
const kubelets: TestKubelet[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  runtime = new SimulatedRuntime(systemClock, {
    anyImage: true,
    programs: {
      slow: async ({ terminated, killed }) => {
        await terminated;
        for (let turn = 0; turn < 200 && !killed.aborted; turn++) await new Promise((resolve) => setImmediate(resolve));
        return 0;
      },
      stubborn: async ({ terminated, killed }) => {
        await terminated;
        wasAskedToEnd = true;
        if (!killed.aborted) await once(killed, 'abort');
        return 137;
      },
      once: endsAfter(5, 0),
    },
  });
  wasAskedToEnd = false;
});
afterEach(async () => {
  for (const kubelet of kubelets.splice(0)) await kubelet[Symbol.asyncDispose]();
  const { items } = await cluster.client.list(podKind, { namespace: 'default' }, signal);
  for (const { metadata } of items) {
    await cluster.client
      .delete(podKind, { namespace: 'default', name: metadata.name ?? '' }, { gracePeriodSeconds: 0 }, signal)
      .catch(() => undefined);
  }
  await rm(folder, { recursive: true });
});

async function start(
  options: Partial<Parameters<typeof startTestKubelet>[1]> = {},
  api: Pick<TestCluster, 'api'> = cluster,
): Promise<TestKubelet> {
  const staticPods = { path: folder, fileCheckMs: 20_000, url: '', headers: {}, pageCheckMs: 20_000 };
  const kubelet = await startTestKubelet(api, { runtime, config: { staticPods, ...options.config }, ...options });
  kubelets.push(kubelet);
  return kubelet;
}

async function restart(kubelet: TestKubelet): Promise<TestKubelet> {
  await kubelet.kill();
  kubelets.splice(kubelets.indexOf(kubelet), 1);
  return await start({ rootDir: kubelet.rootDir, mounter: kubelet.mounter });
}

const manifest = (name: string, spec: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'app' }], ...spec } });
const command = (word: string): object => ({ containers: [{ name: 'c', image: 'app', command: [word] }] });

/** As editors do: a file of its own takes the place of the old one. */
async function write(name: string, text: string): Promise<void> {
  const hidden = join(folder, `.${name}.tmp`);
  await writeFile(hidden, text);
  await rename(hidden, join(folder, name));
}

const key = (name: string) => ({ namespace: 'default', name: `${name}-${testNode}` });
const fetchMirror = (name: string): Promise<Pod | undefined> => cluster.client.get(podKind, key(name), signal).catch(() => undefined);
const mirrorWhen = (name: string, isSo: (pod: Pod) => boolean, why: string): Promise<Pod> =>
  eventually(async () => {
    const found = await fetchMirror(name);
    return found !== undefined && isSo(found) ? found : undefined;
  }, why);
const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
const running = async (): Promise<string[]> => {
  const pods = await runtime.pods();
  return pods.flatMap(({ pod, containers }) => containers.filter(({ state }) => state === 'running').map(() => pod.uid));
};
const goneFrom = (name: string): Promise<boolean> => eventually(async () => (await fetchMirror(name)) === undefined, 'no mirror');

describe('a static pod', () => {
  test('runs, and is seen in the API as its mirror', async () => {
    await write('web.yaml', manifest('web'));
    await start();
    const mirror = await mirrorWhen('web', isReady, 'a ready mirror');
    const node = await cluster.client.get(nodeKind, { name: testNode }, signal);
    const [uid] = await running();
    expect(mirror.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name: testNode, uid: node.metadata.uid, controller: true },
    ]);
    expect(mirror.metadata.annotations).toMatchObject({
      'kubernetes.io/config.hash': uid,
      'kubernetes.io/config.mirror': uid,
      'kubernetes.io/config.source': 'file',
      'kubernetes.io/config.seen': expect.stringMatching(/^20\d\d-/) as string,
    });
    expect(mirror.metadata.uid).not.toBe(uid);
    expect(mirror.spec.tolerations).toContainEqual({ operator: 'Exists', effect: 'NoExecute' });
    expect(mirror.status).toMatchObject({ phase: 'Running', hostIP: '192.168.7.1', containerStatuses: [{ ready: true, restartCount: 0 }] });
    const events = await eventually(async () => {
      const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.uid=${uid}` }, signal);
      return items.some(({ reason }) => reason === 'Started') ? items : undefined;
    }, 'its events');
    expect(new Set(events.map(({ involvedObject }) => involvedObject.name))).toEqual(new Set([`web-${testNode}`]));
  });

  test('stays when somebody deletes its mirror, which comes back', async () => {
    await write('web.yaml', manifest('web'));
    await start();
    const first = await mirrorWhen('web', isReady, 'a ready mirror');
    const before = await running();
    await cluster.client.delete(podKind, key('web'), {}, signal);
    const second = await mirrorWhen('web', (one) => one.metadata.uid !== first.metadata.uid && isReady(one), 'another mirror');
    expect(second.metadata.deletionTimestamp).toBeUndefined();
    expect(await running()).toEqual(before);
    await cluster.client.delete(podKind, key('web'), { gracePeriodSeconds: 0 }, signal);
    await mirrorWhen('web', (one) => one.metadata.uid !== second.metadata.uid && isReady(one), 'a third mirror');
    expect(await running()).toEqual(before);
  });

  test('is replaced, mirror and all, when its manifest changes, and never runs twice', async () => {
    await write('web.yaml', manifest('web', command('slow')));
    await start();
    const first = await mirrorWhen('web', isReady, 'a ready mirror');
    const [old] = await running();
    let most = 0;
    const ends = new AbortController();
    const watching = (async () => {
      for await (const _ of runtime.events(ends.signal)) most = Math.max(most, (await running()).length);
    })();
    await write('web.yaml', manifest('web', { ...command('slow'), priority: 7 }));
    const second = await mirrorWhen('web', (one) => one.metadata.uid !== first.metadata.uid && isReady(one), 'another mirror');
    ends.abort();
    await watching;
    const now = await running();
    expect(now).toHaveLength(1);
    expect(now).not.toContain(old);
    expect(second.metadata.annotations?.['kubernetes.io/config.mirror']).toBe(now[0]);
    expect(second.spec.priority).toBe(7);
    expect(most).toBe(1);
  });

  test('ends with its manifest, and its mirror after it', async () => {
    await write('web.yaml', manifest('web', command('slow')));
    const kubelet = await start();
    await mirrorWhen('web', isReady, 'a ready mirror');
    await rm(join(folder, 'web.yaml'));
    await goneFrom('web');
    expect(await runtime.pods()).toEqual([]);
    expect(kubelet.mounter.mounted.size).toBe(0);
  });

  test('that comes back as it was while it ends begins anew', async () => {
    await write('web.yaml', manifest('web', command('slow')));
    await start();
    await mirrorWhen('web', isReady, 'a ready mirror');
    const [before] = (await runtime.pods()).flatMap(({ containers }) => containers.map(({ id }) => id));
    await rm(join(folder, 'web.yaml'));
    await write('other.yaml', manifest('other'));
    await mirrorWhen('other', isReady, 'the manifests to be read');
    await write('web.yaml', manifest('web', command('slow')));
    await eventually(async () => {
      const all = await runtime.pods();
      const ids = all.flatMap(({ containers }) => containers.filter(({ state }) => state === 'running').map(({ id }) => id));
      return ids.length === 2 && !ids.includes(before ?? '');
    }, 'a new container');
    await mirrorWhen('web', isReady, 'a ready mirror');
  });

  test('is adopted by the next kubelet as it runs, whose mirror keeps its start', async () => {
    await write('web.yaml', manifest('web'));
    const kubelet = await start();
    const first = await mirrorWhen('web', isReady, 'a ready mirror');
    const before = (await runtime.pods()).flatMap(({ containers }) => containers.map(({ id }) => id));
    await restart(kubelet);
    await write('next.yaml', manifest('next'));
    await mirrorWhen('next', isReady, 'the next kubelet');
    const after = await mirrorWhen('web', isReady, 'a ready mirror');
    const { uid } = after.metadata;
    expect(uid).toBe(first.metadata.uid);
    expect(after.status?.startTime).toBe(first.status?.startTime);
    expect((await runtime.pods()).flatMap(({ containers }) => containers.map(({ id }) => id))).toEqual(expect.arrayContaining(before));
  });

  test('whose manifest went while no kubelet ran ends with the next, as does its mirror', async () => {
    await write('web.yaml', manifest('web'));
    const kubelet = await start();
    await mirrorWhen('web', isReady, 'a ready mirror');
    await kubelet.kill();
    kubelets.splice(0);
    await rm(join(folder, 'web.yaml'));
    await start({ rootDir: kubelet.rootDir, mounter: kubelet.mounter });
    await goneFrom('web');
    await eventually(async () => (await runtime.pods()).length === 0, 'its containers to go');
  });

  test('that comes back as it was while the next kubelet ends it begins anew', async () => {
    await write('web.yaml', manifest('web', command('stubborn')));
    const kubelet = await start();
    await mirrorWhen('web', isReady, 'a ready mirror');
    const before = await running();
    const first = (await runtime.pods()).flatMap(({ containers }) => containers.map(({ id }) => id));
    await kubelet.kill();
    kubelets.splice(0);
    await write('web.yaml', manifest('web', command('slow')));
    await start({ rootDir: kubelet.rootDir, mounter: kubelet.mounter });
    await eventually(async () => wasAskedToEnd, 'the former pod to end');
    await write('web.yaml', manifest('web', command('stubborn')));
    await eventually(async () => {
      const pods = (await runtime.pods()).filter(({ pod }) => before.includes(pod.uid));
      return pods.some(({ containers }) => containers.some(({ state, id }) => state === 'running' && !first.includes(id)));
    }, 'the pod again, in a new container');
    await mirrorWhen('web', isReady, 'a ready mirror');
  });

  test('that is done stays done', async () => {
    await write('once.yaml', manifest('once', { ...command('once'), restartPolicy: 'Never' }));
    await start();
    await mirrorWhen('once', ({ status }) => status?.phase === 'Succeeded', 'its end');
  });

  test('is not what somebody claims in the API', async () => {
    await start();
    const metadata = { name: 'liar', namespace: 'default', annotations: { 'kubernetes.io/config.source': 'file' } };
    const spec = { nodeName: testNode, containers: [{ name: 'c', image: 'app' }] };
    await cluster.client.create(podKind, { metadata, spec }, {}, signal);
    await eventually(async () => isReady(await cluster.client.get(podKind, { namespace: 'default', name: 'liar' }, signal)), 'it to run');
    await cluster.client.delete(podKind, { namespace: 'default', name: 'liar' }, {}, signal);
    await eventually(async () => (await runtime.pods()).length === 0, 'its end');
  });

  test('mirrors that show nothing go', async () => {
    await start();
    const metadata = { ...key('ghost'), annotations: { 'kubernetes.io/config.mirror': 'x' } };
    const spec = { nodeName: testNode, containers: [{ name: 'c', image: 'app' }] };
    await cluster.client.create(podKind, { metadata, spec }, {}, signal);
    await goneFrom('ghost');
    expect(await runtime.pods()).toEqual([]);
  });
});

test('static pods start, change and end while no API server can be reached, and are seen in it when it comes', async () => {
  const store = new MemoryStore({ clock: systemClock });
  const admissionPlugins = ['NamespaceLifecycle', 'NodeRestriction'] as const;
  const first = await startTestApiServer({ admissionPlugins, store });
  const api = { api: first };
  const { ca, port } = first;
  await first.stop();
  await write('a.yaml', manifest('a'));
  await start({}, api);
  const [one] = await eventually(async () => ((await running()).length === 1 ? await running() : undefined), 'a pod');
  await write('a.yaml', manifest('a', { priority: 7 }));
  const [two] = await eventually(async () => {
    const now = await running();
    return now.length === 1 && now[0] !== one ? now : undefined;
  }, 'its successor');
  // Changed while no kubelet ran: what it said before ends first, though nobody can tell yet what the API wants.
  const before = kubelets.splice(0)[0];
  await before?.kill();
  await write('a.yaml', manifest('a', { priority: 8 }));
  await start(before === undefined ? {} : { rootDir: before.rootDir, mounter: before.mounter }, api);
  const [three] = await eventually(async () => {
    const now = await running();
    return now.length === 1 && now[0] !== two ? now : undefined;
  }, 'the third one');
  const second = await startTestApiServer({ admissionPlugins, store, ca, port });
  const client = connect(second.adminClientConfig, { clock: systemClock, component: 'test' });
  const mirror = await eventually(async () => {
    const found = await client.get(podKind, key('a'), signal).catch(() => undefined);
    return found !== undefined && isReady(found) ? found : undefined;
  }, 'its mirror');
  expect(mirror.metadata.annotations?.['kubernetes.io/config.hash']).toBe(three);
  await kubelets.splice(0)[0]?.[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
  await second.stop();
  await store[Symbol.asyncDispose]();
});

describe('a node that belongs to no cluster', () => {
  test('runs what its manifests say, again where it ends, and tells nobody', async () => {
    const config = { isStandalone: true, staticPods: { path: folder, fileCheckMs: 20_000, url: '', headers: {}, pageCheckMs: 20_000 } };
    const ids = async (): Promise<string[]> =>
      (await runtime.pods()).flatMap(({ containers }) => containers.filter(({ state }) => state === 'running').map(({ id }) => id));
    const oneBut = (id: string) =>
      eventually(async () => {
        const found = await ids();
        return found.length === 1 && found[0] !== id ? found[0] : undefined;
      }, 'one container');
    await write('a.yaml', manifest('a'));
    const kubelet = await start({ config });
    const id = await oneBut('');
    await runtime.stopContainer(id, 0, signal);
    const next = await oneBut(id);
    await kubelet.kill();
    await start({ config, rootDir: kubelet.rootDir, mounter: kubelet.mounter });
    await write('b.yaml', manifest('b'));
    await eventually(async () => (await ids()).length === 2, 'the other pod');
    expect(await ids()).toContain(next);
    await rm(join(folder, 'a.yaml'));
    await oneBut(next);
    expect((await cluster.client.list(podKind, { namespace: 'default' }, signal)).items).toEqual([]);
  });
});
