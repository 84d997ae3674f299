// Two API servers on one etcd: what one has acknowledged, every later read at the other shows, and watches on both tell the same.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { service } from '#api/core/service/service.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { EtcdCluster } from '#test/testbed/etcd.ts';
import { EtcdStore } from './etcd-store.ts';

const noTls = { caFile: undefined, certFile: undefined, keyFile: undefined };
const { signal } = new AbortController();
const namespace = 'kube-system';
let open: AsyncDisposableStack;
let cluster: EtcdCluster;

beforeEach(async () => {
  open = new AsyncDisposableStack();
  cluster = open.use(await EtcdCluster.start());
});
afterEach(() => open[Symbol.asyncDispose]());

async function aServer(other?: TestApiServer): Promise<{ server: TestApiServer; store: EtcdStore; client: RestClient }> {
  const store = open.use(await EtcdStore.open({ servers: cluster.servers, tls: noTls, clock: systemClock, log: silentLog }, signal));
  const server = open.use(await startTestApiServer({ store, ...(other === undefined ? {} : { ca: other.ca }) }));
  const client = open.use(connect(server.adminClientConfig, { clock: systemClock, component: 'test' }));
  return { server, store, client };
}

test('a write at one server is in every later read at the other', async () => {
  const { server, client: first } = await aServer();
  const { client: second } = await aServer(server);
  for (let round = 0; round < 30; round++) {
    const name = `m${round}`;
    const made = await first.create(configMap, { metadata: { name, namespace } }, {}, signal);
    const found = await second.get(configMap, { namespace, name }, signal);
    expect(found.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const { items } = await second.list(configMap, { namespace }, signal);
    expect(items.filter((item) => item.metadata.name === name)).toHaveLength(1);
    await second.delete(configMap, { namespace, name }, {}, signal);
    await expect(first.get(configMap, { namespace, name }, signal)).rejects.toMatchObject({ reason: 'NotFound' });
  }
});

test('of racing updates at both servers none is lost', async () => {
  const { server, client: first } = await aServer();
  const { client: second } = await aServer(server);
  const key = { namespace, name: 'count' };
  await first.create(configMap, { metadata: key, data: { count: '0' } }, {}, signal);
  const countUp = async (client: RestClient): Promise<void> => {
    for (let done = 0; done < 20; ) {
      const found = await client.get(configMap, key, signal);
      const data = { count: String(Number(found.data?.['count']) + 1) };
      try {
        await client.update(configMap, { ...found, data }, {}, signal);
        done++;
      } catch (error) {
        expect(error).toMatchObject({ reason: 'Conflict' });
      }
    }
  };
  await Promise.all([countUp(first), countUp(second)]);
  expect((await first.get(configMap, key, signal)).data).toEqual({ count: '40' });
});

test('an address that one server gave to a Service is taken at the other too, until the Service is gone', async () => {
  const { server, client: first } = await aServer();
  const { client: second } = await aServer(server);
  const spec = { clusterIP: '10.96.7.7', type: 'NodePort', ports: [{ port: 80, nodePort: 30_077 }] };
  const make = (client: RestClient, name: string): Promise<unknown> =>
    client.create(service, { metadata: { name, namespace }, spec }, {}, signal);
  await make(first, 'one');
  await second.get(service, { namespace, name: 'one' }, signal);
  await expect(make(second, 'two')).rejects.toThrow('provided IP is already allocated');
  await second.delete(service, { namespace, name: 'one' }, {}, signal);
  await expect(first.get(service, { namespace, name: 'one' }, signal)).rejects.toMatchObject({ reason: 'NotFound' });
  await make(first, 'three');
});

test('of Services that ask both servers for one address or one node port at once, one gets it, and nothing is left of the other', async () => {
  const { server, store, client: first } = await aServer();
  const { client: second } = await aServer(server);
  for (let round = 0; round < 10; round++) {
    const spec = { clusterIP: `10.96.8.${round + 1}`, type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 + round }] };
    const asked = [first, second].map((client, at) =>
      client.create(service, { metadata: { name: `r${round}-${at}`, namespace }, spec }, {}, signal),
    );
    const answers = await Promise.allSettled(asked);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(['fulfilled', 'rejected']);
    const refused = answers.find((answer) => answer.status === 'rejected');
    expect(refused?.reason.message).toContain('already allocated');
  }
  const { items } = await store.list('/registry/ipaddresses/10.96.8.', {}, signal);
  expect(items).toHaveLength(10);
});

test('node ports of chance at both servers are all different', async () => {
  const { server, client: first } = await aServer();
  const { client: second } = await aServer(server);
  const made = await Promise.all(
    Array.from({ length: 40 }, (_, at) => {
      const spec = { type: 'NodePort', ports: [{ port: 80 }] };
      return (at % 2 === 0 ? first : second).create(service, { metadata: { name: `n${at}`, namespace }, spec }, {}, signal);
    }),
  );
  expect(new Set(made.map(({ spec }) => spec.ports?.[0]?.nodePort)).size).toBe(40);
});
