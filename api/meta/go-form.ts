import type { V1LabelSelector } from '#api/generated/types.ts';
import type { Unchecked } from './unchecked.ts';

/**
 * A value as messages of upstream show it where they hold its inner type: members by their Go names, all of them, in the order of
 * the type. `members` lists those; absent ones are null.
 */
export function goForm(value: object, members: readonly string[]): Record<string, unknown> {
  return goTree(value, Object.fromEntries(members.map((name) => [name, null])));
}

const needsNoEscape = /^[ !#-[\]-~]*$/;
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|["\\]/gu;
const shortEscapes: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '\x07': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
};

/** A text as Go's %q shows it: in quotes, escaped where it cannot be printed. */
export function goQuote(text: string): string {
  return needsNoEscape.test(text) ? `"${text}"` : `"${text.replace(unprintable, escapedRune)}"`;
}

function escapedRune(rune: string): string {
  const short = shortEscapes[rune];
  if (short !== undefined) return short;
  const code = rune.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x1_0000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** A map as Go shows it: by its keys in order; null where there is none. */
export function mapForm(map: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> | null {
  return map === undefined
    ? null
    : Object.fromEntries(
        Object.keys(map)
          .toSorted()
          .map((key) => [key, map[key] ?? '']),
      );
}

/** A label selector in the order of Go's type, without what is empty. */
export function selectorForm({ matchLabels, matchExpressions }: Unchecked<V1LabelSelector>): object {
  const labels = mapForm(matchLabels as Record<string, string> | undefined) ?? {};
  return {
    ...(Object.keys(labels).length === 0 ? {} : { matchLabels: labels }),
    ...(matchExpressions === undefined || matchExpressions.length === 0
      ? {}
      : {
          matchExpressions: matchExpressions.map(({ key = '', operator = '', values }) => ({
            key,
            operator,
            values: values?.length ? values : undefined,
          })),
        }),
  };
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
