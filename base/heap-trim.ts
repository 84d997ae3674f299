// Gives memory back after a burst. V8 collects when a process allocates; one that has become idle keeps what its heap grew to, for hours.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from './clock.ts';
import type { Service } from './lifecycle.ts';

interface HeapTrimDeps {
  readonly clock: Clock;
  /** CPU time of the process so far; default: the kernel's figure. */
  readonly cpuMs?: () => number;
  /** What the heap and the buffers beside it take; default: V8's figures. */
  readonly heapBytes?: () => number;
  /** Collects all garbage, which stops the process for some milliseconds; default: V8's. */
  readonly collect?: () => void;
}

const lookMs = 30_000;
/** Below this share of one core the process is idle, and a collection delays no request. */
const idleShare = 0.05;
/** A heap is worth collecting once it is so much larger than the last collection left it. */
const growthBytes = 6 * 2 ** 20;

/** Put it into a process of its own: it looks at the whole process. */
export class HeapTrim implements Service {
  readonly name = 'heap trim';
  readonly #deps: Required<HeapTrimDeps>;

  constructor(deps: HeapTrimDeps) {
    const cpuMs = (): number => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    };
    this.#deps = { cpuMs, heapBytes, collect: collector(), ...deps };
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, cpuMs, heapBytes, collect } = this.#deps;
    ready();
    let leftBytes = 0;
    let before = { cpuMs: cpuMs(), atMs: clock.monotonicMs() };
    for (;;) {
      await clock.sleep(lookMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const now = { cpuMs: cpuMs(), atMs: clock.monotonicMs() };
      const isIdle = now.cpuMs - before.cpuMs < idleShare * (now.atMs - before.atMs);
      before = now;
      if (!isIdle || heapBytes() < leftBytes + growthBytes) continue;
      collect();
      leftBytes = heapBytes();
    }
  }
}

function heapBytes(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}

/** V8 exposes its collector only to contexts created after the flag was set. */
function collector(): () => void {
  let collect: (() => void) | undefined;
  return () => {
    if (collect === undefined) {
      setFlagsFromString('--expose-gc');
      collect = runInNewContext('gc') as () => void;
      setFlagsFromString('--no-expose-gc');
    }
    collect();
  };
}
