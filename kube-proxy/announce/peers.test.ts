import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { healthProbe, Peers } from './peers.ts';

const { signal } = new AbortController();

test('who does not answer three times in a row is dead, until it answers', async () => {
  const answers: Record<string, boolean> = { a: true };
  const peers = new Peers((address) => Promise.resolve(answers[address] === true));
  const asked = new Map([['n', 'a']]);
  expect(peers.stateOf('n')).toBe('unknown');
  const states: string[] = [];
  for (const answer of [true, false, false, true, false, false, false, true]) {
    answers['a'] = answer;
    await peers.ask(asked, signal);
    states.push(peers.stateOf('n'));
  }
  expect(states).toEqual(['alive', 'alive', 'alive', 'alive', 'alive', 'alive', 'dead', 'alive']);
});

test('who never answered is unknown at first', async () => {
  const peers = new Peers(() => Promise.resolve(false));
  await peers.ask(new Map([['n', 'a']]), signal);
  expect(peers.stateOf('n')).toBe('unknown');
});

test('who is asked no more is forgotten', async () => {
  const peers = new Peers(() => Promise.resolve(true));
  await peers.ask(new Map([['n', 'a']]), signal);
  await peers.ask(new Map([['m', 'b']]), signal);
  expect([peers.stateOf('n'), peers.stateOf('m')]).toEqual(['unknown', 'alive']);
});

test('a proxy is asked for its health', async () => {
  let status = 200;
  const server = createServer((request, response) => response.writeHead(request.url === '/healthz' ? status : 404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const probe = healthProbe((server.address() as AddressInfo).port, 30_000, systemClock);
  expect(await probe('127.0.0.1', signal)).toBe(true);
  status = 503;
  expect(await probe('127.0.0.1', signal)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await probe('127.0.0.1', signal)).toBe(false);
});
