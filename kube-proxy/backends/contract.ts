// The contract of a backend, which forwards Service traffic on a node. Every backend passes the suite in conformance.ts beside this file.
import type { DispatchChanges } from '../model/claims.ts';
import type { Dispatch } from '../model/dispatch.ts';

export interface ProxyBackend {
  readonly name: string;
  /** Atomically replaces all rules by those for these dispatches. */
  replace(all: Iterable<Dispatch>, signal: AbortSignal): Promise<void>;
  /** Atomically changes the rules of some fronts. Rejects without any effect; the caller then replaces all. */
  change(changes: DispatchChanges, signal: AbortSignal): Promise<void>;
  /** False when the rules of `replace` were removed by another program. */
  isIntact(signal: AbortSignal): Promise<boolean>;
  /** Removes everything that this backend has created on the node. */
  cleanup(signal: AbortSignal): Promise<void>;
}
