type Line = readonly [sign: ' ' | '-' | '+', text: string];

interface Sides {
  readonly from: string;
  readonly to: string;
}

/** The difference of two texts as `diff -u` shows it, without colours; '' where there is none. For texts of some hundred lines. */
export function unifiedDiff(before: string, after: string, names: Sides, contextLines: number): string {
  const lines = alignedLines(linesOf(before), linesOf(after));
  const changed = lines.flatMap(([sign], at) => (sign === ' ' ? [] : [at]));
  if (changed.length === 0) return '';
  const hunks: { first: number; last: number }[] = [];
  for (const at of changed) {
    const previous = hunks.at(-1);
    if (previous !== undefined && at - contextLines <= previous.last + contextLines + 1) previous.last = at;
    else hunks.push({ first: at, last: at });
  }
  const texts = hunks.map(({ first, last }) =>
    hunkText(lines, Math.max(0, first - contextLines), Math.min(lines.length - 1, last + contextLines)),
  );
  return `--- ${names.from}\n+++ ${names.to}\n${texts.join('')}`;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Longest common subsequence, filled in from the end. */
function alignedLines(a: readonly string[], b: readonly string[]): readonly Line[] {
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([' ', a[i] ?? '']);
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) lines.push(['-', a[i++] ?? '']);
    else lines.push(['+', b[j++] ?? '']);
  }
  return lines;
}

function hunkText(lines: readonly Line[], first: number, last: number): string {
  const count = (upTo: number, sign: '-' | '+'): number => lines.slice(0, upTo).filter(([own]) => own === ' ' || own === sign).length;
  const range = (sign: '-' | '+'): string => {
    const [start, length] = [count(first, sign), count(last + 1, sign) - count(first, sign)];
    return length === 1 ? `${start + 1}` : `${length === 0 ? start : start + 1},${length}`;
  };
  const shown = lines.slice(first, last + 1).map(([sign, text]) => `${sign}${text}\n`);
  return `@@ -${range('-')} +${range('+')} @@\n${shown.join('')}`;
}
