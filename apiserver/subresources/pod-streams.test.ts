// Logs, exec and the like against a small peer that plays the kubelet: what arrives there, and what comes back. The real kubelet's
// side has tests of its own; here only the way between client and node is looked at.
import { createServer, type Server } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { node } from '#api/core/node/node.ts';
import { pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const { signal } = new AbortController();
const seen: { method: string; url: string; upgrade: string | undefined; authorization: string | undefined; user: string }[] = [];
let server: TestApiServer;
let client: RestClient;
let admin: Agent;
let kubelet: Server;
/** One whose certificate nobody knows. */
let stranger: Server;
let pair: { cert: string; key: string };

beforeAll(async () => {
  const ca = await createCa('kubelet-ca', Date.now());
  kubelet = await startKubelet(ca);
  stranger = await startKubelet(ca, await createCa('somebody', Date.now()));
  const own = await signCertificate(ca, { commonName: 'kube-apiserver-kubelet-client', usages: ['client'] }, Date.now());
  server = await startTestApiServer({
    admissionPlugins: ['NamespaceLifecycle'],
    kubelet: { ...own, ca: ca.cert, addressTypes: ['InternalIP'] },
    mayReach: () => true,
  });
  const { credentials } = server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  pair = credentials;
  admin = new Agent({ connect: { ca: server.ca.cert, cert: pair.cert, key: pair.key } });
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  await makeNode('n1', kubelet);
  await makeNode('unknown', stranger);
  await makePod('here', ['one'], 'n1');
  await makePod('two', ['a', 'b'], 'n1');
  await makePod('nowhere', ['one']);
  await makePod('elsewhere', ['one'], 'unknown');
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await admin.destroy();
  await server.stop();
  for (const one of [kubelet, stranger]) {
    one.closeAllConnections();
    one.close();
  }
});

async function makeNode(name: string, itsKubelet: Server): Promise<void> {
  const port = (itsKubelet.address() as AddressInfo).port;
  await client.create(node, { metadata: { name } }, {}, signal);
  await client.patch(
    node,
    { name },
    { status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } } },
    { type: 'strategic', subresource: 'status' },
    signal,
  );
}

async function makePod(name: string, containers: string[], onNode?: string): Promise<void> {
  const spec = { containers: containers.map((one) => ({ name: one, image: 'i' })) };
  await client.create(pod, { metadata: { namespace: 'default', name }, spec }, {}, signal);
  if (onNode === undefined) return;
  const target = { kind: 'Node', name: onNode };
  await client.createSub(pod, { namespace: 'default', name }, 'binding', { metadata: { name }, target }, signal);
}

