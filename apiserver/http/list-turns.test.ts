// Long lists in forms that have to be rendered: how many items are read between two turns of the event loop.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { longestSlice } from '../longest-slice.ts';
import type { Encoded } from '../registry/contract.ts';
import { aKind, testCodec } from '../registry/testing.ts';
import { Exchange, type RawRequest, type RawResponse } from './exchange.ts';
import { sendList } from './list-writer.ts';
import { Negotiator } from './negotiate.ts';
import { Query } from './query.ts';
import { parseRequestInfo } from './request-info.ts';

const count = 3_000;
const large = 'x'.repeat(6_000);

/** Items that count who reads them; every one is about 6 KB. */
function items(onRead: () => void): Encoded[] {
  return Array.from({ length: count }, (_, at) => {
    const json = Buffer.from(JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: `c-${at}` }, data: { large } }));
    let isRead = false;
    return {
      get json() {
        if (!isRead) onRead();
        isRead = true;
        return json;
      },
      resourceVersion: '1',
      object: () => JSON.parse(json.toString()),
    };
  });
}

test.each<[string, string, string]>([
  ['YAML', 'application/yaml', ''],
  ['indented JSON', 'application/json', 'pretty=1'],
  ['a table', 'application/json;as=Table;v=v1;g=meta.k8s.io', ''],
  ['a table with whole objects', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'includeObject=Object'],
  ['metadata alone', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', ''],
  ['a table in YAML', 'application/yaml;as=Table;v=v1;g=meta.k8s.io', ''],
  ['packed JSON', 'application/json', 'packed'],
])('%s', async (_name, accept, query) => {
  let read = 0;
  const kind = aKind('configmaps');
  const server = createServer((incoming, response) => {
    const path = '/api/v1/configmaps';
    const info = parseRequestInfo('GET', path, Query.empty);
    if (info === undefined) throw new Error('no list');
    const exchange = new Exchange({
      request: incoming as unknown as RawRequest,
      response: response as unknown as RawResponse,
      info,
      query: new Query(query),
      auditId: 'x',
      startMs: 0,
    } as never);
    const answer = { items: items(() => read++), count, resourceVersion: '1', continue: '', remainingItemCount: undefined };
    void sendList(exchange, new Negotiator().negotiate(accept), kind, answer, { clock: systemClock, codec: testCodec });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const longest = await longestSlice(
    () => read,
    async () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const got = await request(url, { headers: query === 'packed' ? { 'accept-encoding': 'gzip' } : {} });
      await got.body.dump({ limit: 1e9 });
    },
  );
  server.close();
  expect(read).toBe(count);
  // Packed items are only copied.
  expect(longest).toBeLessThanOrEqual(query === 'packed' ? 1_100 : 64);
});
