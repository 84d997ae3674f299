import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import type { Store } from '../storage/contract.ts';
import { MemoryStore } from '../storage/memory.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { serviceKind } from './cluster-ip-claims.ts';
import { NodePortClaims, nodePortsKey } from './node-port-claims.ts';
import { NodePortRepair } from './node-port-repair.ts';
import { PortBitmap } from './port-bitmap.ts';

const { signal } = new AbortController();

async function storeWith(range: { first: number; last: number }): Promise<MemoryStore> {
  const store = new MemoryStore({ clock: new FakeClock(), isSoleWriter: false });
  await store.put(nodePortsKey, new PortBitmap(range).encode(), { expectedRevision: 0 }, signal);
  return store;
}

async function stored(store: Store): Promise<number[]> {
  const found = await store.get(nodePortsKey, signal);
  return [...(PortBitmap.decode(found?.value ?? Buffer.from(''))?.ports() ?? [])];
}

/** Until it is disposed, writes of the ports take longer than others. */
function slowPorts(store: MemoryStore): Disposable {
  const { put } = store;
  store.put = async (key, ...more) => {
    for (let turns = key === nodePortsKey ? 20 : 0; turns > 0; turns--) await turn();
    return await put.call(store, key, ...more);
  };
  return { [Symbol.dispose]: () => void (store.put = put) };
}

describe('claims of several servers on one store', () => {
  const range = { first: 1, last: 6 };
  /** Which server claims (or gives back, where it has it) which ports. */
  const step = fc.record({
    server: fc.nat(2),
    releasing: fc.nat(2),
    ports: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
  });

  test('however their reads and writes interleave, a port is never two owners’, and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.array(step, { maxLength: 6 }), { minLength: 1, maxLength: 4 }), async (order, waves) => {
        await using store = await storeWith(range);
        const slow = {
          isSoleWriter: false,
          get: order.scheduleFunction((key: string) => store.get(key, signal)),
          put: order.scheduleFunction((...args: Parameters<Store['put']>) => store.put(...args)),
        };
        const servers = [0, 1, 2].map(() => new NodePortClaims({ store: slow, range, log: silentLog }));
        const owners = new Map<number, number>();
        for (const wave of waves) {
          const work = wave.map(async ({ server, releasing, ports }) => {
            const own = ports.filter((port) => owners.get(port) === server);
            for (const port of own) owners.delete(port);
            void servers[releasing]?.release(own);
            for (const port of (await servers[server]?.claim(ports.filter((one) => !own.includes(one)))) ?? []) {
              expect(owners.get(port)).toBeUndefined();
              owners.set(port, server);
            }
          });
          await order.waitFor(Promise.all(work));
        }
        // What was given back may still be on its way.
        await order.waitFor(Promise.all(servers.map((server) => server.claim([]))));
        expect(await stored(store)).toEqual([...owners.keys()].toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });

  test('many claims of one server share few writes', async () => {
    await using store = await storeWith({ first: 1, last: 1_000 });
    const before = await store.currentRevision(signal);
    const claims = new NodePortClaims({ store, range: { first: 1, last: 1_000 }, log: silentLog });
    const granted = await Promise.all(Array.from({ length: 200 }, (_, at) => claims.claim([at + 1])));
    expect(granted.every(({ size }) => size === 1)).toBe(true);
    expect((await store.currentRevision(signal)) - before).toBeLessThanOrEqual(2);
  });

  test('a refusal rests on the newest record', async () => {
    await using store = await storeWith(range);
    const [first, second] = [0, 1].map(() => new NodePortClaims({ store, range, log: silentLog })) as [NodePortClaims, NodePortClaims];
    expect(await first.claim([3])).toEqual(new Set([3]));
    expect(await second.claim([3])).toEqual(new Set());
    void first.release([3]);
    await first.claim([]);
    expect(await second.claim([3])).toEqual(new Set([3]));
  });

  test('without a record nothing is given out', async () => {
    await using store = new MemoryStore({ clock: new FakeClock(), isSoleWriter: false });
    const claims = new NodePortClaims({ store, range, log: silentLog });
    await expect(claims.claim([1])).rejects.toThrow('cannot allocate resources of type servicenodeportallocations at this time');
    await store.put(nodePortsKey, new PortBitmap({ first: 1, last: 9 }).encode(), { expectedRevision: 0 }, signal);
    await expect(claims.claim([1])).rejects.toThrow('the provided port range does not match the current port range');
  });
});

