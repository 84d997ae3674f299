// Three hosts of their own, two on one network and one behind a router: pods' addresses of each are reached from each.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { runCommand } from '#base/run-command.ts';
import type { Subscriber } from '#client/informer.ts';
import { Network, run } from '#test/testbed/network.ts';
import { NodeRoutes } from './node-routes.ts';

const life = new AbortController();
const ended: Promise<unknown>[] = [];
const wakes: (() => void)[] = [];
let network: Network;
let nodes: Node[];

const hosts = [
  { name: 'a', address: '192.168.77.11', pods: '10.244.1' },
  { name: 'b', address: '192.168.77.12', pods: '10.244.2' },
  { name: 'c', address: '10.9.0.5', pods: '10.244.3' },
];
const space = (name: string): string => `cx${network.id}-${name}`;
const ip = (name: string, ...args: string[]): string => run('ip', '-n', space(name), ...args);

beforeAll(() => {
  network = Network.start();
  const { switchName } = network;
  // The switch routes between its own network and that of the far host.
  run('ip', '-n', switchName, 'link', 'add', 'br1', 'type', 'bridge');
  run('ip', '-n', switchName, 'addr', 'add', '10.9.0.1/24', 'dev', 'br1');
  run('ip', '-n', switchName, 'link', 'set', 'br1', 'up');
  run('ip', 'netns', 'exec', switchName, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const { name, address, pods } of hosts) {
    const [bridge, gateway] = address.startsWith('10.') ? ['br1', '10.9.0.1'] : ['br0', '192.168.77.1'];
    run('ip', 'netns', 'add', space(name));
    ip(name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `cx${network.id}${name}`, 'netns', switchName);
    run('ip', '-n', switchName, 'link', 'set', `cx${network.id}${name}`, 'master', bridge, 'up');
    ip(name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip(name, 'link', 'set', device, 'up');
    ip(name, 'route', 'add', 'default', 'via', gateway);
    // Where a pod would be.
    ip(name, 'addr', 'add', `${pods}.7/32`, 'dev', 'lo');
  }
  nodes = hosts.map(({ name, address, pods }) => nodeOf(name, address, pods));
  for (const { name, address } of hosts)
    ended.push(
      keepRoutes(name, address)
        .run(life.signal, () => undefined)
        .catch(() => undefined),
    );
});

afterAll(async () => {
  life.abort(new Error('the test is over'));
  await Promise.all(ended);
  network.stop();
});

function nodeOf(name: string, address: string, pods: string): Node {
  const spec = { podCIDR: `${pods}.0/24`, podCIDRs: [`${pods}.0/24`] };
  return { metadata: { name }, spec, status: { addresses: [{ type: 'InternalIP', address }] } } as Node;
}

function keepRoutes(name: string, address: string): NodeRoutes {
  const informer = {
    list: () => nodes,
    subscribe: (tell: Subscriber<Node>) => {
      wakes.push(() => tell({ type: 'removed', object: nodeOf('gone', '192.168.77.99', '10.244.99') }));
      return () => undefined;
    },
  };
  return new NodeRoutes({
    nodes: informer as never,
    nodeName: name,
    mode: 'auto',
    networks: () => [{ network: `${address}/24`, device: 'eth0' }],
    run: (program, args, input, signal) => runCommand('ip', ['netns', 'exec', space(name), program, ...args], input, signal),
    clock: systemClock,
    log: silentLog,
  });
}

/** Nobody listens there, and says so: the answer has found its way, too. */
async function reaches(from: string, pods: string, own: string): Promise<boolean> {
  const dial = `const socket = require('node:net').connect({ host: '${pods}.7', port: 9, localAddress: '${own}.7', timeout: 1000 });
    socket.on('error', ({ code }) => console.log(code)).on('timeout', () => socket.destroy());`;
  const { stdout } = await runCommand('ip', ['netns', 'exec', space(from), process.execPath, '-e', dial], '', life.signal);
  return stdout.trim() === 'ECONNREFUSED';
}

test.each(hosts.flatMap((from) => hosts.filter((to) => to !== from).map((to) => [from.name, to.name, from.pods, to.pods])))(
  'pods of %s reach pods of %s',
  async (from, _to, own, pods) => {
    await expect.poll(() => reaches(from ?? '', pods ?? '', own ?? ''), { timeout: 10_000 }).toBe(true);
  },
);

test('a node that goes takes its routes along, and one that somebody deletes comes back', async () => {
  const routes = (): string => ip('a', 'route', 'show', 'proto', '87');
  expect(routes()).toContain('10.244.2.0/24 via 192.168.77.12');
  ip('a', 'route', 'del', '10.244.2.0/24');
  for (const wake of wakes) wake();
  await expect.poll(routes, { timeout: 10_000 }).toContain('10.244.2.0/24 via 192.168.77.12');
  nodes = nodes.filter(({ metadata }) => metadata.name !== 'c');
  for (const wake of wakes) wake();
  await expect.poll(routes, { timeout: 10_000 }).not.toContain('10.244.3.0/24');
  expect(ip('a', 'neigh', 'show', 'dev', 'coxswain.vxlan', 'nud', 'permanent')).toBe('');
});
