/**
 * A value as messages of upstream show it where they hold its inner type: members by their Go names, all of them, in the order of
 * the type. `members` lists those; absent ones are null.
 */
export function goForm(value: object, members: readonly string[]): Record<string, unknown> {
  const wire = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(members.map((name) => [name, wire[`${name.charAt(0).toLowerCase()}${name.slice(1)}`] ?? null]));
}
