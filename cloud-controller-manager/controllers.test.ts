// The control loops against a real API server in process, with the rights that the manifest of this project gives them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { namespace } from '#api/core/namespace.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { type Service, service } from '#api/core/service/service.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { clusterRoleBinding } from '#api/rbac/cluster-role-binding.ts';
import { clusterRole } from '#api/rbac/cluster-role.ts';
import { roleBinding } from '#api/rbac/role-binding.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { runServices } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import { AccountClients } from '#client/accounts/account-clients.ts';
import type { AnyKind } from '#client/client.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { PlainCloud } from './cloud/plain-cloud.ts';
import { cloudControllerManager } from './cloud-controller-manager.ts';

const never = new AbortController().signal;
const life = new AbortController();
const events: string[] = [];
const fresh = { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' };
let folder: string;
let server: TestApiServer;
let admin: RestClient;
let own: RestClient;
let accounts: AccountClients;
let ended: Promise<void>;
let written = 0;

const file = (): string => join(folder, 'cloud.yaml');
function describeCloud(rest: object): void {
  // Its size tells that it is another one, also within one tick of the file system's clock.
  const text = JSON.stringify({ apiVersion: 'cloud.coxswain.dev/v1alpha1', kind: 'PlainCloud', ...rest });
  writeFileSync(file(), `${text}${' '.repeat(++written)}`);
}

const ranges = ['10.9.8.1-10.9.8.2'];
const machines = [
  { name: 'n1', addresses: [{ type: 'InternalIP', address: '10.0.0.11' }], zone: 'z1', region: 'r1', instanceType: 'big' },
  { name: 'n2' },
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cloud-'));
  describeCloud({ loadBalancers: { ranges }, machines });
  server = await startTestApiServer();
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  const manifest = readFileSync(join(import.meta.dirname, '../deploy/manifests/cloud-controller-manager-rbac.yaml'), 'utf8');
  for (const document of parseAllDocuments(manifest)) {
    const object = document.toJS() as KubeObject;
    const kind = [clusterRole, clusterRoleBinding, roleBinding].find((one) => one.kind === object.kind);
    await admin.create(kind as unknown as AnyKind, object as never, {}, never);
  }
  await admin.create(namespace, { metadata: { name: 'shop' } }, {}, never);
  const api = await server.clientConfigFor('system:cloud-controller-manager');
  const component = 'cloud-controller-manager';
  own = connect(api, { clock: systemClock, component });
  accounts = new AccountClients({ api, component, client: own, clock: systemClock });
  const { cluster, loops } = cloudControllerManager({
    cloud: new PlainCloud(file(), silentLog),
    client: own,
    clientFor: (controller) => accounts.clientFor(controller),
    events: (source) => ({
      event: ({ metadata }, _type, reason, message) => events.push(`${source} ${metadata.name} ${reason}: ${message}`),
    }),
    nodePeriodMs: 20,
    nodeUpdateMs: 50,
    clock: systemClock,
    log: silentLog,
  });
  ended = runServices(life.signal, [cluster, loops]);
});

