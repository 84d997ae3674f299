// What runs in a simulated container: an async function instead of a process.
import type { Duplex } from 'node:stream';
import type { Clock } from '#base/clock.ts';

/** A program's view of its container. */
export interface ProgramContext {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly stdin: AsyncIterable<Uint8Array>;
  print(text: string, stream?: 'stdout' | 'stderr'): Promise<void>;
  /** Resolves at SIGTERM. */
  readonly terminated: Promise<void>;
  /** Aborts when the container is killed: whatever the program does then is no longer seen. */
  readonly killed: AbortSignal;
  /** Answers connections to a port of the pod until the container ends. */
  listen(port: number, answer: (connection: Duplex) => void): void;
}

/** Resolves with the exit code. */
export type Program = (context: ProgramContext) => Promise<number>;

/** Runs until SIGTERM, as most servers do. */
export const untilTerminated: Program = async ({ terminated }) => {
  await terminated;
  return 0;
};

/** Runs for that long, then ends with that code. */
export function endsAfter(ms: number, exitCode: number): Program {
  return async ({ clock, killed }) => {
    await clock.sleep(ms, killed);
    return exitCode;
  };
}
