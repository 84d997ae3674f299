import { execFileSync } from 'node:child_process';
import { UsageError } from '#base/lifecycle.ts';

/** Runs a docker command and answers its output. Throws a UsageError with the engine's words. */
export function docker(args: readonly string[], input?: string): string {
  try {
    return execFileSync('docker', args, { input: input ?? '', encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').slice(-3).join(' ') : String(error);
    throw new UsageError(`docker ${args[0]}: ${words}`, { exitCode: 1, cause: error });
  }
}
