// Cluster IPs of two API servers on one store, and what a crash between the two writes leaves behind.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { type Service, service } from '#api/core/service/service.ts';
import type { IPAddress } from '#api/networking/ip-address.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import { MemoryStore } from '../storage/memory.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { addressKind, newClaim } from './cluster-ip-claims.ts';
import { ClusterIpRepair } from './cluster-ip-repair.ts';

const serviceKind = service as unknown as KindDefinition;

const store = new MemoryStore({ clock: systemClock, isSoleWriter: false });
const { signal } = new AbortController();
const context = internalContext({ namespace: 'default' }, signal);
let servers: readonly TestApiServer[];

beforeAll(async () => {
  const first = await startTestApiServer({ store });
  servers = [first, await startTestApiServer({ store, ca: first.ca })];
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await store[Symbol.asyncDispose]();
});

const registryOf = (at: number) => (servers[at] as TestApiServer).registry;

function body(name: string, spec: object): KubeObject {
  return {
    metadata: { name, namespace: 'default' },
    spec: { ports: [{ port: 80, protocol: 'TCP' }], selector: { app: name }, ...spec },
  } as KubeObject;
}

async function make(at: number, name: string, spec: object = {}, dryRun = false): Promise<Service> {
  const given = internalContext({ namespace: 'default', dryRun }, signal);
  return (await registryOf(at).createObject(serviceKind, body(name, spec), given)).object() as Service;
}

async function claim(address: string): Promise<IPAddress | undefined> {
  try {
    return (await registryOf(0).get(addressKind, address, '', internalContext({}, signal))).object() as IPAddress;
  } catch {
    return undefined;
  }
}

const everything = {
  gracePeriodSeconds: undefined,
  propagationPolicy: undefined,
  orphanDependents: undefined,
  uid: undefined,
  resourceVersion: undefined,
};

test('an address is an IPAddress that names its Service, until the Service goes', async () => {
  const { clusterIP = '' } = (await make(0, 'named')).spec;
  expect(await claim(clusterIP)).toMatchObject({
    metadata: { labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'named' } },
  });
  await registryOf(1).delete(serviceKind, 'named', everything, context);
  await vi.waitFor(async () => expect(await claim(clusterIP)).toBeUndefined());
});

test('of two servers asked for the same address at once, one gives it', async () => {
  for (let round = 0; round < 20; round++) {
    const clusterIP = `10.96.1.${round + 1}`;
    const asked = [0, 1].map(async (at) => await make(at, `same-${round}-${at}`, { clusterIP }));
    const answers = await Promise.allSettled(asked);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = answers.find((answer) => answer.status === 'rejected');
    expect(refused?.reason.message).toContain(`failed to allocate IP ${clusterIP}: provided IP is already allocated`);
  }
});

test('an address that memory holds to be free, but an IPAddress has, is refused, and nothing is left of the attempt', async () => {
  await registryOf(1).createObject(
    addressKind,
    newClaim('10.96.2.1', { namespace: 'default', name: 'elsewhere' }),
    internalContext({}, signal),
  );
  await expect(make(0, 'late', { clusterIP: '10.96.2.1' })).rejects.toThrow('provided IP is already allocated');
  expect((await claim('10.96.2.1'))?.spec.parentRef.name).toBe('elsewhere');
});

test('a dry run claims nothing', async () => {
  await make(0, 'dry', { clusterIP: '10.96.2.2' }, true);
  expect(await claim('10.96.2.2')).toBeUndefined();
});

test('a refused write gives its address back', async () => {
  await expect(make(0, 'broken', { clusterIP: '10.96.2.3', ports: [{ port: 99_999, protocol: 'TCP' }] })).rejects.toThrow(
    'spec.ports[0].port',
  );
  expect((await make(0, 'whole', { clusterIP: '10.96.2.3' })).spec.clusterIP).toBe('10.96.2.3');
  expect((await claim('10.96.2.3'))?.spec.parentRef.name).toBe('whole');
});

test('repair makes what is missing, and removes after a minute what has no Service', async () => {
  const { clusterIP = '' } = (await make(0, 'bare')).spec;
  await registryOf(0).delete(addressKind, clusterIP, everything, internalContext({}, signal));
  await registryOf(0).createObject(
    addressKind,
    newClaim('10.96.2.4', { namespace: 'default', name: 'never' }),
    internalContext({}, signal),
  );
  let nowMs = systemClock.nowMs();
  const clock = { ...systemClock, nowMs: () => nowMs, sleep: systemClock.sleep.bind(systemClock) };
  const repair = new ClusterIpRepair({ registry: registryOf(0), clock, log: silentLog });
  const life = new AbortController();
  const runs = repair.parts().map(async (part) => await new Promise<void>((ready) => void part.run(life.signal, ready)));
  await Promise.all(runs);
  await repair.look(signal);
  expect((await claim(clusterIP))?.spec.parentRef.name).toBe('bare');
  expect(await claim('10.96.2.4')).toBeDefined();
  nowMs += 62_000;
  await repair.look(signal);
  expect(await claim('10.96.2.4')).toBeUndefined();
  expect(await claim(clusterIP)).toBeDefined();
  life.abort();
});
