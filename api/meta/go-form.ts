/**
 * A value as messages of upstream show it where they hold its inner type: members by their Go names, all of them, in the order of
 * the type. `members` lists those; absent ones are null.
 */
export function goForm(value: object, members: readonly string[]): Record<string, unknown> {
  return goTree(value, Object.fromEntries(members.map((name) => [name, null])));
}

/** What an inner type has, by Go names in Go's order. */
export interface GoStruct {
  readonly [member: string]: GoMember;
}

/** What stands there when a member is absent; or the form of what is there: of each of a list, of one that may be null, of one that is always there. */
export type GoMember = null | '' | 0 | false | { readonly each: GoStruct } | { readonly one: GoStruct } | { readonly always: GoStruct };

/** As `goForm`, for types whose members have inner types themselves. */
export function goTree(value: object, struct: GoStruct): Record<string, unknown> {
  const wire = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(struct).map(([name, member]) => [name, goMember(wire[wireName(name)] ?? undefined, member)]));
}

function goMember(value: unknown, member: GoMember): unknown {
  if (typeof member !== 'object' || member === null) return value ?? member;
  if ('always' in member) return goTree((value ?? {}) as object, member.always);
  if (value === undefined) return null;
  return 'one' in member ? goTree(value as object, member.one) : (value as object[]).map((item) => goTree(item, member.each));
}

/** `cel` of `CEL`, `apiGroups` of `APIGroups`, `matchAttribute` of `MatchAttribute`. */
function wireName(name: string): string {
  return name.replace(/^(?:[A-Z]+(?=[A-Z][a-z]|$)|[A-Z])/, (start) => start.toLowerCase());
}
