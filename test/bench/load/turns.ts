// Loaded into a measured server before anything else. From the first SIGUSR2 on it writes down, into the file that BENCH_TURNS names,
// how much CPU time the main thread spent between two turns of its event loop: what a turn costs, whatever else the machine does.
import { appendFileSync } from 'node:fs';
import { setInterval } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

const path = process.env['BENCH_TURNS'];
const everyMs = 5;
/** Shorter turns hold nobody up. */
const notedMs = 5;

if (isMainThread && path !== undefined) process.once('SIGUSR2', () => void watch(path));

async function watch(file: string): Promise<void> {
  let before = process.threadCpuUsage();
  for await (const _ of setInterval(everyMs, undefined, { ref: false })) {
    const { user, system } = process.threadCpuUsage(before);
    const usedMs = (user + system) / 1_000;
    if (usedMs >= notedMs) appendFileSync(file, `${usedMs.toFixed(1)}\n`);
    before = process.threadCpuUsage();
  }
}
