// --eviction-… and what a KubeletConfiguration says of it.
import { UsageError } from '#base/lifecycle.ts';
import { durationFlag, type Flag, intFlag, mapFlag } from '#base/flags.ts';
import { defaultHard, parseThresholds, type Statements, type Threshold } from './thresholds.ts';

export interface EvictionSettings {
  readonly thresholds: readonly Threshold[];
  /** How long a node keeps a pressure condition after it was seen last. */
  readonly transitionMs: number;
  /** The most that a pod gets to end when a soft threshold is met. */
  readonly maxPodGraceSeconds: number;
}

export const evictionFlags = {
  'eviction-hard': thresholdFlag(defaultHard, 'What must stay available, such as memory.available<1Gi, or pods are evicted at once'),
  'eviction-soft': thresholdFlag({}, 'What must stay available, or pods are evicted when it has not been for its grace period'),
  'eviction-soft-grace-period': mapFlag('How long a soft threshold must be met, such as memory.available=1m30s'),
  'eviction-minimum-reclaim': mapFlag('How much more than the threshold eviction must free, such as imagefs.available=2Gi'),
  'eviction-pressure-transition-period': durationFlag(300_000, 'How long a node stays under pressure after the last threshold was met'),
  'eviction-max-pod-grace-period': intFlag(0, 'The most seconds that a pod gets to end when a soft threshold is met', { min: 0 }),
};

type Values = { readonly [K in keyof typeof evictionFlags]: (typeof evictionFlags)[K] extends Flag<infer V> ? V : never };

/** Throws UsageError in upstream's words. */
export function evictionSettings(values: Values, enforcesAllocatable: boolean): EvictionSettings {
  const transitionMs = values['eviction-pressure-transition-period'];
  try {
    const thresholds = parseThresholds({
      hard: values['eviction-hard'],
      soft: values['eviction-soft'],
      softGracePeriods: values['eviction-soft-grace-period'],
      minimumReclaim: values['eviction-minimum-reclaim'],
      enforcesAllocatable,
    });
    return { thresholds, transitionMs, maxPodGraceSeconds: values['eviction-max-pod-grace-period'] };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { exitCode: 1, cause: error });
  }
}

/** `memory.available<1Gi,nodefs.available<10%`; what is given takes the place of all the defaults. */
function thresholdFlag(initial: Statements, help: string): Flag<Statements> {
  const parse = (text: string, previous: Statements | undefined): Statements => {
    const parts = text.split(',').filter((part) => part !== '');
    const pairs = parts.map((part): [string, string] => {
      const [name = '', value, ...rest] = part.split('<').map((one) => one.trim());
      if (value === undefined || rest.length > 0) throw new Error(`malformed pair, expect string<string`);
      return [name, value];
    });
    return { ...previous, ...Object.fromEntries(pairs) };
  };
  return { help, default: initial, valueName: 'mapStringString', parse };
}
