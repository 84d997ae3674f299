/** The key that a header's name carries: keys may hold what names may not, written as in URLs. */
export function unescapedKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
