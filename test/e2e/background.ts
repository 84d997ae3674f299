import { type ChildProcess, spawn } from 'node:child_process';
import type { Host } from '#test/testbed/host.ts';
import { until } from './cluster.ts';

/** A command that runs on a host while a test goes on; ends, with what it started, when disposed of. */
export class Background implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #output = '';

  constructor(host: Host, command: readonly string[]) {
    const { file, args, env } = host.enter(['setpriv', '--pdeathsig', 'KILL', ...command]);
    this.#child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stdin?.on('error', () => this.#child.kill('SIGKILL'));
    this.#ended = new Promise((resolve) => this.#child.once('close', (code) => resolve(code ?? 255)));
  }

  /** Standard output and standard error so far. */
  get output(): string {
    return this.#output;
  }

  /** Resolves with the exit code. */
  get ended(): Promise<number> {
    return this.#ended;
  }

  /** Writes to the command's standard input. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  closeInput(): void {
    this.#child.stdin?.end();
  }

  /** Waits for text in the output and answers all of it. */
  async shows(pattern: RegExp | string, limitMs = 20_000): Promise<string> {
    const shows = (): boolean => (typeof pattern === 'string' ? this.#output.includes(pattern) : pattern.test(this.#output));
    try {
      await until(`output with ${String(pattern)}`, () => Promise.resolve(shows()), limitMs);
    } catch (error) {
      throw new Error(`never said ${String(pattern)}, but:\n${this.#output}`, { cause: error });
    }
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
