import type { Pod } from '#api/core/pod/pod.ts';
import type { Runtime, RuntimePod } from '../runtime/contract.ts';
import { terminationMessage } from './termination-message.ts';

/** What the ended containers of one pod left as their last words, each read once. */
export class TerminationMessages {
  readonly #byId = new Map<string, string>();

  /** By container id. */
  get byId(): ReadonlyMap<string, string> {
    return this.#byId;
  }

  /** Reads those that are new, and forgets those of containers that are gone. */
  async read({ spec }: Pod, observed: RuntimePod | undefined, runtime: Runtime, signal: AbortSignal): Promise<void> {
    const containers = observed?.containers ?? [];
    const count = spec.containers.length + (spec.initContainers ?? []).length;
    for (const container of containers) {
      if (container.state !== 'exited' || this.#byId.has(container.id)) continue;
      this.#byId.set(container.id, await terminationMessage(container, count, runtime, signal));
    }
    for (const id of this.#byId.keys()) if (!containers.some((one) => one.id === id)) this.#byId.delete(id);
  }
}
