// Service addresses and ports, over the wire, and over a restart on the same store.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Service, service } from '#api/core/service/service.ts';
import { hasReason } from '#api/meta/status.ts';
import { serviceCidr } from '#api/networking/service-cidr.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { MemoryStore } from '../storage/memory.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const store = new MemoryStore({ clock: systemClock });
const { signal } = new AbortController();
let server: TestApiServer;
let client: RestClient;

async function start(): Promise<void> {
  server = await startTestApiServer({ store });
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
}

async function stop(): Promise<void> {
  await client[Symbol.asyncDispose]();
  await server.stop();
}

beforeAll(start);
afterAll(async () => {
  await stop();
  await store[Symbol.asyncDispose]();
});

const key = (name: string) => ({ namespace: 'default', name });
const make = (name: string, spec: object) =>
  client.create(service, { metadata: key(name), spec: { ports: [{ port: 80 }], selector: { app: name }, ...spec } }, {}, signal);
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );

describe('service addresses', () => {
  test('come from the range, with the families of the cluster', async () => {
    const { spec } = await make('plain', {});
    expect(spec.clusterIP).toMatch(/^10\.(9[6-9]|10\d|11[01])\./);
    expect(spec).toMatchObject({ clusterIPs: [spec.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', type: 'ClusterIP' });
  });

  test('may be asked for, but belong to one only', async () => {
    await make('asked', { clusterIP: '10.96.0.77' });
    expect(await refusal(make('late', { clusterIP: '10.96.0.77' }))).toBe(
      'Service "late" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to allocate IP 10.96.0.77: provided IP is already allocated',
    );
    expect(await refusal(make('far', { clusterIP: '10.1.0.1' }))).toBe(
      'Service "far" is invalid: spec.clusterIPs: Invalid value: ["10.1.0.1"]: failed to allocate IP 10.1.0.1: the provided network does not match the current range',
    );
  });

  test('are free again once their Service is gone', async () => {
    await make('brief', { clusterIP: '10.96.0.78' });
    await client.delete(service, key('brief'), {}, signal);
    expect((await make('heir', { clusterIP: '10.96.0.78' })).spec.clusterIP).toBe('10.96.0.78');
  });

  test('come back from writes that come to nothing', async () => {
    expect(await refusal(make('broken', { clusterIP: '10.96.0.79', ports: [{ port: 99_999 }] }))).toMatch(/spec\.ports\[0\]\.port/);
    expect((await make('whole', { clusterIP: '10.96.0.79' })).spec.clusterIP).toBe('10.96.0.79');
  });

  test('stay through updates that leave them out', async () => {
    const before = await make('steady', { type: 'NodePort' });
    const after = await client.update<Service>(
      service,
      { metadata: key('steady'), spec: { type: 'NodePort', ports: [{ port: 80 }], selector: { app: 'x' } } },
      {},
      signal,
    );
    expect([after.spec.clusterIP, after.spec.ports?.[0]?.nodePort]).toEqual([before.spec.clusterIP, before.spec.ports?.[0]?.nodePort]);
  });

  test('headless ones have none, without a selector they are of both families', async () => {
    expect((await make('headless', { clusterIP: 'None' })).spec).toMatchObject({ clusterIPs: ['None'], ipFamilies: ['IPv4'] });
    const { spec } = await make('headless-bare', { clusterIP: 'None', selector: {} });
    expect(spec).toMatchObject({ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' });
  });

  test('IPv6 is refused in so many words', async () => {
    expect(await refusal(make('six', { ipFamilies: ['IPv6'] }))).toBe(
      'Service "six" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    );
  });

  test('node ports come and go with the type', async () => {
    const nodePort = (await make('typed', { type: 'NodePort' })).spec.ports?.[0]?.nodePort ?? 0;
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    expect(await refusal(make('other', { type: 'NodePort', ports: [{ port: 80, nodePort }] }))).toBe(
      `Service "other" is invalid: spec.ports[0].nodePort: Invalid value: ${nodePort}: provided port is already allocated`,
    );
    const plain = await client.patch(service, key('typed'), { spec: { type: 'ClusterIP' } }, { type: 'strategic' }, signal);
    expect(plain.spec.ports?.[0]?.nodePort).toBeUndefined();
    expect((await make('other', { type: 'NodePort', ports: [{ port: 80, nodePort }] })).spec.ports?.[0]?.nodePort).toBe(nodePort);
    expect(await refusal(make('outside', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }))).toBe(
      'Service "outside" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
  });

  test('UDP and TCP of one port share a node port', async () => {
    const { spec } = await make('both', {
      type: 'NodePort',
      ports: [
        { name: 't', port: 53, protocol: 'TCP' },
        { name: 'u', port: 53, protocol: 'UDP' },
      ],
    });
    expect(spec.ports?.[0]?.nodePort).toBe(spec.ports?.[1]?.nodePort);
  });

  test('a dry run takes nothing', async () => {
    const spec = { clusterIP: '10.96.0.90', ports: [{ port: 80 }] };
    await client.create(service, { metadata: key('dry'), spec }, { dryRun: true }, signal);
    expect((await make('wet', { clusterIP: '10.96.0.90' })).spec.clusterIP).toBe('10.96.0.90');
  });

  test('are remembered over a restart', async () => {
    await make('kept', { clusterIP: '10.96.0.99' });
    await stop();
    await start();
    expect(await refusal(make('thief', { clusterIP: '10.96.0.99' }))).toMatch(/already allocated/);
    const system = await client.get(service, key('kubernetes'), signal);
    expect(system.spec.clusterIP).toBe('10.96.0.1');
  });

  test('come from a range that says so', async () => {
    const { spec, status } = await client.get(serviceCidr, { name: 'kubernetes' }, signal);
    expect(spec.cidrs).toEqual(['10.96.0.0/12']);
    expect(status?.conditions).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: '',
        message: 'Kubernetes default Service CIDR is ready',
        lastTransitionTime: expect.stringMatching(/Z$/),
      },
    ]);
  });

  test('of many writers at a time are all different', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, (_, at) => make(`many-${at}`, {})));
    expect(new Set(made.map(({ spec }) => spec.clusterIP)).size).toBe(50);
  });

  test('one of two that want the same gets it', async () => {
    const outcomes = await Promise.allSettled([make('one', { clusterIP: '10.96.0.111' }), make('two', { clusterIP: '10.96.0.111' })]);
    expect(outcomes.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(['fulfilled', 'rejected']);
    const lost = outcomes.find((one) => one.status === 'rejected');
    expect(hasReason(lost?.reason, 'Invalid')).toBe(true);
  });
});
