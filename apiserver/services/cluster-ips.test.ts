// Cluster IPs of two API servers on one store, and what a crash between the two writes leaves behind.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import type { IPAddress } from '#api/networking/ip-address.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import { MemoryStore } from '../storage/memory.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { addressKind, newClaim, serviceKind } from './cluster-ip-claims.ts';
import { ClusterIpRepair } from './cluster-ip-repair.ts';

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

test('a Service without an IPAddress is never seen, nor the other way round', async () => {
  const seen: string[] = [];
  const stop = new AbortController();
  const start = await store.currentRevision(signal);
  const watching = (async () => {
    for await (const events of store.watch('/registry/', start, stop.signal)) {
      seen.push(events.map(({ key }) => key.split('/')[2]).join('+'));
      if (seen.length === 3) stop.abort();
    }
  })();
  for (const name of ['pair-1', 'pair-2', 'pair-3']) await make(0, name);
  await watching;
  expect(seen).toEqual(Array(3).fill('ipaddresses+services'));
});

describe('an IPAddress without its Service', () => {
  const leave = async (address: string, name: string) =>
    await registryOf(0).createObject(addressKind, newClaim(address, { namespace: 'default', name }), internalContext({}, signal));

  test('is taken over by the Service that it names', async () => {
    await leave('10.96.3.1', 'crashed');
    const before = await claim('10.96.3.1');
    await make(1, 'crashed', { clusterIP: '10.96.3.1' });
    const after = await claim('10.96.3.1');
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
    expect(after?.spec.parentRef.name).toBe('crashed');
  });

  test('keeps others out, since its Service may be on its way', async () => {
    await leave('10.96.3.2', 'coming');
    await expect(make(1, 'hasty', { clusterIP: '10.96.3.2' })).rejects.toThrow('provided IP is already allocated');
  });

  test('is free for all once its Service was seen to go', async () => {
    await make(0, 'brief', { clusterIP: '10.96.3.3' });
    await registryOf(1).get(serviceKind, 'brief', '', context);
    await registryOf(0).delete(serviceKind, 'brief', everything, context);
    await expect(registryOf(1).get(serviceKind, 'brief', '', context)).rejects.toThrow('not found');
    // Whether or not the first server has come to remove it.
    expect((await make(1, 'heir', { clusterIP: '10.96.3.3' })).spec.clusterIP).toBe('10.96.3.3');
    expect((await claim('10.96.3.3'))?.spec.parentRef.name).toBe('heir');
  });
});

test('a Service that goes and comes at once keeps its IPAddress, whichever server is asked', async () => {
  for (let round = 0; round < 20; round++) {
    await make(round % 2, 'again', { clusterIP: '10.96.3.9' });
    expect((await claim('10.96.3.9'))?.spec.parentRef.name).toBe('again');
    await registryOf(round % 2).delete(serviceKind, 'again', everything, context);
  }
});

describe('repair', () => {
  let nowMs = systemClock.nowMs();
  const told: string[] = [];
  const life = new AbortController();
  let repair: ClusterIpRepair;
  beforeAll(async () => {
    const clock = { ...systemClock, nowMs: () => nowMs, sleep: systemClock.sleep.bind(systemClock) };
    const events = { record: ({ reason, note }: { reason: string; note: string }) => void told.push(`${reason}: ${note}`) };
    repair = new ClusterIpRepair({ registry: registryOf(0), events, clock, log: silentLog });
    await Promise.all(repair.parts().map(async (part) => await new Promise<void>((ready) => void part.run(life.signal, ready))));
  });
  afterAll(() => life.abort());

  test('makes what is missing, and removes after a minute what has no Service', async () => {
    const { clusterIP = '' } = (await make(0, 'bare')).spec;
    await registryOf(0).delete(addressKind, clusterIP, everything, internalContext({}, signal));
    await registryOf(0).createObject(
      addressKind,
      newClaim('10.96.2.4', { namespace: 'default', name: 'never' }),
      internalContext({}, signal),
    );
    await repair.look(signal);
    expect((await claim(clusterIP))?.spec.parentRef.name).toBe('bare');
    expect(told).toContain(`ClusterIPNotAllocated: Cluster IP [IPv4]: ${clusterIP} is not allocated; repairing`);
    expect(await claim('10.96.2.4')).toBeDefined();
    nowMs += 62_000;
    await repair.look(signal);
    expect(await claim('10.96.2.4')).toBeUndefined();
    expect(told).toContain('IPAddressNotAllocated: IPAddress: 10.96.2.4 for Service default/never appears to have leaked: cleaning up');
    expect(await claim(clusterIP)).toBeDefined();
  });

  test('names the right Service where another object was written', async () => {
    const { clusterIP = '' } = (await make(0, 'robbed')).spec;
    await registryOf(0).delete(addressKind, clusterIP, everything, internalContext({}, signal));
    const thief = newClaim(clusterIP, { namespace: 'default', name: 'nobody' });
    await registryOf(0).createObject(addressKind, thief, internalContext({}, signal));
    await vi.waitFor(async () => {
      await repair.look(signal);
      expect((await claim(clusterIP))?.spec.parentRef.name).toBe('robbed');
    });
    expect(told).toContain(
      `ClusterIPNotAllocated: the ClusterIP [IPv4]: ${clusterIP} for Service default/robbed has a wrong reference; repairing`,
    );
  });
});
