import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { type Clock, systemClock } from '#base/clock.ts';
import { createMetrics } from '#base/metrics.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createCa, signCertificate } from '#base/pki.ts';
import { ClientMetrics } from './client-metrics.ts';
import type { Credentials } from './endpoint.ts';
import { connect, type RestClient } from './rest.ts';

const never = new AbortController().signal;
const metrics = createMetrics();
const counted = new ClientMetrics(metrics);

describe('against servers that misbehave', () => {
  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  async function serve(
    answer: RequestListener,
    credentials: Credentials = { kind: 'none' },
    clock: Clock = systemClock,
  ): Promise<RestClient> {
    const server: Server = createServer(answer);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = connect({ server: url, credentials }, { clock, component: 'kube-test', version: 'v9', metrics: counted });
    open.push({
      close: () => {
        void client[Symbol.asyncDispose]();
        server.closeAllConnections();
        server.close();
      },
    });
    return client;
  }

  test('an answer without a Status still has a reason', async () => {
    const client = await serve((_, response) => response.writeHead(429, { 'retry-after': '7' }).end('slow down'));
    await expect(client.raw('GET', '/x', undefined, never)).rejects.toMatchObject({
      reason: 'TooManyRequests',
      code: 429,
      retryAfterSeconds: 7,
      message: 'GET /x: status 429: slow down',
    });
  });

  test('every request is counted under its host, method and code, also one without an answer', async () => {
    const counts = async (host: string): Promise<string[]> =>
      (await metrics.text())
        .split('\n')
        .filter((line) => line.includes(`host="${host}"`) && !line.includes('_bucket') && !line.includes('_sum'));
    let host = '';
    const client = await serve(({ headers, url, socket }, response) => {
      host = String(headers.host);
      if (url === '/cut') socket.destroy();
      else response.writeHead(url === '/no' ? 404 : 200).end('{}');
    });
    await client.raw('GET', '/yes', undefined, never);
    await client.raw('POST', '/yes', {}, never);
    await client.raw('GET', '/no', undefined, never).catch(() => undefined);
    await client.raw('PUT', '/cut', {}, never).catch(() => undefined);
    expect((await counts(host)).sort()).toEqual([
      `rest_client_request_duration_seconds_count{host="${host}",verb="GET"} 2`,
      `rest_client_request_duration_seconds_count{host="${host}",verb="POST"} 1`,
      `rest_client_request_duration_seconds_count{host="${host}",verb="PUT"} 1`,
      `rest_client_requests_total{code="200",host="${host}",method="GET"} 1`,
      `rest_client_requests_total{code="200",host="${host}",method="POST"} 1`,
      `rest_client_requests_total{code="404",host="${host}",method="GET"} 1`,
      `rest_client_requests_total{code="<error>",host="${host}",method="PUT"} 1`,
    ]);
  });

  test('an object that is no JSON', async () => {
    const client = await serve((_, response) => response.end('<html>'));
    await expect(client.get(configMap, { namespace: 'a', name: 'x' }, never)).rejects.toMatchObject({ name: 'TransportError' });
  });

  test('an answer that does not come', async () => {
    const clock = new FakeClock();
    const asked = Promise.withResolvers<void>();
    const client = await serve(() => asked.resolve(), { kind: 'none' }, clock);
    const failed = expect(client.raw('GET', '/x', undefined, never)).rejects.toMatchObject({
      name: 'TransportError',
      message: expect.stringContaining('not done within 60000 ms') as string,
    });
    await asked.promise;
    await clock.advance(60_000);
    await failed;
  });

  test('the abort of the caller comes through as it is', async () => {
    const stop = new AbortController();
    const client = await serve(() => stop.abort(new Error('enough')));
    await expect(client.raw('GET', '/x', undefined, stop.signal)).rejects.toThrow('enough');
  });

  test('says who it is, and reads its token again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-'));
    open.push({ close: () => rmSync(folder, { recursive: true }) });
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'first\n');
    const clock = new FakeClock();
    const answer: RequestListener = ({ headers }, response) => {
      response.end(JSON.stringify({ agent: headers['user-agent'], authorization: headers.authorization }));
    };
    const client = await serve(answer, { kind: 'token-file', tokenFile }, clock);
    expect(await client.raw('GET', '/', undefined, never)).toEqual({
      agent: expect.stringMatching(/^kube-test\/v9 \(\w+\/\w+\) kubernetes\//) as string,
      authorization: 'Bearer first',
    });
    writeFileSync(tokenFile, 'second');
    expect(await client.raw('GET', '/', undefined, never)).toMatchObject({ authorization: 'Bearer first' });
    await clock.advance(60_001);
    expect(await client.raw('GET', '/', undefined, never)).toMatchObject({ authorization: 'Bearer second' });
  });
});

test('a certificate that was replaced is shown once the old one is refused, also where a connection is kept busy', async () => {
  const nowMs = systemClock.nowMs();
  const ca = await createCa('ca', nowMs);
  const folder = mkdtempSync(join(tmpdir(), 'rotated-'));
  const file = join(folder, 'client.pem');
  const show = async (commonName: string): Promise<void> => {
    const { cert, key } = await signCertificate(ca, { commonName, usages: ['client'] }, nowMs);
    writeFileSync(file, `${cert}\n${key}`);
  };
  const { cert, key } = await signCertificate(ca, { commonName: 'server', ips: ['127.0.0.1'], usages: ['server'] }, nowMs);
  let refused = '';
  const server = createSecureServer({ cert, key, ca: ca.cert, requestCert: true }, ({ socket }, response) => {
    const { CN } = (socket as TLSSocket).getPeerCertificate().subject;
    response.writeHead(CN === refused ? 401 : 200).end(JSON.stringify({ CN }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await show('old');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { kind: 'certificate-files', certFile: file, keyFile: file } as const;
  await using client = connect(
    { server: url, ca: ca.cert, credentials },
    { clock: systemClock, component: 'kube-test', maxConnections: 1 },
  );
  const seen = (): Promise<unknown> => client.raw('GET', '/x', undefined, never);
  expect(await seen()).toEqual({ CN: 'old' });
  await show('new');
  expect(await seen(), 'the connection is kept').toEqual({ CN: 'old' });
  refused = 'old';
  await expect(seen()).rejects.toMatchObject({ code: 401 });
  expect(await seen()).toEqual({ CN: 'new' });
  refused = 'new';
  await expect(seen()).rejects.toMatchObject({ code: 401 });
  await expect(seen(), 'there is no other').rejects.toMatchObject({ code: 401 });
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});
