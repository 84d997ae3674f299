// A kubectl with a home of its own: a folder with a kubeconfig, and files for it to read.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecResult } from '#test/testbed/host.ts';
import type { Kubectl } from '#test/testbed/kubectl.ts';

export class KubectlFolder {
  readonly folder: string;
  readonly #kubectl: Kubectl;

  constructor(kubectl: Kubectl, kubeconfig: string) {
    this.#kubectl = kubectl;
    this.folder = mkdtempSync(join(tmpdir(), 'coxswain-bare-'));
    writeFileSync(join(this.folder, 'config'), kubeconfig);
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

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
