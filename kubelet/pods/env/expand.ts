/**
 * Replaces `$(NAME)` by what `lookup` gives for it; unknown names stay as they are, `$$` is one dollar sign. What is put in is
 * not looked at again. (third_party/forked/golang/expansion)
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0 || dollar === text.length - 1) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    const close = next === '(' ? text.indexOf(')', dollar + 2) : -1;
    if (close >= 0) {
      const name = text.slice(dollar + 2, close);
      out += lookup(name) ?? `$(${name})`;
      at = close + 1;
    } else if (next === '$') {
      out += '$';
      at = dollar + 2;
    } else {
      // Not a reference: both characters stand for themselves, also an unclosed parenthesis.
      out += `$${next}`;
      at = dollar + 2;
    }
  }
  return out;
}

/** As `expand`, for a place that may not refer to something unknown or empty (subPathExpr). Answers the names that are missing, sorted. */
export function expandStrictly(
  text: string,
  lookup: (name: string) => string | undefined,
): { readonly text: string; readonly missing: readonly string[] } {
  const missing = new Set<string>();
  const expanded = expand(text, (name) => {
    const value = lookup(name);
    if (value === undefined || value === '') missing.add(name);
    return value;
  });
  return { text: expanded, missing: [...missing].toSorted() };
}
