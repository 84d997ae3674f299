// Two hosts of their own on one switch: who answers ARP for an address, and what neighbours believe when that changes.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { Service as KubeService } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { keyText } from '#api/meta/object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { runCommand } from '#base/run-command.ts';
import { Network, run } from '#test/testbed/network.ts';
import { parseRange } from '#client/load-balancer/pool.ts';
import { Announcer } from './announcer.ts';
import { AnnounceKernel } from './kernel.ts';
import { orderFor } from './plan.ts';

const address = '192.168.77.200';
const hosts = [
  { name: 'a', address: '192.168.77.11' },
  { name: 'b', address: '192.168.77.12' },
];
const clock = new FakeClock();
const dead = new Set<string>();
const leaving = new Set<string>();
const lives = new Map<string, { stop: AbortController; ended: Promise<unknown> }>();
const wakes: (() => void)[] = [];
let network: Network;
let services: KubeService[];
let [first, second] = ['', ''];
const space = (name: string): string => `cx${network.id}-${name}`;
const ip = (name: string, ...args: string[]): string => run('ip', '-n', space(name), ...args);

beforeAll(() => {
  network = Network.start();
  for (const { name, address: own } of hosts) {
    run('ip', 'netns', 'add', space(name));
    ip(name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `cx${network.id}${name}`, 'netns', network.switchName);
    run('ip', '-n', network.switchName, 'link', 'set', `cx${network.id}${name}`, 'master', 'br0', 'up');
    ip(name, 'addr', 'add', `${own}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip(name, 'link', 'set', device, 'up');
    run('ip', 'netns', 'exec', space(name), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  }
  services = [
    {
      metadata: { name: 'web', namespace: 'default' },
      spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9' },
      status: { loadBalancer: { ingress: [{ ip: address, ipMode: 'VIP' }] } },
    },
  ];
  [first = '', second = ''] = orderFor({ address, nodes: undefined }, hosts).map(({ name }) => name);
  // Left by a process that was killed, and nobody's any more.
  ip(second, 'route', 'add', '192.168.77.209/32', 'dev', 'lo', 'proto', '88');
  ip(second, 'neigh', 'add', 'proxy', '192.168.77.209', 'dev', 'eth0');
  for (const { name } of hosts) start(name);
});

afterAll(async () => {
  for (const { name } of hosts) await stop(name);
  network.stop();
});

function informer<T extends { metadata: object }>(list: () => readonly T[]): never {
  const found = (key: { namespace?: string; name: string }): T | undefined =>
    list().find(({ metadata }) => keyText(metadata as never) === keyText(key as never));
  return {
    list,
    get: found,
    byIndex: () => [],
    subscribe: (wake: (change: object) => void) => {
      const tell = (): void => list().forEach((object) => wake({ type: 'added', object }));
      tell();
      wakes.push(tell);
      return () => wakes.splice(wakes.indexOf(tell), 1);
    },
  } as never;
}

const nodes = hosts.map(
  ({ name, address: own }) =>
    ({
      metadata: { name },
      status: { addresses: [{ type: 'InternalIP', address: own }] },
    }) as Node,
);

function start(name: string): void {
  for (const set of [dead, leaving]) set.delete(addressOf(name));
  const stopping = new AbortController();
  const announcer = new Announcer({
    services: informer(() => services),
    slices: informer<EndpointSlice>(() => []),
    nodes: informer(() => nodes),
    nodeName: name,
    ranges: [parseRange('192.168.77.200-192.168.77.209')],
    networks: () => [{ network: `${addressOf(name)}/24`, device: 'eth0' }],
    word: () => (leaving.has(addressOf(name)) ? 'leaves' : 'serves'),
    leave: () => void leaving.add(addressOf(name)),
    probe: (peer) => Promise.resolve(dead.has(peer) ? 'silent' : leaving.has(peer) ? 'leaves' : 'serves'),
    kernel: new AnnounceKernel((program, args, input, signal) =>
      runCommand('ip', ['netns', 'exec', space(name), program, ...args], input, signal),
    ),
    clock,
    log: silentLog,
  });
  lives.set(name, { stop: stopping, ended: announcer.run(stopping.signal, () => undefined).catch(() => undefined) });
}

/** Stops it, with as much time as that takes. */
async function stop(name: string): Promise<void> {
  const life = lives.get(name);
  life?.stop.abort(new Error('stopped'));
  let isOver = false;
  void life?.ended.then(() => (isOver = true));
  const isStopped = async (): Promise<void> => {
    await clock.advance(100);
    expect(isOver).toBe(true);
  };
  await vi.waitFor(isStopped, { timeout: 20_000 });
  dead.add(addressOf(name));
}

const addressOf = (name: string): string => hosts.find((host) => host.name === name)?.address ?? '';
const macOf = (name: string): string => (JSON.parse(ip(name, '-j', 'link', 'show', 'eth0')) as { address: string }[])[0]?.address ?? '';

/** Whose hardware address a neighbour has for the address. It does not ask: what changes, it was told. */
function holder(): string | undefined {
  const [found] = JSON.parse(run('ip', '-j', '-n', network.switchName, 'neigh', 'show', 'to', address)) as { lladdr?: string }[];
  return hosts.find(({ name }) => macOf(name) === found?.lladdr)?.name;
}

/** The same, after the neighbour has sent something there, and asked where to. */
function asked(): string | undefined {
  const script = `require('node:dgram').createSocket('udp4').send('x', 9, '${address}', () => process.exit())`;
  run('ip', 'netns', 'exec', network.switchName, process.execPath, '-e', script);
  return holder();
}

/** `stepMs` at a time, so that what happens in between has been done. */
async function soon(look: () => unknown, wanted: unknown, stepMs = 1_000): Promise<void> {
  await expect
    .poll(
      async () => {
        await clock.advance(stepMs);
        return look();
      },
      { timeout: 20_000 },
    )
    .toEqual(wanted);
}

const announced = (name: string): string[] => [ip(name, 'route', 'show', 'proto', '88'), ip(name, 'neigh', 'show', 'proxy')];
const nothing = ['', ''];

test('one answers, and the other has nothing', async () => {
  await soon(asked, first);
  expect(announced(second)).toEqual(nothing);
});

test('the address moves when the one that had it is dead, neighbours know at once, and it moves back', async () => {
  // As when its power is cut: nobody takes anything away, but it answers no more.
  run('ip', '-n', network.switchName, 'link', 'set', `cx${network.id}${first}`, 'down');
  dead.add(addressOf(first));
  await soon(holder, second);
  run('ip', '-n', network.switchName, 'link', 'set', `cx${network.id}${first}`, 'up');
  dead.delete(addressOf(first));
  await soon(() => announced(second), nothing);
});

test('what somebody takes away comes back', async () => {
  ip(first, 'neigh', 'del', 'proxy', address, 'dev', 'eth0');
  ip(first, 'route', 'del', `${address}/32`);
  await clock.advance(60_000);
  await soon(() => announced(first).every((text) => text.includes(address)), true);
});

test('what is told to stop answers until the next does', async () => {
  const life = lives.get(first);
  life?.stop.abort(new Error('stopped'));
  await expect.poll(() => leaving.has(addressOf(first)), { timeout: 20_000 }).toBe(true);
  // Whenever one looks, at least one of the two answers; who is told to stop may let go as soon as the other does.
  let isSilent = false;
  const look = (): string | undefined => {
    isSilent ||= ![first, second].some((name) => announced(name).every((text) => text.includes(address)));
    return holder();
  };
  await soon(look, second, 20);
  expect(isSilent).toBe(false);
  await stop(first);
  expect(announced(first)).toEqual(nothing);
  start(first);
  await soon(holder, first);
  await soon(() => announced(second), nothing);
});

test('what stops lets go, and what starts again takes over', async () => {
  await stop(first);
  expect(announced(first)).toEqual(nothing);
  await soon(holder, second);
  start(first);
  await soon(holder, first);
  await soon(() => announced(second), nothing);
});

test('a Service that goes takes its address along', async () => {
  services = services.map((one) => ({ ...one, spec: { ...one.spec, type: 'ClusterIP' } }));
  for (const wake of wakes) wake();
  await soon(() => [...announced(first), ...announced(second)], [...nothing, ...nothing]);
});
