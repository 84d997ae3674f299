// What flags change on the wire. TLS, HTTP/1.1 and HTTP/2 are real.
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { Agent, request } from 'undici';
import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { MemoryStore } from '../storage/memory.ts';
import { startTestApiServer, type TestApiServer, type TestApiServerOptions } from '../testing.ts';
import { plainHttp } from './request-flags.ts';
import { readRuntimeConfig } from './runtime-config.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

function tlsOf(server: TestApiServer): { ca: string; cert: string; key: string } {
  const { credentials } = server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  return { ca: server.ca.cert, cert: credentials.cert, key: credentials.key };
}

interface Client extends AsyncDisposable {
  readonly server: TestApiServer;
  send(method: string, path: string, headers?: Record<string, string>, body?: object): Promise<Answer>;
}

interface Answer {
  readonly code: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

async function start(options: TestApiServerOptions): Promise<Client> {
  const server = await startTestApiServer(options);
  const agent = new Agent({ allowH2: false, connect: tlsOf(server) });
  return {
    server,
    send: async (method, path, headers = {}, body) => {
      const json = body === undefined ? null : JSON.stringify(body);
      const all = { ...headers, ...(json === null ? {} : { 'content-type': 'application/json' }) };
      const answer = await request(`${server.url}${path}`, { method: method as 'GET', dispatcher: agent, headers: all, body: json });
      return { code: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    },
    [Symbol.asyncDispose]: async () => {
      await agent.destroy();
      await server.stop();
    },
  };
}

const rights = {
  'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'access-control-allow-headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'access-control-expose-headers': 'Date',
  'access-control-allow-credentials': 'true',
};

describe('browsers', () => {
  const http = { ...plainHttp, origins: [/^http:\/\/foo\.com$/, /\/\/bar\.com(:|$)/], transportSecurity: 'max-age=1; preload' };

  test('of origins that are let in are told so, others are not', async () => {
    await using client = await start({ more: { http } });
    const granted = await client.send('GET', '/version', { origin: 'https://bar.com:8443' });
    expect(granted).toMatchObject({ code: 200, headers: { ...rights, 'access-control-allow-origin': 'https://bar.com:8443' } });
    for (const origin of [undefined, 'http://foo.com.evil.example', 'null']) {
      const { code, headers } = await client.send('GET', '/version', origin === undefined ? {} : { origin });
      expect(code).toBe(200);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('may ask first without saying who they are, and get an answer on refusals, too', async () => {
    await using client = await start({ more: { http }, authentication: { acceptsAnonymous: false } });
    const nobody = new Agent({ connect: { ca: client.server.ca.cert } });
    const ask = async (method: 'OPTIONS' | 'GET', origin: string) => {
      const { statusCode, headers, body } = await request(`${client.server.url}${configMaps}`, {
        method,
        dispatcher: nobody,
        headers: { origin },
      });
      return { code: statusCode, origin: headers['access-control-allow-origin'], type: headers['content-type'], text: await body.text() };
    };
    expect(await ask('OPTIONS', 'http://foo.com')).toEqual({ code: 204, origin: 'http://foo.com', type: undefined, text: '' });
    expect(await ask('OPTIONS', 'http://baz.com')).toMatchObject({ code: 401, origin: undefined });
    expect(await ask('GET', 'http://foo.com')).toMatchObject({ code: 401, origin: 'http://foo.com' });
    await nobody.destroy();
  });

  test('are told on every answer to come by HTTPS', async () => {
    await using client = await start({ more: { http } });
    for (const [method, path] of [
      ['GET', '/healthz'],
      ['GET', configMaps],
      ['GET', `${configMaps}/none`],
      ['GET', '/nope'],
      ['GET', `${configMaps}?watch=1&timeoutSeconds=1&resourceVersion=0`],
    ] as const) {
      expect((await client.send(method, path)).headers['strict-transport-security']).toBe('max-age=1; preload');
    }
    await using other = await start({});
    expect((await other.send('GET', '/healthz')).headers['strict-transport-security']).toBeUndefined();
  });
});

describe('connections', () => {
  const get = async (session: ClientHttp2Session, path: string): Promise<number> => {
    const stream = session.request({ ':path': path });
    const [headers] = (await once(stream, 'response')) as [Record<string, number>];
    stream.resume();
    await once(stream, 'end');
    return headers[':status'] ?? 0;
  };

  test('of HTTP/2 are told to end by chance, after what is under way on them; those of HTTP/1.1 never', async () => {
    // Not a chance that flags allow: it makes every request one of the few.
    await using client = await start({ more: { http: { ...plainHttp, goawayChance: 1.1 } } });
    const session = connectHttp2(client.server.url, tlsOf(client.server));
    const watch = session.request({ ':path': `${configMaps}?watch=1&resourceVersion=0` });
    const goneAway = once(session, 'goaway');
    await once(watch, 'response');
    await goneAway;
    const line = once(watch, 'data');
    const made = await client.send('POST', configMaps, {}, { metadata: { name: 'a' } });
    expect([made.code, made.headers['connection']]).toEqual([201, 'keep-alive']);
    expect(String((await line)[0])).toContain('"ADDED"');
    const late = session.request({ ':path': '/healthz' });
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ERR_HTTP2_GOAWAY_SESSION');
    session.destroy();
    const next = connectHttp2(client.server.url, tlsOf(client.server));
    expect(await get(next, '/healthz')).toBe(200);
    next.destroy();
  });

  test('of HTTP/2 have as many streams as is said', async () => {
    await using client = await start({ more: { http: { ...plainHttp, streamsPerConnection: 7 } } });
    const session = connectHttp2(client.server.url, tlsOf(client.server));
    const [settings] = (await once(session, 'remoteSettings')) as [{ maxConcurrentStreams: number }];
    expect(settings.maxConcurrentStreams).toBe(7);
    session.destroy();
  });

  test('use the suites that are said, also after the certificate was renewed', async () => {
    await using client = await start({
      more: { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256' },
    });
    const talk = async (ciphers: string): Promise<string> => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: client.server.port,
        ...tlsOf(client.server),
        servername: 'localhost',
        maxVersion: 'TLSv1.2',
        ciphers,
      });
      try {
        await once(socket, 'secureConnect');
        return socket.getCipher().standardName;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? '';
      } finally {
        socket.destroy();
      }
    };
    const refused = 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384';
    expect(await talk(refused)).toContain('HANDSHAKE_FAILURE');
    expect(await talk('ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256')).toContain('AES_128_GCM_SHA256');
  });
});

test('while it ends, a server sends away what comes new, but not probes', async () => {
  const clock = new FakeClock(Date.now());
  const http = { ...plainHttp, sendsRetryAfter: true };
  // An account that does not come keeps this write open.
  await using client = await start({ clock, more: { http } });
  const before = clock.pending;
  const open = client.send(
    'POST',
    '/api/v1/namespaces/default/pods',
    {},
    { metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  );
  while (clock.pending <= before) await new Promise((resolve) => setImmediate(resolve));
  const stopped = client.server.stop();
  let answer = await client.send('GET', configMaps);
  while (answer.code === 200) answer = await client.send('GET', configMaps);
  expect(answer).toMatchObject({
    code: 429,
    headers: { 'retry-after': '5', connection: 'close' },
    text: 'The apiserver is shutting down, please try again later.\n',
  });
  expect((await client.send('GET', '/livez')).code).toBe(200);
  expect((await client.send('GET', configMaps, { 'user-agent': 'kube-apiserver/v1.36.4' })).code).toBe(200);
  // What was under way goes on: the write waits for its account as long as ever.
  await clock.advance(2_000);
  expect((await open).code).toBe(403);
  await clock.advance(2_000);
  await stopped;
});

describe('API versions that are off', () => {
  const isShown = readRuntimeConfig(
    new Map([
      ['apps/v1', 'false'],
      ['batch/v1/cronjobs', 'false'],
      ['autoscaling/v1', 'false'],
    ]),
    builtinKinds,
  );

  test('are not found, while all others are', async () => {
    await using client = await start({ more: { isShown } });
    const code = async (path: string): Promise<number> => (await client.send('GET', path)).code;
    expect(await code('/apis/apps/v1/namespaces/default/deployments')).toBe(404);
    expect((await client.send('GET', '/apis/apps')).text).toBe('404 page not found\n');
    expect(JSON.parse((await client.send('GET', '/apis/batch/v1/cronjobs')).text)).toMatchObject({
      message: 'the server could not find the requested resource',
    });
    expect(await code('/apis/batch/v1/jobs')).toBe(200);
    expect([await code('/apis/autoscaling/v1'), await code('/apis/autoscaling/v2/horizontalpodautoscalers')]).toEqual([404, 200]);
    const groups = JSON.parse((await client.send('GET', '/apis')).text) as { groups: { name: string }[] };
    expect(groups.groups.map(({ name }) => name)).not.toContain('apps');
    const batch = JSON.parse((await client.send('GET', '/apis/batch/v1')).text) as { resources: { name: string }[] };
    expect(batch.resources.map(({ name }) => name)).toEqual(['jobs', 'jobs/status']);
    const openApi = JSON.parse((await client.send('GET', '/openapi/v3')).text) as { paths: object };
    expect(Object.keys(openApi.paths)).toEqual(expect.arrayContaining(['apis/batch/v1']));
    expect(Object.keys(openApi.paths)).not.toContain('apis/apps/v1');
    const services = JSON.parse((await client.send('GET', '/apis/apiregistration.k8s.io/v1/apiservices')).text) as {
      items: { metadata: { name: string } }[];
    };
    const names = services.items.map(({ metadata }) => metadata.name);
    expect([names.includes('v1.batch'), names.includes('v1.apps'), names.includes('v1.autoscaling')]).toEqual([true, false, false]);
  });
});

test('events live as long as is said; 0 is for ever', async () => {
  for (const [eventTtlSeconds, left] of [
    [7, 0],
    [0, 1],
  ] as const) {
    const clock = new FakeClock(Date.now());
    const store = new MemoryStore({ clock });
    await using client = await start({ clock, store, more: { eventTtlSeconds } });
    const event = {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
      reason: 'R',
      message: 'm',
      type: 'Normal',
    };
    expect((await client.send('POST', '/api/v1/namespaces/default/events', {}, event)).code).toBe(201);
    const names = async (): Promise<string[]> => {
      const list = JSON.parse((await client.send('GET', '/api/v1/namespaces/default/events')).text) as {
        items: { metadata: { name: string } }[];
      };
      return list.items.map(({ metadata }) => metadata.name).filter((name) => name === 'e');
    };
    await clock.advance(6_000);
    expect(await names()).toEqual(['e']);
    await clock.advance(10_000_000);
    expect(await names()).toHaveLength(left);
  }
});

test('tokens end within the bound, and those of pods when they say where nothing prolongs them', async () => {
  await using client = await start({ tokens: { maxSeconds: 3_700, extendsPodTokens: false, keysUrl: 'https://keys.example/jwks' } });
  await client.send('POST', '/api/v1/namespaces/default/serviceaccounts', {}, { metadata: { name: 'robot' } });
  const ask = async (expirationSeconds: number) =>
    await client.send('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', {}, { spec: { expirationSeconds } });
  const long = await ask(7_200);
  expect(JSON.parse(long.text)).toMatchObject({ spec: { expirationSeconds: 3_700 } });
  expect(long.headers['warning']).toBe('299 - "requested expiration of 7200 seconds shortened to 3700 seconds"');
  const short = await ask(900);
  expect([JSON.parse(short.text).spec.expirationSeconds, short.headers['warning']]).toEqual([900, undefined]);
  const keys = JSON.parse((await client.send('GET', '/.well-known/openid-configuration')).text) as object;
  expect(keys).toMatchObject({ jwks_uri: 'https://keys.example/jwks' });
});

test('clients outside are told the name that is said', async () => {
  await using client = await start({ more: { externalAddress: 'api.example' } });
  const { port } = client.server;
  expect(JSON.parse((await client.send('GET', '/api')).text)).toMatchObject({
    serverAddressByClientCIDRs: [{ serverAddress: `api.example:${port}` }],
  });
  const keys = JSON.parse((await client.send('GET', '/.well-known/openid-configuration')).text) as object;
  expect(keys).toMatchObject({ jwks_uri: `https://api.example:${port}/openid/v1/jwks` });
});
