// A process that does jobs, one after another. It knows nothing but what it is sent, and keeps nothing but what it has compiled.
import { builtinKinds } from '#api/kinds.ts';
import { ApiError } from '#api/meta/status.ts';
import { tooDeep } from '../too-deep.ts';
import type { Order, Outcome } from './contract.ts';
import { Jobs } from './jobs.ts';

const jobs = new Jobs(builtinKinds);

process.on('message', ({ job }: Order) => process.send?.(outcomeOf(() => jobs.run(job))));
// The server is gone: no result is awaited any more.
process.on('disconnect', () => process.exit());
// Whoever stops the server by the terminal or by its group stops this with it, but only the server knows when the last request is over.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

function outcomeOf(work: () => Extract<Outcome, { ok: true }>['result']): Outcome {
  try {
    return { ok: true, result: work() };
  } catch (reason) {
    const error = tooDeep(reason) ?? reason;
    if (!(error instanceof ApiError))
      return { ok: false, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    // With the line's end that answers have: a long one need not be copied for it.
    const status = Buffer.from(`${JSON.stringify(error.toStatus())}\n`);
    return { ok: false, status, reason: error.reason, code: error.code };
  }
}
