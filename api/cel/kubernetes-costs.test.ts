import { expect, test } from 'vitest';
import { check } from './checker.ts';
import { estimateCost } from './cost.ts';
import { Environment } from './environment.ts';
import { costs } from './kubernetes-costs.cases.ts';
import { kubernetesCosts } from './kubernetes-costs.ts';
import { jsonPatchLibrary } from './libraries/json-patch.ts';
import { kubernetesLibraries } from './libraries/kubernetes-base.ts';
import { parse } from './parser.ts';
import { Source } from './source.ts';
import { standardLibrary } from './standard-library.ts';
import { variablesOf } from './testing.ts';

const variables = variablesOf('authorizer: kubernetes.authorization.Authorizer');
const environment = new Environment({
  libraries: [standardLibrary(), ...kubernetesLibraries(), jsonPatchLibrary(), { functions: [], variables }],
});
const model = kubernetesCosts(({ type: { kind } }) => (kind === 'string' || kind === 'bytes' ? { min: 0n, max: 12n } : undefined));

function cost(text: string): string {
  const { expr } = parse(new Source(text), { macros: environment.macros, optionalSyntax: true });
  const checked = expr === undefined ? [] : check(expr, environment);
  if (!('expr' in checked)) return checked.map(({ message }) => message).join();
  const { min, max } = estimateCost(checked, model);
  return `${min}..${max}`;
}

test.each(costs)('%s costs %s', (text, expected) => {
  expect(cost(text)).toBe(expected);
});
