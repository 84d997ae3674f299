import type { KindDefinition } from '#api/kind.ts';
import { ApiError } from '#api/meta/status.ts';
import type { LargeWork } from './contract.ts';
import { decodedError } from './encoded-error.ts';
import { Jobs } from './jobs.ts';

/**
 * Takes all writes, small ones too, and does what the process does, in this one: jobs and results travel all the same, and everything
 * that can be a part is one.
 */
export function everythingIsLarge(kinds: readonly KindDefinition[]): LargeWork & { readonly done: string[] } {
  const jobs = new Jobs(kinds, 2);
  const done: string[] = [];
  return {
    done,
    knows: (kind) => kinds.includes(kind),
    takes: () => true,
    do: async (job) => {
      done.push(job.do);
      await Promise.resolve();
      try {
        return structuredClone(jobs.run(structuredClone(job)));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        throw decodedError(Buffer.from(`${JSON.stringify(error.toStatus())}\n`), error);
      }
    },
  };
}
