import { spawn } from 'node:child_process';

export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, given some input; 127 when there is no such program. Rejects only for the abort. */
export function runCommand(program: string, args: readonly string[], input: string, signal: AbortSignal): Promise<CommandOutcome> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], signal, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')));
    child.on('error', (error) => {
      if (signal.aborted) reject(signal.reason as Error);
      else resolve({ code: 127, stdout: '', stderr: error.message });
    });
    child.on('close', (code) => resolve({ code: code ?? 255, ...output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
