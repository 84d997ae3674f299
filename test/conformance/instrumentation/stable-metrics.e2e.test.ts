// Holds what the processes show, after some work, against upstream's list of stable and beta metrics: scheduler and controller manager run
// as processes of their own, beside an API server; the kubelet's port stands on a simulated node.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ReadFamily, readMetrics } from '#base/metric-text.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { ServerRig } from '#kubelet/server/testing.ts';
import { until } from '#test/e2e/cluster.ts';
import { type ApiUnderTest, startApi } from '../api-session.ts';
import { type MetricProcess, type StableFamily, stableFamilies } from './stable-families.ts';

type Families = ReadonlyMap<string, ReadFamily>;
type RealProcess = Exclude<MetricProcess, 'every process'>;

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'stable-metrics-'));
const insecure = new Agent({ connect: { rejectUnauthorized: false } });
const children: ChildProcess[] = [];
const limitMs = 60_000;
let under: ApiUnderTest;
let rig: ServerRig;
const ports: Partial<Record<RealProcess, number>> = {};

beforeAll(async () => {
  under = await startApi();
  rig = await ServerRig.start();
  await startProcess('kube-scheduler', 'scheduler');
  await startProcess('kube-controller-manager', 'controller-manager', '--node-eviction-rate=10', '--node-monitor-period=200ms');
  await work();
});

afterAll(async () => {
  for (const child of children) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  await insecure.destroy();
  await rig.stop();
  await under[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function startProcess(name: RealProcess, source: string, ...flags: string[]): Promise<void> {
  const { server, ca, credentials } = under.server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  const kubeconfig = join(folder, `${name}.conf`);
  writeFileSync(kubeconfig, kubeconfigText({ name: 'test', server, ca: ca ?? '', credentials }));
  const port = await freePort();
  ports[name] = port;
  const argv = [`--kubeconfig=${kubeconfig}`, `--secure-port=${port}`, '--bind-address=127.0.0.1', '--leader-elect=false', ...flags];
  children.push(spawn(process.execPath, [join(root, source, 'main.ts'), ...argv], { stdio: ['ignore', 'inherit', 'inherit'] }));
  await until(`${name} is ready`, async () => (await textOf(name, '/readyz')) === 'ok', limitMs);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

async function textOf(name: RealProcess, path: string): Promise<string> {
  if (name === 'kube-apiserver') return (await under.api.send('GET', path)).text;
  if (name === 'kubelet') return (await rig.ask(path)).text;
  return await (await request(`https://127.0.0.1:${ports[name]}${path}`, { dispatcher: insecure })).body.text();
}

/** Something of everything that is counted: requests, placed pods, one in another's place, a node that is lost. */
async function work(): Promise<void> {
  const { api } = under;
  const ready = (status: string): object => ({
    capacity: { cpu: '2', memory: '2Gi', pods: '10' },
    allocatable: { cpu: '2', memory: '2Gi', pods: '10' },
    conditions: [{ type: 'Ready', status, lastHeartbeatTime: new Date().toISOString(), lastTransitionTime: new Date().toISOString() }],
  });
  for (const [name, status] of [
    ['alive', 'True'],
    ['lost', 'Unknown'],
  ] as const) {
    await api.post('/api/v1/nodes', { metadata: { name }, status: ready(status) });
  }
  await api.get('/api/v1/namespaces/default/endpoints');
  await (await api.watch('/api/v1/namespaces/default/configmaps'))[Symbol.asyncDispose]();
  await until('the default account', () => api.get('/api/v1/namespaces/kube-system/serviceaccounts/default'), limitMs);
  const pods = '/api/v1/namespaces/kube-system/pods';
  const aPod = (name: string, spec: object): object => ({
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1500m' }, limits: { cpu: '1500m' } } }], ...spec },
  });
  await api.post(pods, aPod('low', {}));
  const says = async (path: string, text: string): Promise<boolean> => JSON.stringify(await api.get(path)).includes(text);
  await until('a pod is placed', () => says(`${pods}/low`, '"nodeName":"alive"'), limitMs);
  await api.post(pods, aPod('critical', { priorityClassName: 'system-cluster-critical' }));
  await until('it makes room', () => says(`${pods}/low`, '"deletionTimestamp"'), limitMs);
  await until('the lost node is emptied', () => says('/api/v1/nodes/lost', '"effect":"NoExecute"'), limitMs);
}

const read = new Map<string, Families>();
async function familiesOf(name: RealProcess, path: string): Promise<Families> {
  const key = `${name} ${path}`;
  const known = read.get(key) ?? readMetrics(await textOf(name, path));
  read.set(key, known);
  return known;
}

const realProcesses = ['kube-apiserver', 'kube-scheduler', 'kube-controller-manager', 'kubelet'] as const;
const cases = stableFamilies.flatMap((family): [RealProcess, string, StableFamily][] => {
  // The kubelet's port alone is no process.
  const all = realProcesses.filter((name) => name !== 'kubelet');
  const where = family.process === 'every process' ? all : [family.process];
  return where.map((name) => [name, family.name, family]);
});

describe('stable and beta metrics', () => {
  test.each(cases)('%s: %s', async (name, _family, { name: family, path = '/metrics', standing, stability, type, labels }) => {
    // Checks are counted when somebody asks for them.
    if (path === '/metrics/slis') await textOf(name, '/livez');
    const found = (await familiesOf(name, path)).get(family);
    if (typeof standing === 'object') return expect(found).toBeUndefined();
    if (standing === 'rare' && found === undefined) return;
    expect(found, `${family} is not shown`).toBeDefined();
    if (found === undefined) return;
    expect(found.help).toMatch(new RegExp(`^\\[${stability}\\] `));
    if (type !== 'custom') expect(found.type).toBe(type);
    expect(found.samples.length).toBeGreaterThan(0);
    for (const sample of found.samples) {
      const names = Object.keys(sample.labels).filter((label) => label !== 'le' || !sample.name.endsWith('_bucket'));
      expect(names.toSorted()).toEqual([...labels]);
    }
  });
});
