import type { LabelSelector } from '#api/meta/label-selector.ts';

/** Compiles the selector of each version of an object once, however many events ask for it. Objects in caches never change. */
export function oncePerVersion<T extends object>(compile: (object: T) => LabelSelector): (object: T) => LabelSelector {
  const compiled = new WeakMap<T, LabelSelector>();
  return (object) => {
    const known = compiled.get(object);
    if (known !== undefined) return known;
    const selector = compile(object);
    compiled.set(object, selector);
    return selector;
  };
}