describe('node ports of two servers on one store', () => {
  const store = new MemoryStore({ clock: systemClock, isSoleWriter: false });
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
  const context = internalContext({ namespace: 'default' }, signal);
  const make = async (at: number, name: string, nodePort?: number): Promise<Service> => {
    const ports = [{ port: 80, protocol: 'TCP', ...(nodePort === undefined ? {} : { nodePort }) }];
    const body = { metadata: { name, namespace: 'default' }, spec: { type: 'NodePort', ports } } as unknown as KubeObject;
    return (await registryOf(at).createObject(serviceKind, body, context)).object() as Service;
  };

  test('one asked for at both at once is given once', async () => {
    for (let round = 0; round < 20; round++) {
      const nodePort = 30_010 + round;
      const answers = await Promise.allSettled([0, 1].map((at) => make(at, `same-${round}-${at}`, nodePort)));
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refused = answers.find((answer) => answer.status === 'rejected');
      expect(refused?.reason.message).toContain(`spec.ports[0].nodePort: Invalid value: ${nodePort}: provided port is already allocated`);
    }
  });

  test('those of chance are all different, and recorded', async () => {
    const made = await Promise.all(Array.from({ length: 60 }, (_, at) => make(at % 2, `many-${at}`)));
    const ports = made.map(({ spec }) => spec.ports?.[0]?.nodePort ?? 0);
    expect(new Set(ports).size).toBe(60);
    expect(await stored(store)).toEqual(expect.arrayContaining(ports));
    // The first part of the range is for those who ask by number.
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(30_086);
  });

  test('are free again when their Service goes', async () => {
    await make(0, 'brief', 30_050);
    const request = { gracePeriodSeconds: undefined, propagationPolicy: undefined, orphanDependents: undefined };
    using _slow = slowPorts(store);
    await registryOf(1).delete(serviceKind, 'brief', { ...request, uid: undefined, resourceVersion: undefined }, context);
    expect(await stored(store)).not.toContain(30_050);
  });

  test.each([
    ['drops its type', 30_051, { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] }],
    ['takes another', 30_052, { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30_053 }] }],
  ])('are free again when an update that %s is answered', async (_name, port, spec) => {
    const name = `changing-${port}`;
    await make(0, name, port);
    using _slow = slowPorts(store);
    const change = (object: KubeObject): KubeObject => ({ ...object, spec: { ...(object as Service).spec, ...spec } }) as KubeObject;
    await registryOf(1).change(serviceKind, name, change, context);
    expect(await stored(store)).not.toContain(port);
  });

  test('what a crash leaves is free after the third look of repair, what is missing at once', async () => {
    const claims = new NodePortClaims({ store, range: { first: 30_000, last: 32_767 }, log: silentLog });
    await claims.claim([30_060]);
    await make(0, 'kept', 30_061);
    await claims.release([30_061]);
    const told: string[] = [];
    const events = { record: ({ reason, note }: { reason: string; note: string }) => void told.push(`${reason}: ${note}`) };
    const deps = { store, registry: registryOf(1), range: { first: 30_000, last: 32_767 }, events, clock: systemClock, log: silentLog };
    const repair = new NodePortRepair(deps);
    const looks: boolean[][] = [];
    for (let look = 0; look < 3; look++) {
      await repair.look(signal);
      const ports = await stored(store);
      looks.push([ports.includes(30_060), ports.includes(30_061)]);
    }
    expect(looks).toEqual([
      [true, true],
      [true, true],
      [false, true],
    ]);
    expect(told).toEqual(['PortNotAllocated: Port 30061 is not allocated; repairing']);
  });
});
