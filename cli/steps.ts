import type { Clock } from '#base/clock.ts';

/** Where a command says what it does: steps with a tick each on standard error, so that standard output stays for answers. */
export interface Steps {
  /** Runs one step and shows how it went; `detail` may be set while it runs, to say what it waits for. */
  step<T>(title: string, work: (detail: (text: string) => void) => Promise<T> | T): Promise<T>;
  /** A line of its own. */
  note(text: string): void;
}

/** What `createSteps` needs of a stream. */
interface StepStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Steps that take less are shown without their time. */
const shownFromMs = 100;

/** Steps for a terminal (the running one is shown live, in one line) or for a file (finished ones only). */
export function createSteps(stream: StepStream, clock: Clock): Steps {
  const isLive = stream.isTTY === true;
  const clear = isLive ? '\r\u001b[2K' : '';
  const paint = (code: number, text: string): string => (isLive ? `\u001b[${code}m${text}\u001b[0m` : text);
  const end = (mark: string, title: string, startMs: number): void => {
    const tookMs = clock.monotonicMs() - startMs;
    const time = tookMs < shownFromMs ? '' : ` ${paint(2, `(${(tookMs / 1_000).toFixed(1)} s)`)}`;
    stream.write(`${clear}${mark} ${title}${time}\n`);
  };
  return {
    async step(title, work) {
      const startMs = clock.monotonicMs();
      let shown: string | undefined;
      const show = (detail: string): void => {
        // A line that wraps could not be cleared again; the last column stays free, for the cursor. Some terminals say 0 for "unknown".
        const line = oneLine(detail === '' ? title : `${title}: ${detail}`, (stream.columns || 80) - 3);
        if (!isLive || line === shown) return;
        shown = line;
        stream.write(`${clear}${paint(33, '…')} ${line}`);
      };
      show('');
      try {
        const result = await work(show);
        end(paint(32, '✓'), title, startMs);
        return result;
      } catch (error) {
        end(paint(31, '✗'), title, startMs);
        throw error;
      }
    },
    note(text) {
      stream.write(`${clear}${text}\n`);
    },
  };
}

function oneLine(text: string, width: number): string {
  const characters = Array.from(text.replaceAll(/\s+/g, ' '));
  return characters.length <= width ? characters.join('') : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}
