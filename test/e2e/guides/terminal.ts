// A shell on a host that goes on from one block to the next, as that of somebody who pastes them: variables, the folder and aliases stay.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '#test/e2e/cluster.ts';
import type { Host } from '#test/testbed/host.ts';

export interface Pasted {
  /** Both outputs, as they would be on the screen. */
  readonly output: string;
  /** Commands that ended with another code than 0. */
  readonly failed: readonly string[];
}

export class Terminal implements Disposable {
  readonly #host: Host;
  readonly #shell: ChildProcess;
  #screen = '';

  constructor(host: Host, env: Readonly<Record<string, string>> = {}) {
    this.#host = host;
    const login = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', SHELL: '/bin/bash', ...env };
    const entry = host.enter(['setpriv', '--pdeathsig', 'KILL', 'bash', '--norc'], login);
    this.#shell = spawn(entry.file, entry.args, { env: entry.env, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#screen += chunk.toString()));
    }
    this.#shell.stdin?.on('error', () => this.#shell.kill('SIGKILL'));
    this.#shell.stdin?.write('exec 2>&1; shopt -s expand_aliases; cd /root\n');
  }

  /** Pastes text and waits for its end; `answer` is what is typed where a command asks. Rejects after `limitMs`. */
  async tryPaste(text: string, { answer = '', limitMs = 300_000 } = {}): Promise<Pasted> {
    const name = `paste-${randomBytes(6).toString('hex')}`;
    writeFileSync(join(this.#host.pathOf('/tmp'), name), text);
    writeFileSync(join(this.#host.pathOf('/tmp'), `${name}.in`), answer);
    const start = this.#screen.length;
    // By the trap a chain of && that ends early tells so, too, by the code of the whole.
    const trap = `trap 'echo "${name} failed: $BASH_COMMAND"' ERR`;
    this.#shell.stdin?.write(`${trap}; . /tmp/${name} </tmp/${name}.in; code=$?; trap - ERR; echo "${name} ended $code"\n`);
    const end = new RegExp(`^${name} ended (\\d+)$`, 'm');
    const ended = await until('the end of what was pasted', () => Promise.resolve(this.#endOf(end, start)), limitMs).catch(
      (error: unknown) => {
        throw new Error(`not ended: ${text}-----\n${this.#screen.slice(start)}`, { cause: error });
      },
    );
    return read(this.#screen.slice(start, start + ended.index), name, Number(ended[1]));
  }

  /** As `tryPaste`; throws with the screen when a command fails. Answers the screen. */
  async paste(text: string, options: { readonly answer?: string; readonly limitMs?: number } = {}): Promise<string> {
    const { output, failed } = await this.tryPaste(text, options);
    if (process.env.GUIDES_SHOWN !== undefined)
      process.stderr.write(`\n----- ${this.#host.name}\n${text}-----\n${output}${failed.join('\n')}\n`);
    if (failed.length > 0) throw new Error(`on ${this.#host.name}: ${failed.join('; ')}\n${text}-----\n${output}`);
    return output;
  }

  #endOf(end: RegExp, start: number): RegExpExecArray | undefined {
    const found = end.exec(this.#screen.slice(start));
    if (found === null && this.#shell.exitCode !== null) throw new Error('the shell has ended');
    return found ?? undefined;
  }

  [Symbol.dispose](): void {
    this.#shell.kill('SIGKILL');
  }
}

function read(shown: string, name: string, code: number): Pasted {
  const mark = `${name} failed: `;
  const lines = shown.split('\n');
  const failed = lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
  const output = lines.filter((line) => !line.startsWith(mark)).join('\n');
  return { output, failed: failed.length === 0 && code !== 0 ? [`exit code ${code}`] : failed };
}
