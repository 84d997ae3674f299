// An API server in this process and nothing else: what kubectl says of objects that nobody acts on. No containers, no hosts, no root.
import { startTestApiServer, type TestApiServer, type TestApiServerOptions } from '#apiserver/testing.ts';
import { adminKubeconfig } from '#testing/kubeconfig.ts';
import type { Kubectl } from '#test/testbed/kubectl.ts';
import { KubectlFolder } from './kubectl-folder.ts';

export class BareServer extends KubectlFolder implements AsyncDisposable {
  readonly server: TestApiServer;

  private constructor(server: TestApiServer, kubectl: Kubectl) {
    super(kubectl, adminKubeconfig(server));
    this.server = server;
  }

  static async start(kubectl: Kubectl, options: TestApiServerOptions = {}): Promise<BareServer> {
    return new BareServer(await startTestApiServer(options), kubectl);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    this.remove();
  }
}
