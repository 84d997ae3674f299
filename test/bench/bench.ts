import type { Figure } from './figure.ts';
import { type ApiServerOptions, makeNamespace, type ServerProcess, startApiServer, type Workshop } from './servers.ts';
import { runJob } from './load/run.ts';

/** One measurement that can be asked for by name. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  run(context: BenchContext): AsyncIterable<Figure>;
}

interface BenchOptions {
  readonly workshop: Workshop;
  /** Folder of the bundles that are measured. */
  readonly bundles: string;
  /** Shorter and with fewer objects: to see that it works, not to compare. */
  readonly quick: boolean;
}

const namespaceName = 'bench';

/**
 * So many creates and the code is compiled: V8 optimizes 171 functions in the first 8,000, 217 in the next, 28 in those after them, and
 * a create costs half as much again until then. Servers that are measured have run for a while.
 */
export const warmUpPods = 16_000;

/** What the measurements share. */
export class BenchContext implements AsyncDisposable {
  readonly workshop: Workshop;
  readonly bundles: string;
  readonly quick: boolean;
  readonly podsPath = `/api/v1/namespaces/${namespaceName}/pods`;
  #filled: Promise<ServerProcess> | undefined;

  constructor({ workshop, bundles, quick }: BenchOptions) {
    this.workshop = workshop;
    this.bundles = bundles;
    this.quick = quick;
  }

  /** How many pods the filled server holds. */
  get manyPods(): number {
    return this.quick ? 2_000 : 26_800;
  }

  /** A new API server with an empty store but for the namespace of `podsPath`; embedded, unless etcd is given. */
  async emptyServer(name: string, options: Pick<ApiServerOptions, 'etcdServers' | 'turns'> = {}): Promise<ServerProcess> {
    const server = await startApiServer(this.workshop, { bundles: this.bundles, data: name, ...options });
    await makeNamespace(this.workshop, server.port, namespaceName);
    return server;
  }

  /** The one server with many pods; made when first asked for, ends with the run. */
  async filledServer(): Promise<ServerProcess> {
    this.#filled ??= this.#fill();
    return await this.#filled;
  }

  /** Where the filled server writes down how long its turns are. */
  get turnsPath(): string {
    return this.workshop.path('turns');
  }

  /** Creates pods; throws when one is refused. */
  async createPods(server: ServerProcess, count: number, smallest = false): Promise<number> {
    const job = {
      do: 'create',
      peer: server.peer,
      path: this.podsPath,
      connections: 32,
      durationMs: undefined,
      firstPod: 0,
      pods: 0,
      smallest,
    } as const;
    const { failures, seconds } = await runJob({ ...job, count });
    if (Object.keys(failures).length > 0) throw new Error(`pods were refused: ${JSON.stringify(failures)}`);
    return seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const filled = await this.#filled?.catch(() => undefined);
    await filled?.[Symbol.asyncDispose]();
  }

  async #fill(): Promise<ServerProcess> {
    const server = await this.emptyServer('filled', { turns: this.turnsPath });
    await this.createPods(server, this.manyPods);
    return server;
  }
}
