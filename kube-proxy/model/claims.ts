import { type Dispatch, frontOf, sameDispatch } from './dispatch.ts';

/** What changed for the node: fronts with their new dispatch, or undefined where nothing is wanted any more. */
export type DispatchChanges = ReadonlyMap<string, Dispatch | undefined>;

/**
 * What all Services want together. Where two want the same front (the same external address, say), the one whose key sorts first has it,
 * so that every node decides alike, and the other takes over when that one goes. A change costs what the Service has, not the cluster.
 */
export class Claims {
  readonly #byFront = new Map<string, Map<string, Dispatch>>();
  readonly #byService = new Map<string, ReadonlyMap<string, Dispatch>>();

  /** Replaces what a Service wants; an empty list takes it out. Answers the fronts whose winner changed. */
  set(serviceKey: string, dispatches: readonly Dispatch[]): DispatchChanges {
    const before = this.#byService.get(serviceKey) ?? new Map<string, Dispatch>();
    const after = new Map(dispatches.map((dispatch) => [frontOf(dispatch), dispatch]));
    const changes = new Map<string, Dispatch | undefined>();
    for (const front of new Set([...before.keys(), ...after.keys()])) {
      const winnerBefore = this.#winner(front);
      this.#put(front, serviceKey, after.get(front));
      const winnerAfter = this.#winner(front);
      const isSame =
        winnerBefore === winnerAfter ||
        (winnerBefore !== undefined && winnerAfter !== undefined && sameDispatch(winnerBefore, winnerAfter));
      if (!isSame) changes.set(front, winnerAfter);
    }
    if (after.size === 0) this.#byService.delete(serviceKey);
    else this.#byService.set(serviceKey, after);
    return changes;
  }

  /** Everything wanted now. */
  *all(): Iterable<Dispatch> {
    for (const front of this.#byFront.keys()) {
      const winner = this.#winner(front);
      if (winner !== undefined) yield winner;
    }
  }

  #put(front: string, serviceKey: string, dispatch: Dispatch | undefined): void {
    const claims = this.#byFront.get(front) ?? new Map<string, Dispatch>();
    if (dispatch === undefined) claims.delete(serviceKey);
    else claims.set(serviceKey, dispatch);
    if (claims.size === 0) this.#byFront.delete(front);
    else this.#byFront.set(front, claims);
  }

  #winner(front: string): Dispatch | undefined {
    const claims = this.#byFront.get(front);
    if (claims === undefined) return undefined;
    let first: string | undefined;
    for (const key of claims.keys()) if (first === undefined || key < first) first = key;
    return first === undefined ? undefined : claims.get(first);
  }
}
