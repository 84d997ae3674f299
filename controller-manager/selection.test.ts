import { expect, test } from 'vitest';
import { isSelected } from './selection.ts';

test.each<[name: string, list: string[], selected: boolean]>([
  ['a', ['*'], true],
  ['a', ['*', '-a'], false],
  ['b', ['*', '-a'], true],
  ['a', ['a'], true],
  ['b', ['a'], false],
  ['a', [], false],
  ['token-cleaner-controller', ['*'], false],
  ['token-cleaner-controller', ['*', 'tokencleaner'], true],
  ['deployment-controller', ['*', '-deployment'], false],
])('%s of %j: %s', (name, list, selected) => {
  expect(isSelected(name, list)).toBe(selected);
});
