// Who comes after a killed process goes on where it was: processes and containers that run are adopted, not started anew.
import { beforeAll, expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { useCluster } from '#test/e2e/use-cluster.ts';

const cluster = useCluster();
const pod = { apiVersion: 'v1', kind: 'Pod' };
/** Ends at once when asked to. */
const sleeps = 'trap exit TERM; sleep 100000 & wait';
const readySince = `get node host1 -o jsonpath={.status.conditions[?(@.type=="Ready")].lastTransitionTime}`;

/** Container ids and restart counts of all pods, by name. */
async function containers(): Promise<Record<string, string>> {
  const { items } = await cluster().get<{ items: V1Pod[] }>('pods');
  const statuses = items.flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? []).map((one) => [`${metadata?.name}/${one.name}`, `${one.containerID} restarted ${one.restartCount}`]),
  );
  return Object.fromEntries(statuses);
}

async function allRun(count = 4): Promise<boolean> {
  const { items } = await cluster().get<{ items: V1Pod[] }>('pods');
  return (
    items.length === count &&
    items.every(({ status }) => status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
  );
}

async function serviceAnswers(): Promise<string> {
  const ip = await cluster().kubectl(['get', 'svc', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
  return cluster().curl(`http://${ip}/`);
}

/** Waits until the node was reported Ready after `since`. */
async function nodeReadyAgain(): Promise<void> {
  await cluster().until('status says Ready', async () => (await cluster().coxswain(['status'])).code === 0);
}

async function nodeIsReady(): Promise<boolean> {
  const status = 'get node host1 -o jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  return (await cluster().kubectl(status)) === 'True';
}

beforeAll(async () => {
  await cluster().kubectl('create deployment web --image=coxswain/hello:1 --replicas=3');
  await cluster().kubectl('expose deployment web --port=80 --target-port=8080');
  await cluster().apply({
    ...pod,
    metadata: { name: 'alone' },
    spec: {
      containers: [
        { name: 'first', image: 'coxswain/busybox:1', command: ['sh', '-c', sleeps] },
        { name: 'second', image: 'coxswain/busybox:1', command: ['sh', '-c', sleeps] },
      ],
      terminationGracePeriodSeconds: 1,
    },
  });
  await cluster().until('all run', allRun);
});

test('a killed kubelet finds its containers running and leaves them so', async () => {
  const before = await containers();
  const since = await cluster().kubectl(readySince);
  const { kubelet } = await cluster().pids();
  await cluster().host.sh(`kill -9 ${kubelet}`);
  await cluster().until('another kubelet runs', async () => ![undefined, kubelet].includes((await cluster().pids()).kubelet));
  await nodeReadyAgain();
  // It works, and has looked at every pod: it can run a new one.
  await cluster().kubectl('run probe --image=coxswain/busybox:1 --restart=Never --command -- true');
  await cluster().until('a new pod ends well', async () =>
    /Succeeded/.test(await cluster().kubectl('get pod probe -o jsonpath={.status.phase}')),
  );
  await cluster().kubectl('delete pod probe');
  expect(await containers()).toEqual(before);
  expect(await cluster().kubectl(readySince)).toBe(since);
});

test('what probes and sidecars had come to stays so, and a pod that was given up meanwhile ends', async () => {
  const exec = (...command: string[]): object => ({ exec: { command }, periodSeconds: 1, timeoutSeconds: 30 });
  const main = (name: string, rest: object): object => ({ name, image: 'coxswain/busybox:1', command: ['sh', '-c', sleeps], ...rest });
  const probed = [
    main('ready', { startupProbe: exec('true'), readinessProbe: exec('true'), livenessProbe: exec('true') }),
    main('unready', { readinessProbe: exec('false') }),
    main('starting', { startupProbe: { ...exec('false'), failureThreshold: 1_000 }, readinessProbe: exec('true') }),
  ];
  const sidecar = main('sidecar', { restartPolicy: 'Always', startupProbe: exec('true') });
  const spec = { terminationGracePeriodSeconds: 1 };
  await cluster().apply({ ...pod, metadata: { name: 'probed' }, spec: { ...spec, initContainers: [sidecar], containers: probed } });
  await cluster().apply({ ...pod, metadata: { name: 'given-up' }, spec: { ...spec, containers: [main('main', {})] } });
  const seen = ({ status }: V1Pod): string[] =>
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
      (one) => `${one.name} started ${one.started} ready ${one.ready} restarted ${one.restartCount}`,
    );
  const settled = ['sidecar', 'ready'].map((name) => `${name} started true ready true restarted 0`);
  settled.push('unready started true ready false restarted 0', 'starting started false ready false restarted 0');
  const isSettled = async (): Promise<boolean> => String(seen(await cluster().get<V1Pod>('pod probed'))) === String(settled);
  await cluster().until('probes have come to something', isSettled, 60_000);
  await cluster().kubectl('wait pod/given-up --for=condition=Ready --timeout=60s');

  const before = await cluster().pids();
  const fields = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => [`${list}[*].started`, `${list}[*].ready`]);
  const columns = fields.map((field, index) => `C${index}:.status.${field}`).join();
  await using watch = cluster().background(`get pod probed --watch --no-headers -o custom-columns=${columns}`);
  await watch.shows('\n');
  await cluster().host.sh(`kill -STOP ${before.supervisor}; kill -9 ${before.kubelet}`);
  await cluster().kubectl('delete pod given-up --force --grace-period=0');
  await cluster().host.sh(`kill -CONT ${before.supervisor}`);
  await cluster().until(
    'another kubelet ends it',
    async () => (await cluster().host.sh('docker ps -q --filter name=_given-up_')) === '',
    60_000,
  );
  expect(new Set(watch.output.trim().split('\n')).size, watch.output).toBe(1);
  // A container that ends begins again behind its sidecar, which never did.
  await cluster().kubectl('exec probed -c ready -- kill 1');
  await cluster().until('the end is seen', async () =>
    seen(await cluster().get<V1Pod>('pod probed')).includes('ready started true ready true restarted 1'),
  );
  expect(seen(await cluster().get<V1Pod>('pod probed'))[0]).toBe(settled[0]);
  await cluster().kubectl('delete pod probed');
});

test('a killed supervisor is replaced by up, and adopts what runs', async () => {
  const before = await cluster().pids();
  await cluster().host.sh(`kill -9 ${before.supervisor}`);
  const { code } = await cluster().coxswain(['up']);
  expect(code).toBe(0);
  const after = await cluster().pids();
  expect(after.supervisor).not.toBe(before.supervisor);
  expect({ ...after, supervisor: 0 }).toEqual({ ...before, supervisor: 0 });
  // It supervises: what dies comes back.
  await cluster().host.sh(`kill -9 ${before['kube-proxy']}`);
  await cluster().until(
    'kube-proxy is back',
    async () => ![undefined, before['kube-proxy']].includes((await cluster().pids())['kube-proxy']),
  );
});

test('up after kill -9 of every process brings back the same cluster around the same containers', async () => {
  const before = await containers();
  const uids = await cluster().kubectl('get deployments,services,pods,nodes,secrets,configmaps -A -o jsonpath={.items[*].metadata.uid}');
  const pids = await cluster().pids();
  await cluster().host.sh(`kill -9 ${Object.values(pids).join(' ')}`);
  expect((await cluster().coxswain(['status'])).code).toBe(1);
  const { code, stderr } = await cluster().coxswain(['up']);
  expect(code, stderr).toBe(0);
  await cluster().until('all run', allRun);
  expect(await cluster().kubectl('get deployments,services,pods,nodes,secrets,configmaps -A -o jsonpath={.items[*].metadata.uid}')).toBe(
    uids,
  );
  expect(await containers()).toEqual(before);
  expect(await serviceAnswers()).toContain('Message: ');
});

test('a container removed behind its back is made again', async () => {
  const before = await containers();
  const id = /docker:\/\/(\w+)/.exec(before['alone/second'] ?? '')?.[1];
  await cluster().host.sh(`docker rm -f ${id}`);
  await cluster().until('another one runs', async () => {
    const now = (await containers())['alone/second'];
    return now?.endsWith('restarted 1') === true && (await allRun());
  });
  expect((await containers())['alone/first']).toBe(before['alone/first']);
});

test('a sandbox removed behind its back is made again with all of its pod', async () => {
  await cluster().host.sh(`docker rm -f $(docker ps -q --filter label=io.kubernetes.pod.name=alone --filter name=k8s_POD_)`);
  await cluster().until('the pod has a new sandbox', async () => {
    const count = await cluster().host.sh(`docker ps -q --filter label=io.kubernetes.pod.name=alone | wc -l`);
    return count.trim() === '3' && (await allRun());
  });
  expect(await cluster().kubectl('exec alone -c first -- nslookup web.default.svc.cluster.local')).toContain('Address');
});

async function restartDocker(flags: readonly string[] = []): Promise<void> {
  await cluster().host.sh(`kill $(cat /run/docker.pid); while [ -e /run/docker.pid ]; do sleep 0.05; done`);
  await cluster().host.startDocker(flags);
}

/** All pods are ready, and no container of ours runs beside those that they need. */
async function allRunOnce(): Promise<boolean> {
  return (await allRun()) && (await cluster().host.sh('docker ps -q | wc -l')).trim() === '9';
}

test('a restarted Docker engine brings everything back', async () => {
  await restartDocker();
  await cluster().until('all run again', allRunOnce, 60_000);
  await cluster().until('the Service answers', serviceAnswers);
});

test('what an engine with live-restore left running while it was away goes on as it was', async () => {
  const flags = ['--live-restore'];
  await restartDocker(flags);
  await cluster().until('all run under the new engine', allRunOnce, 60_000);
  const before = await containers();
  await restartDocker(flags);
  await cluster().until('the node is Ready', nodeIsReady);
  await cluster().until('all run', allRunOnce);
  expect(await containers()).toEqual(before);
});

test('an engine that hangs delays pods, and none is made twice', async () => {
  const before = await containers();
  await cluster().host.sh('kill -STOP $(cat /run/docker.pid)');
  await cluster().kubectl('run late --image=coxswain/busybox:1 --image-pull-policy=IfNotPresent -- sleep 100000');
  await cluster().until('the node says that its engine hangs', async () => !(await nodeIsReady()), 60_000);
  expect(await cluster().kubectl('describe node host1')).toContain('container runtime is down');
  await cluster().host.sh('kill -CONT $(cat /run/docker.pid)');
  await cluster().kubectl('wait pod/late --for=condition=Ready --timeout=60s');
  await cluster().until('all run', () => allRun(5));
  const { 'late/late': late, ...others } = await containers();
  expect(late).toMatch(/restarted 0$/);
  expect(others).toEqual(before);
  expect((await cluster().host.sh('docker ps -aq --filter label=io.kubernetes.pod.name=late | wc -l')).trim()).toBe('2');
  await cluster().kubectl('delete pod late --grace-period=1');
});

test('the same objects run again after a power cut', async () => {
  const uids = 'get deployments,services,pods,nodes,secrets,configmaps -A -o jsonpath={.items[*].metadata.uid}';
  const before = await cluster().kubectl(uids);
  await cluster().host.powerOff();
  await cluster().host.boot();
  await cluster().host.startDocker();
  const { code, stderr } = await cluster().coxswain(['up']);
  expect(code, stderr).toBe(0);
  expect(await cluster().kubectl(uids)).toBe(before);
  await cluster().until(
    'containers run again',
    async () => (await allRun()) && (await cluster().host.sh('docker ps -q | wc -l')).trim() === '9',
    60_000,
  );
  await cluster().until('the Service answers', serviceAnswers);
  expect(await cluster().kubectl('exec alone -c second -- nslookup web.default.svc.cluster.local')).toContain('Address');
});
