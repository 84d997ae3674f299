// How little of each signal a node may have: read from --eviction-hard and its like (pkg/kubelet/eviction/helpers.go). Pure.
import { formatQuantity, parseQuantity, type Quantity, quantityValue, signOfQuantity } from '#api/meta/quantity.ts';
import { parseDuration } from '#base/duration.ts';
import { isSignal, type Observation, type Signal } from './signals.ts';

/** An amount, or a share of what there is. */
export type Amount = { readonly quantity: Quantity } | { readonly share: number };

export interface Threshold {
  readonly signal: Signal;
  readonly value: Amount;
  /** How long it must be met before pods are evicted; 0: it is a hard one. */
  readonly graceMs: number;
  /** How much more than the threshold must be free before it counts as no longer met. */
  readonly minReclaim?: Amount;
}

export type Statements = Readonly<Record<string, string>>;

export interface ThresholdStatements {
  readonly hard: Statements;
  readonly soft: Statements;
  readonly softGracePeriods: Statements;
  readonly minimumReclaim: Statements;
  /** Pods together are held to what is allocatable, so their memory is watched like the node's. */
  readonly enforcesAllocatable: boolean;
}

export const defaultHard: Statements = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '15%',
  'imagefs.inodesFree': '5%',
};

/** All thresholds. Throws an Error in upstream's words. */
export function parseThresholds(said: ThresholdStatements): Threshold[] {
  const hard = parseStatements(said.hard);
  const soft = parseStatements(said.soft);
  const gracePeriods = parseGracePeriods(said.softGracePeriods);
  const minimums = parseMinimums(said.minimumReclaim);
  const patient = soft.map((threshold) => {
    const graceMs = gracePeriods.get(threshold.signal);
    if (graceMs === undefined) throw new Error(`grace period must be specified for the soft eviction threshold ${threshold.signal}`);
    return { ...threshold, graceMs };
  });
  const all = [...hard, ...patient].map((threshold) => {
    const minReclaim = minimums.get(threshold.signal);
    return minReclaim === undefined ? threshold : { ...threshold, minReclaim };
  });
  if (!said.enforcesAllocatable) return all;
  const ofPods = all.filter(({ signal, graceMs }) => signal === 'memory.available' && graceMs === 0);
  return [...all, ...ofPods.map((threshold) => ({ ...threshold, signal: 'allocatableMemory.available' as const }))];
}

/** Containers write to the disk of the images, or to the node's where it has no disk of its own: they have no thresholds of their own. */
export function withContainerDisk(thresholds: readonly Threshold[], hasImageDisk: boolean): Threshold[] {
  const source = hasImageDisk ? 'imagefs' : 'nodefs';
  const own = thresholds.filter(({ signal }) => !signal.startsWith('containerfs.'));
  const copies = (['available', 'inodesFree'] as const).flatMap((what) =>
    own.filter(({ signal }) => signal === `${source}.${what}`).map((one) => ({ ...one, signal: `containerfs.${what}` as const })),
  );
  return [...own, ...copies];
}

function parseStatements(statements: Statements): Threshold[] {
  return Object.entries(statements).flatMap(([name, text]) => {
    const signal = signalOf(name);
    const value = parseThreshold(signal, text);
    return value === undefined ? [] : [{ signal, value, graceMs: 0 }];
  });
}

/** Undefined for those that mean nothing: 0% and 100%. */
function parseThreshold(signal: Signal, text: string): Amount | undefined {
  if (text.endsWith('%')) {
    if (text === '0%' || text === '100%') return undefined;
    const share = parseShare(text);
    if (share < 0) throw new Error(`eviction percentage threshold ${signal} must be >= 0%: ${text}`);
    if (share > 1) throw new Error(`eviction percentage threshold ${signal} must be <= 100%: ${text}`);
    return { share };
  }
  const quantity = parseQuantity(text);
  if (signOfQuantity(quantity) <= 0) throw new Error(`eviction threshold ${signal} must be positive: ${formatQuantity(quantity)}`);
  return { quantity };
}

function parseGracePeriods(statements: Statements): Map<Signal, number> {
  return new Map(
    Object.entries(statements).map(([name, text]) => {
      const signal = signalOf(name);
      const graceMs = parseDuration(text);
      if (graceMs < 0) throw new Error(`invalid eviction grace period specified: ${text}, must be a positive value`);
      return [signal, graceMs];
    }),
  );
}

function parseMinimums(statements: Statements): Map<Signal, Amount> {
  return new Map(
    Object.entries(statements).map(([name, text]): [Signal, Amount] => {
      const signal = signalOf(name);
      if (text.endsWith('%')) {
        const share = parseShare(text);
        if (share <= 0) throw new Error(`eviction percentage minimum reclaim ${signal} must be positive: ${text}`);
        return [signal, { share }];
      }
      const quantity = parseQuantity(text);
      if (signOfQuantity(quantity) < 0) throw new Error(`negative eviction minimum reclaim specified for ${signal}`);
      return [signal, { quantity }];
    }),
  );
}

function signalOf(name: string): Signal {
  if (!isSignal(name)) throw new Error(`unsupported eviction signal ${name}`);
  return name;
}

function parseShare(text: string): number {
  const number = text.replace(/%+$/, '');
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(number))
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`);
  // Upstream keeps shares in four bytes, which shows in what nodes have for pods and in messages.
  return Math.fround(Math.fround(Number(number)) / 100);
}

/** How much that is of what there is, in whole units. */
export function unitsOf(amount: Amount, capacity: number): number {
  return 'share' in amount ? Math.trunc(capacity * amount.share) : quantityValue(amount.quantity);
}

/** How much hard thresholds keep free: what pods cannot be given. */
export function hardReserve(thresholds: readonly Threshold[], signal: Signal, capacity: number): number {
  const kept = thresholds.filter((one) => one.signal === signal && one.graceMs === 0);
  return kept.reduce((sum, { value }) => sum + unitsOf(value, capacity), 0);
}

/** The same as a message says it: an amount as it was given, a share in units. */
export function amountText(amount: Amount, { capacity }: Observation): string {
  return 'share' in amount ? binaryText(unitsOf(amount, capacity)) : formatQuantity(amount.quantity);
}

/** As upstream prints bytes: the largest binary unit that leaves no fraction. */
export function binaryText(units: number): string {
  return formatQuantity({ digits: BigInt(units), exponent: 0, format: 'BinarySI' });
}
