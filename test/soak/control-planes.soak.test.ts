// The long form of test/chaos/control-planes.test.ts: at least 100,000 operations (OPERATIONS sets another number), faults drawn at random.
// Meanwhile workers are lost and come back, and pods that keep their names are ended and replaced: none of them may ever run twice at a time.
// SEED draws the same ones again; FAULTS is a pattern of the names of those that may be drawn (default: all).
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WorkerRun } from '#test/chaos/worker-run.ts';
import { fastFailover } from '#test/e2e/manifests.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import { runFaults } from '#test/chaos/fault-run.ts';
import { controlPlaneFaults, hostFaults } from '#test/chaos/faults.ts';

const workers = ['host4', 'host5'];
const controlPlanes = ['host1', 'host2', 'host3'];
const wanted = Number(process.env['OPERATIONS'] ?? 100_000);
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const drawn = [...controlPlaneFaults, ...hostFaults].filter(({ name }) => new RegExp(process.env['FAULTS'] ?? '').test(name));
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 3, workers: 2, cluster: fastFailover, host: { diskMegabytes: 2_048, movableClock: true } });
});
afterAll(() => fleet.stop());

test(`${wanted} operations under faults`, async () => {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`SEED=${seed}`);
  const pick = picking(numbers(seed));
  const faults = Array.from({ length: 500 }, () => ({
    fault: pick(drawn),
    on: pick(['next', 'leader'] as const),
  }));
  await using onWorkers = await WorkerRun.start({ fleet, workers, pick: picking(numbers(seed + 1)), progress: say });
  const { problems, operations } = await runFaults({
    fleet,
    controlPlanes,
    faults,
    lastsMs: 3_000,
    quietMs: 2_000,
    operations: wanted,
    progress: say,
  });
  const { problems: ofWorkers, started } = await onWorkers.finish();
  say(`${started} containers were started on workers`);
  expect([...problems.slice(0, 20), ...ofWorkers.slice(0, 20)]).toEqual([]);
  expect(operations).toBeGreaterThanOrEqual(wanted);
});

function picking(random: () => number): <T>(list: readonly T[]) => T {
  return (list) => list[random() % list.length] as (typeof list)[number];
}

/** Numbers that follow from a seed (mulberry32). */
function numbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
