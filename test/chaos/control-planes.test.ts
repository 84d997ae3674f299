// Three control planes behind haproxy. Each thing that may happen to one of them happens, while clients write, read and watch; what they did and
// heard must be what one store that does one thing at a time would have answered, and the watch must have told of all of it, once, in order. Of
// schedulers and controller managers one leads at a time: another one takes over, never before the time of the one before it is up.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet } from '#test/testbed/fleet.ts';
import { runFaults } from './fault-run.ts';
import { controlPlaneFaults, hostFaults } from './faults.ts';

const controlPlanes = ['host1', 'host2', 'host3'];
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 3, workers: 0, host: { diskMegabytes: 1_024, movableClock: true } });
});
afterAll(() => fleet.stop());

test('nothing acknowledged is lost, and nothing is seen twice, late or out of order', async () => {
  const said: string[] = [];
  const { problems, operations, events, takeovers } = await runFaults({
    fleet,
    controlPlanes,
    faults: [...controlPlaneFaults, ...hostFaults].map((fault, at) => ({ fault, on: at % 2 === 0 ? 'next' : 'leader' })),
    lastsMs: 1_500,
    quietMs: 500,
    progress: (text) => said.push(text),
  });
  expect(problems.slice(0, 20), said.join('\n')).toEqual([]);
  expect(operations).toBeGreaterThan(1_000);
  expect(events).toBeGreaterThan(500);
  for (const name of ['kube-scheduler', 'kube-controller-manager']) expect(takeovers.get(name), name).toBeGreaterThan(0);
});
