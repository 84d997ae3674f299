import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { systemClock } from '#base/clock.ts';
import { connect } from '#client/rest.ts';
import { startTestApiServer } from '../testing.ts';

test('a watcher that does not read is cut off, and hinders nobody meanwhile', async () => {
  const clock = new FakeClock(Date.now());
  const { signal } = new AbortController();
  await using server = await startTestApiServer({ clock });
  await using client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  const { credentials } = server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: server.ca.cert, cert: credentials.cert, key: credentials.key });
  await once(socket, 'secureConnect');
  socket.write('GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable');
  // From here on nothing is read. More than the kernel keeps for both ends of a connection.
  const data = { x: 'y'.repeat(900_000) };
  const closed = once(socket, 'close');
  for (let at = 0; at < 24; at++) {
    await client.create(configMap, { metadata: { namespace: 'default', name: `big-${at}` }, data }, {}, signal);
  }
  await clock.advance(31_000);
  // Reading tells that the connection is gone; what had been sent before may still come.
  socket.on('error', () => undefined);
  let received = 0;
  socket.on('data', (chunk: Buffer) => (received += chunk.length));
  await closed;
  expect(received).toBeLessThan(24 * 900_000);
});
