// What follows from one look at the node: which thresholds are met and since when, and which conditions that gives it. Pure.
// (pkg/kubelet/eviction/eviction_manager.go: synchronize.)
import { conditionOf, isMemory, type Observations, type PressureCondition } from './signals.ts';
import { type Amount, type Threshold, unitsOf } from './thresholds.ts';

/** What one look must know of those before it. Thresholds are known by identity: they come from the same list. */
export interface PressureState {
  /** Those that are met, and since when. */
  readonly sinceMs: ReadonlyMap<Threshold, number>;
  /** When each condition was seen last. */
  readonly seenMs: ReadonlyMap<PressureCondition, number>;
  /** The conditions that the node has. */
  readonly conditions: readonly PressureCondition[];
}

export const noPressure: PressureState = { sinceMs: new Map(), seenMs: new Map(), conditions: [] };

interface PressureView {
  readonly thresholds: readonly Threshold[];
  readonly observations: Observations;
  /** How long a condition stays after it was seen last. */
  readonly transitionMs: number;
  readonly nowMs: number;
}

interface PressureVerdict {
  readonly state: PressureState;
  /** Thresholds that were met for as long as they ask for, the one to begin with first. */
  readonly due: readonly Threshold[];
}

const order: readonly PressureCondition[] = ['MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Judges one look. */
export function judgePressure(previous: PressureState, { thresholds, observations, transitionMs, nowMs }: PressureView): PressureVerdict {
  // What was met stays so until there is as much more as its minimum reclaim says.
  const met = thresholds.filter((one) => isMet(one, observations, previous.sinceMs.has(one)));
  const sinceMs = new Map(met.map((one) => [one, previous.sinceMs.get(one) ?? nowMs]));
  const seenMs = new Map(previous.seenMs);
  for (const { signal } of met) seenMs.set(conditionOf(signal), nowMs);
  const conditions = order.filter((one) => nowMs - (seenMs.get(one) ?? Number.NEGATIVE_INFINITY) < transitionMs);
  const due = met.filter((one) => nowMs - (sinceMs.get(one) ?? nowMs) >= one.graceMs);
  return { state: { sinceMs, seenMs, conditions }, due: memoryFirst(due) };
}

/** Whether too little is left. `withReclaim`: also counts as too little what is less than the minimum reclaim above it. */
export function isMet(threshold: Threshold, observations: Observations, withReclaim: boolean): boolean {
  const observed = observations.get(threshold.signal);
  if (observed === undefined) return false;
  const units = (amount: Amount | undefined): number => (amount === undefined ? 0 : unitsOf(amount, observed.capacity));
  return units(threshold.value) + (withReclaim ? units(threshold.minReclaim) : 0) > observed.available;
}

function memoryFirst(thresholds: readonly Threshold[]): Threshold[] {
  return thresholds.toSorted((a, b) => Number(isMemory(b.signal)) - Number(isMemory(a.signal)));
}
