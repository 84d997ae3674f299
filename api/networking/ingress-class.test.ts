import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { ingressClass } from './ingress-class.ts';

const parameters = (more: string): string => `metadata: {name: a}\nspec: {controller: acme.io/x, parameters: {${more}}}`;
const invalidPath =
  "spec.controller: Invalid value: \"b c\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

test.each<[string, string, string[]]>([
  ['fine', parameters('apiGroup: acme.io, kind: K, name: n'), []],
  ['no controller', 'metadata: {name: a}', ['spec.controller: Required value']],
  [
    'no path',
    'metadata: {name: a}\nspec: {controller: acme.io/}',
    ['spec.controller: Invalid value: "acme.io/": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
  ['odd path', 'metadata: {name: a}\nspec: {controller: acme.io/b c}', [invalidPath]],
  [
    'long controller',
    `metadata: {name: a}\nspec: {controller: acme.io/${'x'.repeat(250)}}`,
    ['spec.controller: Too long: may not be more than 250 bytes'],
  ],
  [
    'empty reference',
    parameters('kind: "", name: a/b'),
    ['spec.parameters.kind: Required value', 'spec.parameters.name: Invalid value: "a/b": may not contain \'/\''],
  ],
  [
    'no namespace',
    parameters('kind: K, name: n, scope: Namespace'),
    ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
  ],
  [
    'needless namespace',
    parameters('kind: K, name: n, namespace: x'),
    ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
  [
    'scope',
    parameters('kind: K, name: n, scope: Any'),
    ['spec.parameters.scope: Unsupported value: "Any": supported values: "Cluster", "Namespace"'],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(ingressClass, yaml)).toEqual(expected);
});

test('the controller stays', () => {
  expect(updateProblems(ingressClass, parameters('kind: K, name: n'), ({ spec }) => void (spec.controller = 'acme.io/y'))).toEqual([
    'spec.controller: Invalid value: "acme.io/y": field is immutable',
  ]);
});

test('parameters belong to the cluster by default, and are shown', () => {
  const object = decoded(ingressClass, parameters('apiGroup: acme.io, kind: K, name: n'));
  expect(object.spec.parameters?.scope).toBe('Cluster');
  expect(row(ingressClass, object)).toEqual({ Name: 'a', Controller: 'acme.io/x', Parameters: 'K.acme.io/n', Age: '<unknown>' });
  expect(row(ingressClass, decoded(ingressClass, 'metadata: {name: a}\nspec: {controller: acme.io/x}'))).toMatchObject({
    Parameters: '<none>',
  });
});

test('the default one is marked', () => {
  const marked = (value: string): unknown =>
    row(ingressClass, decoded(ingressClass, `metadata: {name: a, annotations: {ingressclass.kubernetes.io/is-default-class: "${value}"}}`))[
      'Name'
    ];
  expect([marked('true'), marked('false')]).toEqual(['a (default)', 'a']);
});
