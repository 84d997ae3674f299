// An API server in this process and nothing else: what kubectl says of objects that nobody acts on. No containers, no hosts, no root.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApiServer, type TestApiServer, type TestApiServerOptions } from '#apiserver/testing.ts';
import type { ExecResult } from '#test/testbed/host.ts';
import type { Kubectl } from '#test/testbed/kubectl.ts';

export class BareServer implements AsyncDisposable {
  readonly server: TestApiServer;
  readonly folder: string;
  readonly #kubectl: Kubectl;

  private constructor(server: TestApiServer, folder: string, kubectl: Kubectl) {
    this.server = server;
    this.folder = folder;
    this.#kubectl = kubectl;
  }

  static async start(kubectl: Kubectl, options: TestApiServerOptions = {}): Promise<BareServer> {
    const server = await startTestApiServer(options);
    const folder = mkdtempSync(join(tmpdir(), 'coxswain-bare-'));
    writeFileSync(join(folder, 'config'), JSON.stringify(kubeconfig(server)));
    return new BareServer(server, folder, kubectl);
  }

  /** Writes a file beside the kubeconfig; answers its path. */
  file(name: string, content: string | object): string {
    const path = join(this.folder, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  /** Runs kubectl; answers its standard output, throws with both outputs when it fails. */
  async kubectl(args: readonly string[] | string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(args, env);
    if (code !== 0) throw new Error(`kubectl ${String(args)}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** As `kubectl`, with the exit code as an answer. A string is split at spaces. */
  async tryKubectl(args: readonly string[] | string, env: Readonly<Record<string, string>> = {}): Promise<ExecResult> {
    const list = typeof args === 'string' ? args.split(' ').filter((part) => part !== '') : args;
    const child = spawn(this.#kubectl.path, list, {
      cwd: this.folder,
      env: { PATH: '/usr/bin:/bin', HOME: this.folder, KUBECONFIG: join(this.folder, 'config'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => resolve(status ?? 255));
    });
    return { code, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function kubeconfig({ url, adminClientConfig: { ca, credentials } }: TestApiServer): object {
  if (credentials.kind !== 'certificate') throw new Error('the administrator comes with a certificate');
  const base64 = (text: string | undefined): string => Buffer.from(text ?? '').toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': base64(credentials.cert), 'client-key-data': base64(credentials.key) },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
  };
}
