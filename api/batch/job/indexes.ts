// Sets of indexes as text: `1,3-5,7`.

/** How many indexes the text holds, or what is wrong with it. */
type IndexCount = { readonly total: number } | { readonly problem: string };

/** Counts the indexes of a text, which must rise and stay below `completions`. */
export function countIndexes(text: string, completions: number): IndexCount {
  let last = -1;
  let total = 0;
  for (const part of text === '' ? [] : text.split(',')) {
    const interval = readInterval(part, completions);
    if (typeof interval === 'string') return { problem: interval };
    const [first, end] = interval;
    if (last >= first) return { problem: `non-increasing order, previous: ${last}, current: ${first}` };
    total += end - first + 1;
    last = end;
  }
  return { total };
}

/** The lowest index that two texts have in common; parts that cannot be read are passed over. */
export function commonIndex(left: string, right: string, completions: number): number | undefined {
  const mine = intervals(left, completions);
  const others = intervals(right, completions);
  for (let at = 0, other = 0; ; ) {
    const [a, b] = [mine[at], others[other]];
    if (a === undefined || b === undefined) return undefined;
    if (a[0] <= b[1] && b[0] <= a[1]) return Math.max(a[0], b[0]);
    if (a[0] <= b[0]) at++;
    else other++;
  }
}

type Interval = readonly [number, number];

function intervals(text: string, completions: number): Interval[] {
  const read = (text === '' ? [] : text.split(',')).map((part) => readInterval(part, completions));
  return read.filter((one) => typeof one !== 'string');
}

function readInterval(text: string, completions: number): Interval | string {
  const parts = text.split('-');
  if (parts.length > 2) {
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  }
  const numbers: number[] = [];
  for (const part of parts) {
    if (!/^\+?[0-9]+$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
    if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`;
    numbers.push(Number(part));
  }
  const [first = 0, end = first] = numbers;
  if (parts.length === 2 && first >= end) return `non-increasing order, previous: ${first}, current: ${end}`;
  return [first, end];
}
