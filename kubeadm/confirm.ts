import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { UsageError } from '#base/lifecycle.ts';
import type { Surroundings } from './surroundings.ts';

/** Returns when the user confirms. Throws a UsageError with `refusal` otherwise, also without a terminal. */
export async function confirm(
  { print, signal }: Pick<Surroundings, 'print' | 'signal'>,
  question: string,
  refusal: string,
  input: Readable = process.stdin,
): Promise<void> {
  print(question);
  const answer = await firstLine(input, signal);
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError(refusal, { exitCode: 1 });
}

/** '' where the input ends before it says anything. */
async function firstLine(input: Readable, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input });
  const close = (): void => lines.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    signal.throwIfAborted();
    for await (const line of lines) return line;
    signal.throwIfAborted();
    return '';
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
  }
}
