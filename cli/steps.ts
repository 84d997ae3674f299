import type { Clock } from '#base/clock.ts';

/** Where a command says what it does: steps with a tick each on standard error, so that standard output stays for answers. */
export interface Steps {
  /** Runs one step and shows how it went; `detail` may be set while it runs, to say what it waits for. */
  step<T>(title: string, work: (detail: (text: string) => void) => Promise<T> | T): Promise<T>;
  /** A line of its own. */
  note(text: string): void;
}

/** Steps for a terminal (the running one is shown live) or for a file (finished ones only). */
export function createSteps(stream: NodeJS.WriteStream, clock: Clock): Steps {
  const isLive = stream.isTTY === true;
  const clear = isLive ? '\r\u001b[2K' : '';
  const paint = (code: number, text: string): string => (isLive ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    async step(title, work) {
      const startMs = clock.monotonicMs();
      const show = (text: string): void => {
        if (isLive)
          stream.write(`${clear}${paint(33, '…')} ${title}${text === '' ? '' : `: ${text}`}`.slice(0, (stream.columns ?? 80) + 12));
      };
      show('');
      try {
        const result = await work(show);
        const seconds = (clock.monotonicMs() - startMs) / 1_000;
        stream.write(`${clear}${paint(32, '✓')} ${title}${seconds >= 0.1 ? ` (${seconds.toFixed(1)} s)` : ''}\n`);
        return result;
      } catch (error) {
        stream.write(`${clear}${paint(31, '✗')} ${title}\n`);
        throw error;
      }
    },
    note(text) {
      stream.write(`${clear}${text}\n`);
    },
  };
}