/** Answers logs with text, and echoes what comes through an upgraded connection in capitals. */
async function startKubelet(ca: KeyPair, signer = ca): Promise<Server> {
  const own = await signCertificate(signer, { commonName: 'n1', ips: ['127.0.0.1'], usages: ['server'] }, Date.now());
  const made = createServer({ ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: true });
  const note = (incoming: { method?: string; url?: string; headers: Record<string, unknown>; socket: unknown }): void => {
    const { subject } = (incoming.socket as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate();
    seen.push({
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      upgrade: incoming.headers['upgrade'] as string | undefined,
      authorization: incoming.headers['authorization'] as string | undefined,
      user: subject.CN,
    });
  };
  made.on('request', (incoming, response) => {
    note(incoming as never);
    if (incoming.url?.includes('previous') === true) {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end('previous terminated container "one" in pod "here" not found');
    } else response.end('line 1\nline 2\n');
  });
  made.on('upgrade', (incoming, socket: Duplex) => {
    note(incoming as never);
    if (incoming.url?.includes('command=refuse') === true) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: close\r\n\r\nnot you');
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n`,
    );
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString().toUpperCase();
      socket.write(text);
      if (text.includes('BYE')) socket.end();
    });
  });
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return made;
}

async function get(path: string): Promise<{ code: number; text: string }> {
  const answer = await request(`${server.url}${path}`, { dispatcher: admin });
  return { code: answer.statusCode, text: await answer.body.text() };
}

/** Sends an upgrade request and what follows it, as one piece; gives everything that comes back until the other side ends. */
async function upgrade(path: string, after = '', head = ''): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: server.ca.cert, ...pair });
  await once(socket, 'secureConnect');
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n${head}Content-Length: 0\r\n\r\n`,
  );
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (chunks.length === 1 && after !== '' && chunk.toString().includes(' 101 ')) socket.write(after);
  });
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

function webSocket(path: string, ...protocols: string[]): WebSocket {
  return new WebSocket(`wss://127.0.0.1:${server.port}${path}`, protocols, { ca: server.ca.cert, ...pair });
}

const pods = '/api/v1/namespaces/default/pods';

describe('logs', () => {
  test('come from the node, with the options translated', async () => {
    const answer = await get(`${pods}/here/log?tailLines=2&timestamps=true&follow=true&sinceSeconds=9`);
    expect(answer).toEqual({ code: 200, text: 'line 1\nline 2\n' });
    expect(seen.at(-1)).toEqual({
      method: 'GET',
      url: '/containerLogs/default/here/one?follow=true&timestamps=true&sinceSeconds=9&tailLines=2',
      upgrade: undefined,
      authorization: undefined,
      user: 'kube-apiserver-kubelet-client',
    });
  });

  test('of a kubelet that nobody knows are there for those who do not mind', async () => {
    expect(await get(`${pods}/elsewhere/log?insecureSkipTLSVerifyBackend=true`)).toEqual({ code: 200, text: 'line 1\nline 2\n' });
    expect(seen.at(-1)?.url).toBe('/containerLogs/default/elsewhere/one');
    const { code, text } = await get(`${pods}/elsewhere/log`);
    expect([code, JSON.parse(text)]).toEqual([
      500,
      expect.objectContaining({
        message: expect.stringMatching(
          /^Get "https:\/\/127\.0\.0\.1:\d+\/containerLogs\/default\/elsewhere\/one": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
        ) as string,
      }),
    ]);
  });

  test('of a pod without a node are empty', async () => {
    expect(await get(`${pods}/nowhere/log`)).toEqual({ code: 200, text: '' });
  });

  test.each<[string, string, string[]]>([
    ['binary.k8s.io', 'here', ['', 'line 1\nline 2\n']],
    ['base64.binary.k8s.io', 'here', ['', Buffer.from('line 1\nline 2\n').toString('base64')]],
    ['', 'here', ['', 'line 1\nline 2\n']],
    ['binary.k8s.io', 'nowhere', ['']],
  ])('come as messages to a WebSocket that speaks %j, of %s', async (protocol, name, expected) => {
    const socket = webSocket(`${pods}/${name}/log?follow=true`, ...(protocol === '' ? [] : [protocol]));
    const messages: [string, boolean][] = [];
    socket.on('message', (data: Buffer, isBinary) => messages.push([data.toString(), isBinary]));
    const [code] = (await once(socket, 'close')) as [number];
    expect([socket.protocol, code]).toEqual([protocol, 1000]);
    expect(messages).toEqual(expected.map((text) => [text, !protocol.startsWith('base64')]));
  });

  test('are refused to a WebSocket as to everybody, and where its protocol is unknown', async () => {
    const refusals = [`${pods}/two/log`, `${pods}/here/log`].map(async (path) => once(webSocket(path, 'channel.k8s.io'), 'open'));
    const [ambiguous, unknown] = await Promise.allSettled(refusals);
    expect(ambiguous).toMatchObject({ reason: new Error('Unexpected server response: 400') });
    expect(unknown).toMatchObject({ reason: new Error('Unexpected server response: 403') });
  });

  test.each<[string, number, string]>([
    ['two/log', 400, 'a container name must be specified for pod two, choose one of: [a b]'],
    ['two/log?container=c', 400, 'container c is not valid for pod two'],
    ['here/log?previous=true', 400, 'previous terminated container "one" in pod "here" not found'],
    ['ghost/log', 404, 'pods "ghost" not found'],
    ['here/log?tailLines=-1', 422, 'PodLogOptions "here" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'],
    ['here/log?limitBytes=0', 422, 'PodLogOptions "here" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
  ])('refused: %s', async (path, code, message) => {
    const answer = await get(`${pods}/${path}`);
    expect([answer.code, (JSON.parse(answer.text) as { message: string }).message]).toEqual([code, message]);
  });
});

describe('streams', () => {
  test('exec reaches the container, byte for byte both ways', async () => {
    const answer = await upgrade(
      `${pods}/here/exec?command=ls&command=-l&stdin=true&tty=true`,
      'hello bye',
      'Authorization: Basic secret\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).toContain('X-Stream-Protocol-Version: v4.channel.k8s.io');
    expect(answer.endsWith('HELLO BYE')).toBe(true);
    expect(seen.at(-1)).toEqual({
      method: 'POST',
      url: '/exec/default/here/one?input=1&output=1&error=1&tty=1&command=ls&command=-l',
      upgrade: 'SPDY/3.1',
      authorization: undefined,
      user: 'kube-apiserver-kubelet-client',
    });
  });

  test('port-forward and attach go to their paths', async () => {
    await upgrade(`${pods}/here/portforward?ports=80`, 'bye');
    expect(seen.at(-1)?.url).toBe('/portForward/default/here?port=80');
    await upgrade(`${pods}/here/attach?container=one&stdout=true&stderr=false`, 'bye');
    expect(seen.at(-1)?.url).toBe('/attach/default/here/one?output=1');
  });

  test('what the kubelet refuses is refused', async () => {
    const answer = await upgrade(`${pods}/here/exec?command=refuse`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toMatch(/not you/);
  });

  test('what the kubelet refuses ends the sessions of newer WebSocket clients, once they have begun', async () => {
    const socket = webSocket(`${pods}/here/exec?command=refuse`, 'v5.channel.k8s.io');
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message[0]).toBe(3);
    expect(JSON.parse(message.subarray(1).toString())).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'Internal error occurred: unable to upgrade connection: not you',
      reason: 'InternalError',
      details: { causes: [{ message: 'unable to upgrade connection: not you' }] },
      code: 500,
    });
    await once(socket, 'close');
    const older = webSocket(`${pods}/here/exec?command=refuse`, 'v4.channel.k8s.io');
    await expect(once(older, 'open')).rejects.toThrow('Unexpected server response: 403');
  });

  test.each<[string, RegExp]>([
    ['two/exec?command=x', /a container name must be specified for pod two/],
    ['nowhere/exec?command=x', /pod nowhere does not have a host assigned/],
    ['ghost/exec?command=x', /pods \\"ghost\\" not found/],
  ])('refused before the kubelet hears of it: %s', async (path, message) => {
    const before = seen.length;
    expect(await upgrade(`${pods}/${path}`)).toMatch(message);
    expect(seen.length).toBe(before);
  });

  test('without an upgrade there is nothing to exec', async () => {
    const answer = await request(`${server.url}${pods}/here/exec?command=x`, { method: 'POST', dispatcher: admin });
    expect(await answer.body.json()).toMatchObject({ code: 400, message: 'Upgrade request required' });
  });
});

describe('acts', () => {
  test('a pod is bound once', async () => {
    const target = { kind: 'Node', name: 'n2' };
    const again = client.createSub(pod, { namespace: 'default', name: 'here' }, 'binding', { metadata: { name: 'here' }, target }, signal);
    await expect(again).rejects.toThrow('Operation cannot be fulfilled on pods/binding "here": pod here is already assigned to node "n1"');
    const found = await client.get(pod, { namespace: 'default', name: 'here' }, signal);
    expect(found.status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
  });

  test('an eviction deletes gracefully', async () => {
    await makePod('evicted', ['one'], 'n1');
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'evicted' } };
    const answer = await client.createSub(pod, { namespace: 'default', name: 'evicted' }, 'eviction', body, signal);
    expect(answer).toEqual({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
    const found = await client.get(pod, { namespace: 'default', name: 'evicted' }, signal);
    expect([found.metadata.deletionTimestamp !== undefined, found.metadata.deletionGracePeriodSeconds]).toEqual([true, 30]);
  });
});

describe('proxies', () => {
  test('hand requests on to the kubelet, without who asks', async () => {
    const { statusCode, body } = await request(`${server.url}/api/v1/nodes/n1/proxy/a%20b//c/?x=1&y=%2F`, {
      dispatcher: admin,
      method: 'POST',
      headers: { authorization: 'Basic secret', 'impersonate-user': 'root', 'impersonate-group': 'system:masters' },
      body: 'hello',
    });
    expect([statusCode, await body.text()]).toEqual([200, 'line 1\nline 2\n']);
    expect(seen.at(-1)).toMatchObject({
      method: 'POST',
      url: '/a%20b/c/?x=1&y=%2F',
      authorization: undefined,
      user: 'kube-apiserver-kubelet-client',
    });
  });

  test('join connections that leave HTTP', async () => {
    expect(await upgrade('/api/v1/nodes/n1/proxy/exec/x', 'hi bye')).toContain('HI BYE');
  });

  test('send pages to the slash that their links need', async () => {
    const { statusCode, headers } = await request(`${server.url}/api/v1/nodes/n1/proxy?x=1`, { dispatcher: admin });
    expect([statusCode, headers['location']]).toEqual([301, '/api/v1/nodes/n1/proxy/?x=1']);
  });

  test.each([
    ['/api/v1/nodes/none/proxy/', 404, 'nodes "none" not found'],
    ['/api/v1/nodes/ftp:n1:1/proxy/', 400, 'invalid node request "ftp:n1:1"'],
    [`${pods}/here/proxy/`, 400, 'address not allowed'],
    ['/api/v1/namespaces/default/services/kubernetes:nope/proxy/', 503, 'no endpoints available for service "kubernetes:nope"'],
  ])('refuse %s', async (path, code, message) => {
    const answer = await get(path);
    expect(answer.code).toBe(code);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: 'Status', code, message });
  });

  test('say in the words of Go that nobody is there', async () => {
    await client.create(node, { metadata: { name: 'n2' } }, {}, signal);
    const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } };
    await client.patch(node, { name: 'n2' }, { status }, { type: 'strategic', subresource: 'status' }, signal);
    const answer = await get('/api/v1/nodes/n2/proxy/healthz');
    expect([answer.code, (JSON.parse(answer.text) as { message: string }).message]).toEqual([
      503,
      'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
    ]);
  });
});
