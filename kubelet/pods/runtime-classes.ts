import { runtimeClass } from '#api/node/runtime-class.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Client } from '#client/client.ts';

interface RuntimeClassesDeps {
  readonly client: Pick<Client, 'get'>;
  /** What the runtime can run pods by. */
  readonly handlers: readonly string[];
}

/** Finds out by what a pod is run. Asks the API for each sandbox of a pod that names a class: those are few, and a watch would idle. */
export class RuntimeClasses {
  readonly #deps: RuntimeClassesDeps;

  constructor(deps: RuntimeClassesDeps) {
    this.#deps = deps;
  }

  /** Undefined: the runtime's default. Throws where the class or its handler is not there. */
  async handlerOf(pod: Pod, signal: AbortSignal): Promise<string | undefined> {
    const name = pod.spec.runtimeClassName ?? '';
    if (name === '') return undefined;
    const { handler } = await this.#find(name, signal);
    if (this.#deps.handlers.includes(handler)) return handler;
    throw new Error(`failed to get sandbox runtime: no runtime for ${JSON.stringify(handler)} is configured`);
  }

  async #find(name: string, signal: AbortSignal): Promise<{ readonly handler: string }> {
    try {
      return await this.#deps.client.get(runtimeClass, { name }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (hasReason(error, 'NotFound')) throw new Error(`runtimeclass.node.k8s.io ${JSON.stringify(name)} not found`, { cause: error });
      throw new Error(`failed to lookup RuntimeClass ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}
