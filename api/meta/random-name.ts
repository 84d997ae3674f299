/** Upstream's alphabet for random parts: no vowels and no digits that look like one, so that no words come about. */
const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const maxNameLength = 63;
const suffixLength = 5;

/** Letters of the safe alphabet. `random` gives numbers in [0, 1). */
export function randomSuffix(length: number = suffixLength, random: () => number = Math.random): string {
  let text = '';
  for (let at = 0; at < length; at++) text += safeAlphabet.charAt(Math.floor(random() * safeAlphabet.length));
  return text;
}

/** A name for a `generateName`: the base, cut so that all fits into 63 characters, and five random letters. */
export function generateName(base: string, random: () => number = Math.random): string {
  return base.slice(0, maxNameLength - suffixLength) + randomSuffix(suffixLength, random);
}

/** Each character of a text replaced by one of the safe alphabet, as upstream's SafeEncodeString does with hashes. */
export function safeEncode(text: string): string {
  return Array.from(text, (char) => safeAlphabet.charAt((char.codePointAt(0) ?? 0) % safeAlphabet.length)).join('');
}
