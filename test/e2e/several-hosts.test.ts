// Three control planes behind haproxy and two workers, made by the commands of kubeadm that people paste; then things are killed.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { Informer } from '#client/informer.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { buildDemoImages } from '#cli/demo/images.ts';
import { EngineRecord } from '#test/chaos/history/engine-record.ts';
import { checkRuns, starts } from '#test/chaos/history/runs.ts';
import { NamedPods } from '#test/chaos/named-pods.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import type { Host } from '#test/testbed/host.ts';
import { until } from './cluster.ts';
import { deploymentManifest, podManifest, serviceManifest } from './manifests.ts';

const hello = join(import.meta.dirname, '../../cli/demo/hello.mjs');
const workers = ['host4', 'host5'];
let fleet: Fleet;
let record: EngineRecord;
let named: NamedPods;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 3, workers: 2 });
  await Promise.all(workers.map((name) => buildDemoImages(fleet.host(name).dockerSocket, hello, () => undefined)));
  record = await EngineRecord.follow(workers.map((name) => fleet.host(name)));
  named = new NamedPods(fleet, 4);
});
afterAll(async () => {
  await named[Symbol.asyncDispose]();
  await record[Symbol.asyncDispose]();
  await fleet.stop();
});

async function kubectl(words: string | readonly string[], input?: string): Promise<string> {
  const list = typeof words === 'string' ? words.split(' ') : words;
  const { code, stdout, stderr } = await fleet.kubectl(list, { timeoutMs: 120_000, ...(input === undefined ? {} : { input }) });
  if (code !== 0) throw new Error(`kubectl ${list.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

const apply = (object: object): Promise<string> => kubectl('apply -f -', JSON.stringify(object));
const field = (what: string, path: string): Promise<string> => kubectl(['get', ...what.split(' '), '-o', `jsonpath={${path}}`]);

async function inPod(name: string, script: string): Promise<string> {
  return await kubectl(['exec', name, '--', 'sh', '-c', `${script} 2>&1 || true`]);
}

/** A client of this process, through the load balancer. */
async function administrator(): Promise<RestClient> {
  const port = await fleet.host('host9').forward(16_443);
  const { ca, credentials } = findEndpoint({ path: fleet.host('host9').pathOf('/root/admin.conf'), env: {} });
  return connect(
    { server: `https://127.0.0.1:${port}`, serverName: 'kubernetes', ca, credentials },
    { clock: systemClock, component: 'test' },
  );
}

/** Kills a component of a host; its agent starts it again. */
async function kill(host: Host, component: string): Promise<void> {
  await host.sh(`kill -9 $(sed -E 's/.*"pid":([0-9]+).*/\\1/' /var/lib/coxswain/node/run/${component}.json)`);
}

test('five nodes are Ready, and each control plane is one', async () => {
  const isReady = async (): Promise<boolean> => {
    const lines = (await kubectl('get nodes --no-headers')).trim().split('\n');
    return lines.length === 5 && lines.every((line) => / Ready /.test(line));
  };
  await until('five nodes are Ready', isReady, 60_000);
  expect((await kubectl('get nodes -l node-role.kubernetes.io/control-plane -o name')).trim().split('\n')).toHaveLength(3);
  await until(
    'all API servers are endpoints',
    async () => (await field('endpoints kubernetes', '.subsets[0].addresses[*].ip')).split(' ').length === 3,
  );
  const members = await fleet
    .host('host1')
    .sh(
      `curl -s --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/healthcheck-client.crt --key /etc/kubernetes/pki/etcd/healthcheck-client.key https://127.0.0.1:2379/v3/cluster/member/list -d '{}'`,
    );
  expect(
    (JSON.parse(members) as { members: readonly { isLearner?: boolean }[] }).members.map(({ isLearner = false }) => isLearner),
  ).toEqual([false, false, false]);
});

test('pods on both workers serve one Service, by address and by name, from every host', async () => {
  await apply(deploymentManifest('web', 4));
  await apply(serviceManifest('web', { type: 'NodePort', ports: [{ port: 80, targetPort: 8080 }] }));
  await Promise.all(workers.map((name) => apply(podManifest(`on-${name}`, { nodeName: name }))));
  await kubectl('rollout status deployment/web --timeout=90s');
  expect(new Set((await field('pods -l app=web', '.items[*].spec.nodeName')).split(' '))).toEqual(new Set(workers));
  for (const name of workers) await kubectl(`wait pod/on-${name} --for=condition=Ready --timeout=60s`);

  const ip = await field('svc web', '.spec.clusterIP');
  const nodePort = await field('svc web', '.spec.ports[0].nodePort');
  for (const name of workers) {
    for (const url of [`http://${ip}/`, 'http://web.default.svc.cluster.local/']) {
      const answers = await until(`${url} answers pods of ${name}`, async () => {
        const text = await inPod(`on-${name}`, `for i in $(seq 12); do timeout 5 wget -qO- ${url}; done`);
        return text.split('Message: ').length === 13 && text;
      });
      // From both nodes, so packets cross.
      expect(new Set(answers.match(/Hostname: \S+/g)).size).toBeGreaterThan(1);
    }
  }
  for (const name of ['host1', 'host2', 'host3', ...workers]) {
    expect(await fleet.network.sh(`curl -sS -m 5 http://${fleet.host(name).address}:${nodePort}/`), name).toContain('Message: ');
  }
  const pods = (await field('pods -l app=web', '.items[*].metadata.name')).split(' ');
  for (const pod of pods) expect(await kubectl(`logs ${pod} --tail=1`)).not.toBe('');
});

