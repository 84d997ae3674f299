import { expect, test } from 'vitest';
import { createProblems, updateProblems } from '../testing.ts';
import { endpoints } from './endpoints.ts';

const odd = 'metadata: {name: a, namespace: b}\nsubsets: [{addresses: [{ip: 010.0.0.1}], ports: [{port: 80}]}]';
const problem = 'subsets[0].addresses[0].ip: Invalid value: "010.0.0.1": must not have leading 0s';

test('subsets that were stored under other rules may stay, but not be changed into others like it', () => {
  expect(createProblems(endpoints, odd)).toContain(problem);
  expect(updateProblems(endpoints, odd, ({ metadata }) => void (metadata.labels = { a: 'b' }))).toEqual([]);
  const changed = updateProblems(endpoints, odd, ({ subsets }) => void subsets?.[0]?.addresses?.push({ ip: '10.0.0.2' }));
  expect(changed).toContain(problem);
});
