// The long form of test/chaos/control-planes.test.ts: at least 100,000 operations (OPERATIONS sets another number), faults drawn at random.
// SEED draws the same ones again; FAULTS is a pattern of the names of those that may be drawn (default: all).
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet } from '#test/testbed/fleet.ts';
import { runFaults } from '#test/chaos/fault-run.ts';
import { controlPlaneFaults, hostFaults } from '#test/chaos/faults.ts';

const controlPlanes = ['host1', 'host2', 'host3'];
const wanted = Number(process.env['OPERATIONS'] ?? 100_000);
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const drawn = [...controlPlaneFaults, ...hostFaults].filter(({ name }) => new RegExp(process.env['FAULTS'] ?? '').test(name));
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ controlPlanes: 3, workers: 2, host: { diskMegabytes: 2_048, movableClock: true } });
});
afterAll(() => fleet.stop());

test(`${wanted} operations under faults`, async () => {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`SEED=${seed}`);
  const random = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[random() % list.length] as T;
  const faults = Array.from({ length: 500 }, () => ({
    fault: pick(drawn),
    on: pick(['next', 'leader'] as const),
  }));
  const { problems, operations } = await runFaults({
    fleet,
    controlPlanes,
    faults,
    lastsMs: 3_000,
    quietMs: 2_000,
    operations: wanted,
    progress: say,
  });
  expect(problems.slice(0, 20)).toEqual([]);
  expect(operations).toBeGreaterThanOrEqual(wanted);
});

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
