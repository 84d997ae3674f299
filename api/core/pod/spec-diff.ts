import { equalValues } from '../../meta/equality.ts';

/**
 * What differs between two specs, line by line: unchanged members are summed up, others shown before and after. Meant for people;
 * the shape follows upstream's, the words of Go's types do not.
 */
export function specDiff(prev: object, next: object): string {
  const before = new Map<string, unknown>(Object.entries(prev));
  const now = new Map<string, unknown>(Object.entries(next));
  const names = [...new Set([...before.keys(), ...now.keys()])].toSorted();
  const lines: string[] = [];
  let identical = 0;
  const flush = (): void => {
    if (identical > 0) lines.push(`  \t... // ${identical} identical fields`);
    identical = 0;
  };
  for (const name of names) {
    if (equalValues(before.get(name), now.get(name))) {
      identical++;
      continue;
    }
    flush();
    if (before.has(name)) lines.push(`- \t${name}: ${JSON.stringify(before.get(name))},`);
    if (now.has(name)) lines.push(`+ \t${name}: ${JSON.stringify(now.get(name))},`);
  }
  flush();
  return `  {\n${lines.join('\n')}\n  }\n`;
}
