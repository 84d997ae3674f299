import { expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import type { Subscriber } from '#client/informer.ts';
import { NodeRoutes } from './node-routes.ts';

const nodeAt = (name: string, address: string, ready: string): Node => ({
  metadata: { name },
  spec: { podCIDR: `10.244.${address.length}.0/24`, podCIDRs: [`10.244.${address.length}.0/24`] },
  status: { addresses: [{ type: 'InternalIP', address }], conditions: [{ type: 'Ready', status: ready }] },
});

test('a node that only reports costs nothing, one that moves is looked at', async () => {
  const clock = new FakeClock();
  const life = new AbortController();
  const subscribers = new Set<Subscriber<Node>>();
  let looks = 0;
  const self = nodeAt('self', '192.168.77.1', 'True');
  const nodes = {
    list: () => {
      looks++;
      return [self];
    },
    subscribe: (subscriber: Subscriber<Node>) => {
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
  };
  const run = () => Promise.resolve({ code: 0, stdout: '[]', stderr: '' });
  const routes = new NodeRoutes({ nodes, nodeName: 'self', mode: 'direct', networks: () => [], run, clock, log: silentLog });
  const ended = routes.run(life.signal, () => undefined).catch(() => undefined);
  const change = async (object: Node, previous: Node): Promise<number> => {
    for (const tell of subscribers) tell({ type: 'updated', object, previous });
    await clock.advance(1_000);
    return looks;
  };
  await clock.advance(1_000);
  expect(looks).toBe(1);
  const [before, after] = [nodeAt('other', '192.168.77.12', 'True'), nodeAt('other', '192.168.77.12', 'False')];
  expect(await change(after, before)).toBe(1);
  expect(await change(nodeAt('other', '192.168.77.199', 'False'), after)).toBe(2);
  life.abort(new Error('over'));
  await ended;
  expect(subscribers.size).toBe(0);
});
