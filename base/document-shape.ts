// Checks a parsed document against a shape: every field that is unknown or of the wrong type is named, with its path.

/** `scalar`: a string or a number. */
export type Shape = 'string' | 'number' | 'boolean' | 'map' | 'scalar' | readonly [Shape] | { readonly [field: string]: Shape };

/** One line for each thing that is wrong; empty for none. Null counts as absent. */
export function shapeProblems(value: unknown, shape: Shape, path = ''): string[] {
  if (value === null || value === undefined) return [];
  if (typeof shape === 'string') {
    return isA(shape, value) ? [] : [`${path}: must be a ${shape === 'scalar' ? 'string or a number' : shape}`];
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${path}: must be a list`];
    return value.flatMap((item, at) => shapeProblems(item, shape[0], `${path}[${at}]`));
  }
  if (typeof value !== 'object' || Array.isArray(value)) return [`${path === '' ? 'the document' : path}: must be a map`];
  return Object.entries(value).flatMap(([field, inner]) => {
    const at = path === '' ? field : `${path}.${field}`;
    const expected = Object.hasOwn(shape, field) ? shape[field] : undefined;
    return expected === undefined ? [`unknown field ${JSON.stringify(at)}`] : shapeProblems(inner, expected, at);
  });
}

function isA(shape: Shape & string, value: unknown): boolean {
  if (shape === 'map') return typeof value === 'object' && !Array.isArray(value);
  return shape === 'scalar' ? typeof value === 'string' || typeof value === 'number' : typeof value === shape;
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}