afterAll(async () => {
  life.abort(new Error('the test is over'));
  await ended;
  await accounts[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
  await admin[Symbol.asyncDispose]();
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function register(name: string): Promise<void> {
  const conditions = [{ type: 'Ready', status: 'False' }] as NonNullable<Node['status']>['conditions'] & object;
  const status = { addresses: [{ type: 'Hostname', address: name }], conditions };
  await admin.create<Node>(node, { metadata: { name }, spec: { taints: [fresh] }, status }, {}, never);
}

async function find(name: string): Promise<Node | undefined> {
  return await admin.get<Node>(node, { name }, never).catch((error: unknown) => {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  });
}

const soon = { timeout: 10_000 };
const taints = async (name: string): Promise<string[] | undefined> => (await find(name))?.spec?.taints?.map(({ key }) => key);

test('a node is told what its machine is, and let in', async () => {
  await register('n1');
  await expect.poll(() => taints('n1'), soon).not.toContain(fresh.key);
  const found = await find('n1');
  expect(found?.spec?.providerID).toBe('plain://n1');
  expect(found?.status?.addresses).toEqual([
    { type: 'InternalIP', address: '10.0.0.11' },
    { type: 'Hostname', address: 'n1' },
  ]);
  expect(found?.metadata.labels).toMatchObject({
    'topology.kubernetes.io/zone': 'z1',
    'topology.kubernetes.io/region': 'r1',
    'node.kubernetes.io/instance-type': 'big',
  });
  await expect.poll(() => events, soon).toContain('cloud-node-controller n1 Synced: Node synced successfully');
});

test('a node without a machine waits, until there is one', async () => {
  await register('n3');
  await register('n2');
  await expect.poll(() => taints('n2'), soon).not.toContain(fresh.key);
  expect(await taints('n3')).toContain(fresh.key);
  describeCloud({ loadBalancers: { ranges }, machines: [...machines, { name: 'n3' }] });
  await expect.poll(() => taints('n3'), soon).not.toContain(fresh.key);
});

test('nodes whose machine is shut down get a taint, those whose machine is gone go', async () => {
  const [first = { name: 'n1' }] = machines;
  describeCloud({ loadBalancers: { ranges }, machines: [{ ...first, state: 'shut-down' }, { name: 'n3' }] });
  await expect.poll(() => taints('n1'), soon).toContain('node.cloudprovider.kubernetes.io/shutdown');
  await expect.poll(() => find('n2'), soon).toBeUndefined();
  expect(events).toContain(
    'cloud-node-lifecycle-controller n2 DeletingNode: Deleting node n2 because it does not exist in the cloud provider',
  );
  expect(await find('n3')).toBeDefined();
  const found = await find('n1');
  const conditions = [{ type: 'Ready', status: 'True' }];
  await admin.patch<Node>(node, { name: 'n1' }, { status: { conditions } }, { type: 'merge', subresource: 'status' }, never);
  await expect.poll(() => taints('n1'), soon).not.toContain('node.cloudprovider.kubernetes.io/shutdown');
  expect(found?.spec?.providerID).toBe('plain://n1');
});

async function balance(name: string, spec: Partial<Service['spec']> = {}, annotations: Record<string, string> = {}): Promise<void> {
  const whole = { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 80 }], ...spec };
  await admin.create<Service>(service, { metadata: { name, namespace: 'shop', annotations }, spec: whole }, {}, never);
}

async function addressesOf(name: string): Promise<(string | undefined)[]> {
  const { status } = await admin.get<Service>(service, { namespace: 'shop', name }, never);
  return (status?.loadBalancer?.ingress ?? []).map(({ ip, ipMode }) => `${ip} ${ipMode}`);
}

test('Services get the addresses that there are, and one that waits gets what another gives back', async () => {
  await balance('a', {}, { 'coxswain.dev/load-balancer-ip': '10.9.8.2' });
  await expect.poll(() => addressesOf('a'), soon).toEqual(['10.9.8.2 VIP']);
  await balance('b');
  await balance('other', { loadBalancerClass: 'example.com/other' });
  await expect.poll(() => addressesOf('b'), soon).toEqual(['10.9.8.1 VIP']);
  await balance('c');
  const failed =
    'service-controller c SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: no address of the pool is free';
  await expect.poll(() => events, soon).toContain(failed);
  expect(await addressesOf('c')).toEqual([]);
  await admin.delete(service, { namespace: 'shop', name: 'a' }, {}, never);
  await expect.poll(() => addressesOf('c'), soon).toEqual(['10.9.8.2 VIP']);
  expect(await addressesOf('other')).toEqual([]);
  const { metadata } = await admin.get<Service>(service, { namespace: 'shop', name: 'c' }, never);
  expect(metadata.finalizers).toEqual(['service.kubernetes.io/load-balancer-cleanup']);
});
