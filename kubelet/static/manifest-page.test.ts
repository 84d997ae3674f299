import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { createCodec } from '#api/schema/codec.ts';
import type { Clock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { eventually } from '../testing.ts';
import { ManifestPage } from './manifest-page.ts';

const codec = createCodec();
let server: Server;
let page: { status: number; text: string };
let asked: IncomingHttpHeaders[];
let told: (readonly string[])[];
let looks: number;
let clock: FakeClock;
let life: AbortController;
let ended: Promise<void>;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers);
    response.writeHead(page.status).end(page.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  [asked, told, looks, clock, life] = [[], [], 0, new FakeClock(), new AbortController()];
});
afterEach(async () => {
  life.abort(new Error('over'));
  await ended;
});

const item = (name: string): object => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } });
const pod = (name: string): string => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...item(name) });
const list = (...names: string[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: names.map(item) });

/** Begins to follow the page, which says this now. */
async function follow(status: number, text: string): Promise<void> {
  page = { status, text };
  const onPods = (pods: readonly Pod[]): void => void told.push(pods.map(({ metadata }) => metadata.name ?? ''));
  const counted: Clock = {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    startTimer: (ms, fire) => clock.startTimer(ms, fire),
    deadline: (signal, ms) => clock.deadline(signal, ms),
    sleep: (ms, signal) => {
      looks++;
      return clock.sleep(ms, signal);
    },
  };
  const deps = { onPods, codec: () => Promise.resolve(codec), clock: counted, log: silentLog };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pods`;
  const service = new ManifestPage(deps, { url, headers: { 'X-One': ['a', 'b'] }, nodeName: 'n', checkMs: 20_000 });
  ended = service.run(life.signal, () => undefined);
  await looked(1);
}

async function turnTo(status: number, text: string): Promise<void> {
  page = { status, text };
  const next = looks + 1;
  await clock.advance(20_000);
  await looked(next);
}
/** The look is over when the next one is waited for. */
const looked = (count: number): Promise<unknown> => eventually(() => looks === count, 'a look');

test('a page with a pod, then with several; headers are sent', async () => {
  await follow(200, pod('a'));
  expect(told).toEqual([['a-n']]);
  expect(asked[0]).toMatchObject({ 'x-one': 'a, b' });
  await turnTo(200, pod('a'));
  expect(told).toHaveLength(1);
  await turnTo(200, list('a', 'b'));
  expect(told.at(-1)).toEqual(['a-n', 'b-n']);
});

test('a page that cannot be had or used changes nothing; an empty one ends its pods', async () => {
  await follow(200, pod('a'));
  await turnTo(500, pod('b'));
  await turnTo(200, 'nonsense');
  await turnTo(200, list('b', ''));
  expect(told).toEqual([['a-n']]);
  await turnTo(200, '');
  expect(told).toEqual([['a-n'], []]);
  await turnTo(200, pod('a'));
  expect(told.at(-1)).toEqual(['a-n']);
});
