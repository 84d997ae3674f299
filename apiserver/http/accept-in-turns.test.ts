import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const places = 16;

test('many who connect at once are all answered', async () => {
  await using server = await startTestApiServer();
  const answers = await Promise.all(Array.from({ length: 200 }, () => statusLine(server)));
  expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 200 OK']));
});

test('those who connect and say nothing keep nobody out, and do not hold up the end of the server', async () => {
  const clock = new FakeClock(Date.now());
  await using server = await startTestApiServer({ clock });
  const silent = await Promise.all(Array.from({ length: 2 * places }, () => open(server)));
  let answer: string | undefined;
  const answered = statusLine(server).then((line) => (answer = line));
  // The first lose their places, then the next, then it is our turn.
  while (answer === undefined) {
    await clock.advance(10);
    await nextTurn();
  }
  expect(await answered).toBe('HTTP/1.1 200 OK');
  silent.push(...(await Promise.all(Array.from({ length: 2 * places }, () => open(server)))));
  const closed = silent.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)));
  await server.stop();
  await Promise.all(closed);
});

async function open({ port }: TestApiServer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function statusLine({ port, ca }: TestApiServer): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: ca.cert });
  socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const answer = await text(socket);
  return answer.slice(0, answer.indexOf('\r'));
}
