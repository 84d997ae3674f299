// A whole cluster for tests, as a container: one node with an API server, controllers, a scheduler, and a kubelet that runs real containers.
//
//   await using cluster = await new CoxswainContainer().start();
//   await cluster.loadImage('my/operator:dev');
//   const config = new KubeConfig();
//   config.loadFromString(cluster.kubeconfig);
//
// The image is `coxswain/node`, which `./coxswain images` builds. The engine must allow privileged containers.
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AbstractStartedContainer, GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { version } from '#base/version.ts';

const apiPort = 6_443;
const startupLimitMs = 120_000;
/** How much of what the container said goes into the error of a start that failed. */
const lastLines = 40;
/** What else the API server's certificate is for. */
const namesVariable = 'COXSWAIN_SANS';
const folders = {
  kubeconfig: '/var/lib/coxswain/kubeconfig/admin.conf',
  images: '/var/lib/coxswain/images',
  logs: '/var/lib/coxswain/logs',
};

/** A cluster to be. Everything that `GenericContainer` offers may be set before `start`. */
export class CoxswainContainer extends GenericContainer {
  readonly #said: string[] = [];

  /** `image`: default the one of this package's version. */
  constructor(image = `coxswain/node:${version.replace(/\+.*$/, '')}`) {
    super(image);
    this.withPrivilegedMode()
      .withExposedPorts(apiPort)
      .withTmpFs({ '/run': 'rw', '/tmp': 'rw' })
      .withStartupTimeout(startupLimitMs)
      .withWaitStrategy(Wait.forLogMessage(/^Cluster ".*" is ready/));
    this.withLogConsumer((lines) => lines.on('data', (line: Buffer | string) => this.#keep(String(line).trimEnd())));
  }

  /** Resolves when the node is Ready and DNS answers. Rejects with what the container said last. */
  override async start(): Promise<StartedCoxswainContainer> {
    try {
      await this.#nameHost();
      const started = await super.start();
      return new StartedCoxswainContainer(started, await kubeconfigOf(started));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`the cluster did not start: ${reason}\n${this.#said.join('\n')}`, { cause });
    }
  }

  /** The certificate must hold where this process reaches the engine: not on this machine, as within a container that has its socket. */
  async #nameHost(): Promise<void> {
    if (this.environment[namesVariable] !== undefined) return;
    const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
    this.withEnvironment({ [namesVariable]: [...new Set(['localhost', host])].join(',') });
  }

  #keep(line: string): void {
    this.#said.push(line);
    if (this.#said.length > lastLines) this.#said.shift();
  }
}

/** A cluster that is Ready. Ends with `stop`, or at the end of its `await using`. */
export class StartedCoxswainContainer extends AbstractStartedContainer {
  /** An administrator's kubeconfig, with the address that this process reaches the API server at. */
  readonly kubeconfig: string;

  constructor(started: StartedTestContainer, kubeconfig: string) {
    super(started);
    this.kubeconfig = kubeconfig;
  }

  /** `https://HOST:PORT`, as this process reaches it. */
  get apiUrl(): string {
    return urlOf(this);
  }

  /**
   * Gives the cluster images that the engine has which runs it: pods use them under their names, no registry is asked. Rejects with the
   * engine's words for an image that is not there.
   */
  async loadImage(...names: readonly string[]): Promise<void> {
    const { container } = await getContainerRuntimeClient();
    for (const name of names) {
      // Others may load at the same time.
      const folder = `${folders.images}/${randomUUID()}`;
      const archive = (await container.dockerode.getImage(name).get()) as Readable;
      await this.#run(`mkdir -p ${folder}`);
      await this.copyArchiveToContainer(archive, folder);
      await this.#run(`tar -C ${folder} -cf - . | docker load; loaded=$?; rm -rf ${folder}; exit $loaded`);
    }
  }

  /** What every component logged, for a test that failed. */
  async diagnose(): Promise<string> {
    return await this.#run(`for log in ${folders.logs}/*.log; do echo "== $log"; tail -n ${lastLines} "$log"; done`);
  }

  async #run(script: string): Promise<string> {
    const { exitCode, output } = await this.exec(['sh', '-c', script]);
    if (exitCode !== 0) throw new Error(`in the cluster's container: ${script}: exit code ${exitCode}\n${output}`);
    return output;
  }
}

async function kubeconfigOf(started: StartedTestContainer): Promise<string> {
  const { exitCode, output } = await started.exec(['cat', folders.kubeconfig]);
  if (exitCode !== 0) throw new Error(`the cluster has no kubeconfig: ${output}`);
  return output.replace(/^(\s*)server: .*$/m, `$1server: ${urlOf(started)}`);
}

function urlOf(started: Pick<StartedTestContainer, 'getHost' | 'getMappedPort'>): string {
  return `https://${started.getHost()}:${started.getMappedPort(apiPort)}`;
}
