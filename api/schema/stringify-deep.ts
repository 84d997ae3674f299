/** JSON.stringify, also for values nested deeper than the stack allows. */
export function stringifyDeep(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return stringifyInSteps(value);
  }
}

interface Open {
  readonly entries: Iterator<[key: string | number, value: unknown]>;
  readonly isArray: boolean;
  isFirst: boolean;
}

/** One loop over a list of open containers. Leaves go through JSON.stringify. */
function stringifyInSteps(root: unknown): string {
  const parts: string[] = [];
  const open: Open[] = [];
  const begin = (value: unknown): void => {
    if (Array.isArray(value)) {
      parts.push('[');
      open.push({ entries: value.entries() as Open['entries'], isArray: true, isFirst: true });
    } else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      parts.push('{');
      const entries = Object.entries(value).filter(([, one]) => one !== undefined);
      open.push({ entries: entries.values(), isArray: false, isFirst: true });
    } else {
      parts.push(JSON.stringify(value) ?? 'null');
    }
  };
  begin(root);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.entries.next();
    if (next.done === true) {
      parts.push(top.isArray ? ']' : '}');
      open.pop();
      continue;
    }
    if (!top.isFirst) parts.push(',');
    top.isFirst = false;
    const [key, value] = next.value;
    if (!top.isArray) parts.push(`${JSON.stringify(key)}:`);
    begin(value);
  }
  return parts.join('');
}

/** JSON for people: indented by two. What is nested deeper than the stack allows is nothing to look at, and comes without white space. */
export function prettyText(value: unknown): string {
  try {
    return JSON.stringify(value, undefined, 2);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return stringifyInSteps(value);
  }
}
