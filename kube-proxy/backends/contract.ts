// What carries Service traffic on a node. The suite in conformance.ts beside this file holds every backend to it.
import type { DispatchChanges } from '../model/claims.ts';
import type { Dispatch } from '../model/dispatch.ts';

export interface ProxyBackend {
  readonly name: string;
  /** Makes the node carry exactly these, in one step, whatever was there before. */
  replace(all: Iterable<Dispatch>, signal: AbortSignal): Promise<void>;
  /** Changes some fronts, in one step. Rejects without having changed anything; the caller then replaces all. */
  change(changes: DispatchChanges, signal: AbortSignal): Promise<void>;
  /** False when somebody took away what `replace` made. */
  isIntact(signal: AbortSignal): Promise<boolean>;
  /** Removes everything that this backend ever made on the node. */
  cleanup(signal: AbortSignal): Promise<void>;
}
