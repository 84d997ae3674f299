/** An object, a list or a table without its managedFields. Copies what it changes. */
export function withoutOwners(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { metadata, items, rows, object } = value as Readonly<Record<string, unknown>>;
  return {
    ...value,
    ...(isOwned(metadata) ? { metadata: { ...metadata, managedFields: undefined } } : {}),
    ...(Array.isArray(items) ? { items: items.map(withoutOwners) } : {}),
    ...(Array.isArray(rows) ? { rows: rows.map(withoutOwners) } : {}),
    // A row of a table.
    ...(typeof object === 'object' && object !== null ? { object: withoutOwners(object) } : {}),
  };
}

function isOwned(metadata: unknown): metadata is object {
  return typeof metadata === 'object' && metadata !== null && 'managedFields' in metadata;
}