test('when an API server is killed, the others serve, nothing is lost, and watches go on', async () => {
  const seen: string[] = [];
  const life = new AbortController();
  await using client = await administrator();
  const maps = new Informer<ConfigMap>({ kind: configMap, namespace: 'default' }, { client, clock: systemClock, log: silentLog });
  maps.subscribe((change) => seen.push(`${change.type} ${change.object.metadata.name}`));
  const ended = maps.run(life.signal, () => undefined).catch(() => undefined);
  for (const name of ['host1', 'host2', 'host3']) {
    await kill(fleet.host(name), 'kube-apiserver');
    const create = async (): Promise<boolean> =>
      (await fleet.kubectl(['create', 'configmap', `after-${name}`], { timeoutMs: 5_000 })).code === 0;
    await until('a write is served', create);
    const isReady = async (): Promise<boolean> =>
      (await fleet.host(name).exec(['curl', '-sk', 'https://127.0.0.1:6443/readyz'])).stdout === 'ok';
    await until(`${name} serves again`, isReady);
  }
  const expected = ['host1', 'host2', 'host3'].map((name) => `added after-${name}`);
  await until('the watch has seen all', () => Promise.resolve(expected.every((one) => seen.includes(one))));
  expect(seen.filter((one) => one.startsWith('added after-'))).toEqual(expected);
  life.abort(new Error('seen'));
  await ended;
});

test('when the active controller manager and scheduler are killed, others lead', async () => {
  const leader = (name: string): Promise<string> => field(`lease ${name} -n kube-system`, '.spec.holderIdentity');
  for (const name of ['kube-controller-manager', 'kube-scheduler']) {
    const before = await leader(name);
    const host = fleet.host(before.split('_')[0] ?? '');
    await host.sh(`mv /etc/kubernetes/manifests/${name}.yaml /root/`);
    await until(`another ${name} leads`, async () => (await leader(name)) !== before, 60_000);
    await host.sh(`mv /root/${name}.yaml /etc/kubernetes/manifests/`);
  }
  await kubectl('scale deployment/web --replicas=6');
  await kubectl('rollout status deployment/web --timeout=90s');
});

test('a worker leaves, and joins again under its name', async () => {
  await kubectl('drain host5 --ignore-daemonsets --delete-emptydir-data --force --timeout=60s');
  await fleet.kubeadm('host5', 'reset --force');
  await kubectl('delete node host5');
  expect(await fleet.host('host5').sh('ls -A /etc/kubernetes; ip route show proto 87; ls /var/lib/kubelet 2>/dev/null || true')).toBe('');
  const command = await fleet.kubeadm('host1', 'token create --print-join-command');
  await fleet.kubeadm('host5', command.replace(/^kubeadm /, ''));
  await until('host5 is Ready', async () => / Ready /.test(await kubectl('get node host5 --no-headers')), 60_000);
});

test('after a power cut of all hosts everything runs again', async () => {
  const before = (await field('pods -l app=web', '.items[*].metadata.uid')).split(' ').sort((a, b) => (a < b ? -1 : 1));
  const names = [...fleet.hosts.keys()];
  await Promise.all(names.map((name) => fleet.powerOff(name)));
  await Promise.all(names.map((name) => fleet.powerOn(name)));
  await until('the API answers', async () => (await fleet.kubectl(['get', 'nodes'], { timeoutMs: 5_000 })).code === 0, 60_000);
  await until('five nodes are Ready', async () => ((await kubectl('get nodes --no-headers')).match(/ Ready /g) ?? []).length === 5, 90_000);
  await kubectl('rollout status deployment/web --timeout=120s');
  const ip = await field('svc web', '.spec.clusterIP');
  await until(
    'the Service answers',
    async () => (await fleet.host('host4').exec(['curl', '-sS', '-m', '3', `http://${ip}/`])).stdout.includes('Message: '),
    60_000,
  );
  const after = (await field('pods -l app=web', '.items[*].metadata.uid')).split(' ').sort((a, b) => (a < b ? -1 : 1));
  expect(after).toEqual(before);
});

test('through all of it no container of a pod ran twice at a time under its name', async () => {
  await until('pods with names of their own are ready', () => named.areReady(), 120_000);
  const counts = starts(record.runs);
  // One worker was drained, and all have lost their power.
  for (const name of named.names) expect(counts.get(`default/${name}/main`), name).toBeGreaterThanOrEqual(2);
  expect(checkRuns(record.runs)).toEqual([]);
});
