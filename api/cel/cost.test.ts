import { expect, test } from 'vitest';
import { check } from './checker.ts';
import { type CostOptions, costs } from './cost.cases.ts';
import { type CostModel, estimateCost } from './cost.ts';
import { Environment } from './environment.ts';
import { fixed } from './estimate.ts';
import { testMessages } from './messages.cases.ts';
import { parse } from './parser.ts';
import { Source } from './source.ts';
import { standardLibrary } from './standard-library.ts';
import { variablesOf } from './testing.ts';

/** Bytes are no longer than 12 here, and the year of a time costs 7. */
function modelOf({ sizes = {}, presenceCost }: CostOptions): CostModel {
  return {
    presenceCost: presenceCost === 0 ? 0n : 1n,
    size({ path, type }) {
      const size = sizes[path.join('.')] ?? (type.kind === 'bytes' ? 12 : undefined);
      return size === undefined ? undefined : { min: 0n, max: BigInt(size) };
    },
    call: ({ overload }) => (overload === 'timestamp_to_year' ? { cost: fixed(7n) } : undefined),
  };
}

test.each(costs.map(([text, cost, options]) => [text, cost, options] as const))('%s costs %s', (text, cost, options = {}) => {
  const { expr } = parse(new Source(text));
  const variables = variablesOf(options.variables ?? '');
  const environment = new Environment({ libraries: [standardLibrary(), { functions: [], variables }], messages: testMessages() });
  const checked = expr === undefined ? [] : check(expr, environment);
  if (!('expr' in checked)) throw new Error(checked.map(({ message }) => message).join());
  const { min, max } = estimateCost(checked, modelOf(options));
  expect(`${min}..${max}`).toBe(cost);
});
