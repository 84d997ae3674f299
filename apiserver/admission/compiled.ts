import type { KubeObject } from '#api/meta/object.ts';
import type { Encoded } from '../registry/contract.ts';

/**
 * What a plugin makes of an object in the cache (a namespace's policy, a LimitRange's numbers), made once for each state of the
 * object and forgotten with it.
 */
export function compiled<T, Result>(compile: (object: T) => Result): (encoded: Encoded) => Result {
  const known = new WeakMap<Encoded, { readonly result: Result }>();
  return (encoded) => {
    const before = known.get(encoded);
    if (before !== undefined) return before.result;
    const result = compile(encoded.object() as KubeObject as T);
    known.set(encoded, { result });
    return result;
  };
}
