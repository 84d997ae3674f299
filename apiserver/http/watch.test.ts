import { request as requestTls } from 'node:https';
import { type Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf, tlsOf } from './testing.ts';

interface Event {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly metadata?: { name?: string };
    readonly columnDefinitions?: unknown;
    readonly rows?: unknown[];
  };
}

let server: TestApiServer;
let admin: Agent;
const path = '/api/v1/namespaces/default/configmaps';

beforeAll(async () => {
  server = await startTestApiServer();
  admin = agentOf(server.adminClientConfig);
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

async function put(name: string, value: string): Promise<void> {
  const exists = await request(`${server.url}${path}/${name}`, { dispatcher: admin });
  await exists.body.dump();
  const answer = await request(`${server.url}${path}${exists.statusCode === 200 ? `/${name}` : ''}`, {
    method: exists.statusCode === 200 ? 'PUT' : 'POST',
    dispatcher: admin,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ metadata: { name }, data: { value } }),
  });
  await answer.body.dump();
}

/** Reads `count` events of a watch, doing `meanwhile` once it is open. */
async function watch(query: string, count: number, meanwhile: () => Promise<void>, accept = 'application/json'): Promise<Event[]> {
  const answer = await request(`${server.url}${path}?watch=true&${query}`, { dispatcher: admin, headers: { accept } });
  const doing = meanwhile();
  const events: Event[] = [];
  let rest = '';
  for await (const chunk of answer.body) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    events.push(...lines.map((line) => JSON.parse(line) as Event));
    if (events.length >= count) break;
  }
  await doing;
  return events;
}

describe('watch', () => {
  test('tells what is there, then what changes', async () => {
    await put('first', '1');
    const selector = 'fieldSelector=metadata.name%3Dfirst';
    const events = await watch(selector, 2, () => put('first', '2'));
    expect(events.map(({ type, object }) => [type, object.kind, object.metadata?.name])).toEqual([
      ['ADDED', 'ConfigMap', 'first'],
      ['MODIFIED', 'ConfigMap', 'first'],
    ]);
  });

  test('is counted while it is open, and so is what it tells', async () => {
    await put('counted', '1');
    const metrics = async (): Promise<string> => await (await request(`${server.url}/metrics`, { dispatcher: admin })).body.text();
    const running =
      /^apiserver_longrunning_requests\{component="apiserver",group="",resource="configmaps",scope="resource",subresource="",verb="WATCH",version="v1"\} (\d+)/m;
    const told = /^apiserver_watch_events_total\{group="",resource="configmaps",version="v1"\} (\d+)/m;
    const before = Number(told.exec(await metrics())?.[1] ?? 0);
    let open = '';
    await watch('fieldSelector=metadata.name%3Dcounted', 1, async () => {
      open = await metrics();
    });
    expect(Number(running.exec(open)?.[1])).toBe(1);
    expect(Number(told.exec(await metrics())?.[1])).toBeGreaterThan(before);
  });

  test('ends when its time is up', async () => {
    const events = await watch('timeoutSeconds=1&fieldSelector=metadata.name%3Dnobody', 1, () => Promise.resolve());
    expect(events).toEqual([]);
  });

  test('the old path watches as well', async () => {
    await put('old', '1');
    const answer = await request(`${server.url}/api/v1/watch/namespaces/default/configmaps/old`, { dispatcher: admin });
    for await (const chunk of answer.body) {
      expect(JSON.parse(String(chunk))).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'old' } } });
      break;
    }
  });

  test('as tables: the columns come once', async () => {
    await put('table', '1');
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const events = await watch('fieldSelector=metadata.name%3Dtable', 2, () => put('table', '2'), accept);
    expect(events.map(({ object }) => [object.kind, object.columnDefinitions === null, object.rows?.length])).toEqual([
      ['Table', false, 1],
      ['Table', true, 1],
    ]);
  });

  test('metadata alone', async () => {
    await put('meta', '1');
    const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
    const [event] = await watch('fieldSelector=metadata.name%3Dmeta', 1, () => Promise.resolve(), accept);
    expect(event).toMatchObject({ type: 'ADDED', object: { kind: 'PartialObjectMetadata', metadata: { name: 'meta' } } });
  });

  test('by WebSocket', async () => {
    await put('socket', '1');
    const url = `${server.url.replace('https', 'wss')}${path}?watch=1&fieldSelector=metadata.name%3Dsocket`;
    const socket = new WebSocket(url, tlsOf(server.adminClientConfig));
    const messages: Event[] = [];
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (data: Buffer) => {
        messages.push(JSON.parse(data.toString()) as Event);
        if (messages.length === 1) void put('socket', '2');
        else resolve();
      });
    });
    socket.close();
    expect(messages.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED']);
  });

  test('a refused upgrade is an ordinary answer', async () => {
    const socket = new WebSocket(`${server.url.replace('https', 'wss')}${path}?watch=1`, { ca: server.ca.cert });
    const code = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('error', () => undefined);
    });
    expect(code).toBe(403);
  });

  test.each<[string, string, string, string, number]>([
    ['a list', 'GET', path, 'websocket', 200],
    ['a write', 'POST', path, 'h2c', 201],
    ['a watch by anything but WebSocket', 'GET', `${path}?watch=1&timeoutSeconds=1`, 'h2c', 200],
    ['a path with a broken escape', 'GET', '/api/%zz', 'h2c', 400],
  ])('%s does not leave HTTP', async (_what, method, target, protocol, expected) => {
    const body = method === 'POST' ? JSON.stringify({ metadata: { name: 'stays' } }) : undefined;
    const headers = { connection: 'Upgrade', upgrade: protocol, 'content-type': 'application/json' };
    const code = await new Promise((resolve, reject) => {
      const asked = requestTls(`${server.url}${target}`, { ...tlsOf(server.adminClientConfig), method, headers, agent: false });
      asked.on('upgrade', () => reject(new Error('upgraded')));
      asked.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
      asked.on('error', reject);
      asked.end(body);
    });
    expect(code).toBe(expected);
  });

  test('ends with the server, which does not wait for it', async () => {
    const other = await startTestApiServer();
    const agent = agentOf(other.adminClientConfig);
    const answer = await request(`${other.url}${path}?watch=1`, { dispatcher: agent });
    const ended = answer.body.dump();
    await other.stop();
    await ended;
    await agent.destroy();
  });
});
