import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { healthProbe, Peers, type Word } from './peers.ts';

const { signal } = new AbortController();

test('who does not answer three times in a row is dead, until it answers', async () => {
  const answers: Record<string, boolean> = { a: true };
  const peers = new Peers((address) => Promise.resolve(answers[address] === true ? 'serves' : 'silent'));
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

test('who says that it leaves is as good as dead at once, and stays so when it is gone', async () => {
  const words: Word[] = ['serves', 'leaves', 'silent', 'serves'];
  const peers = new Peers(() => Promise.resolve(words.shift() ?? 'silent'));
  const states: string[] = [];
  while (words.length > 0) {
    await peers.ask(new Map([['n', 'a']]), signal);
    states.push(peers.stateOf('n'));
  }
  expect(states).toEqual(['alive', 'dead', 'dead', 'alive']);
});

test('who never answered is unknown at first', async () => {
  const peers = new Peers(() => Promise.resolve('silent'));
  await peers.ask(new Map([['n', 'a']]), signal);
  expect(peers.stateOf('n')).toBe('unknown');
});

test('who is asked no more is forgotten', async () => {
  const peers = new Peers(() => Promise.resolve('serves'));
  await peers.ask(new Map([['n', 'a']]), signal);
  await peers.ask(new Map([['m', 'b']]), signal);
  expect([peers.stateOf('n'), peers.stateOf('m')]).toEqual(['unknown', 'alive']);
});

test('a proxy is asked for its health', async () => {
  let status = 200;
  let isLeaving = false;
  const server = createServer((request, response) =>
    response.writeHead(request.url === '/healthz' ? status : 404).end(`{"nodeEligible": ${!isLeaving}}`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const probe = healthProbe((server.address() as AddressInfo).port, 30_000, systemClock);
  expect(await probe('127.0.0.1', signal)).toBe('serves');
  status = 503;
  expect(await probe('127.0.0.1', signal)).toBe('silent');
  isLeaving = true;
  expect(await probe('127.0.0.1', signal)).toBe('leaves');
  await new Promise((resolve) => server.close(resolve));
  expect(await probe('127.0.0.1', signal)).toBe('silent');
});
