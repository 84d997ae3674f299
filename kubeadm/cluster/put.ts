import type { KubeObject } from '#api/meta/object.ts';
import { ApiError, type Reason } from '#api/meta/status.ts';
import { isAbort, UsageError } from '#base/lifecycle.ts';
import { type Client, TransportError, type TypedResource } from '#client/client.ts';
import type { Surroundings } from '../surroundings.ts';

const retryMs = 100;
const defaultPatienceMs = 60_000;
const transientReasons: readonly Reason[] = ['Forbidden', 'Conflict', 'TooManyRequests', 'Timeout'];

/** Makes the object, or brings what we own of it to what is said here. */
export async function put<T extends KubeObject>(client: Client, kind: TypedResource<T>, object: T, host: Surroundings): Promise<void> {
  const { name = '', namespace } = object.metadata;
  const body = { ...object, apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`, kind: kind.kind };
  const what = { type: 'apply', force: true, fieldManager: 'kubeadm' } as const;
  await patiently(host, () => client.patch(kind, { name, ...(namespace === undefined ? {} : { namespace }) }, body, what, host.signal));
}

/**
 * Repeats `work` while the API server cannot be reached, is busy, or does not give us the rights yet (roles are made while it starts).
 * Gives up in time, with the last reason, and `hint`: where to look for what is wrong.
 */
export async function patiently<R>(
  { clock, signal, patienceMs = defaultPatienceMs, hint }: Surroundings & { readonly hint?: string },
  work: () => Promise<R>,
): Promise<R> {
  const startMs = clock.monotonicMs();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (isAbort(error, signal) || !isTransient(error)) throw error;
      if (clock.monotonicMs() - startMs > patienceMs) {
        const where = hint === undefined ? '' : ` (${hint})`;
        throw new UsageError(`the API server did not take a request in time: ${String(error)}${where}`, { exitCode: 1, cause: error });
      }
    }
    await clock.sleep(retryMs, signal);
  }
}

/** The cluster is not yet as it is waited for. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

/** True for what may be another answer a moment later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TransportError || error instanceof NotYet) return true;
  if (!(error instanceof ApiError)) return false;
  return error.code >= 500 || transientReasons.includes(error.reason);
}
