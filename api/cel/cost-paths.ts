// Ways from a variable to a part of the input: `device`, `attributes`, `@values`. Two ways that go on from the same one may share their
// memory, as slices do in Go, and then the later one overwrites the end of the earlier. Estimates of upstream, which are part of the API,
// depend on that: in `m.all(k, v, …)` the key is taken to be as large as the value where the way to `m` has three steps.

export interface Path {
  /** Longer than the path where others share it. */
  readonly steps: string[];
  readonly length: number;
  readonly capacity: number;
}

export function startPath(step: string): Path {
  return { steps: [step], length: 1, capacity: 1 };
}

/** Writes into the path's own memory where there is room. */
export function extendPath(path: Path | undefined, step: string): Path {
  if (path === undefined) return startPath(step);
  const { length } = path;
  if (length < path.capacity) {
    path.steps[length] = step;
    return { ...path, length: length + 1 };
  }
  return { steps: [...path.steps.slice(0, length), step], length: length + 1, capacity: path.capacity * 2 };
}

/** As it is now. */
export function readPath(path: Path | undefined): readonly string[] {
  return path === undefined ? [] : path.steps.slice(0, path.length);
}
