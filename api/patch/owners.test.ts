import { describe, expect, test } from 'vitest';
import { capOwners, ownersOf, toEntries } from './owners.ts';

interface Given {
  readonly manager: string;
  readonly second: number;
  readonly apiVersion?: string;
  readonly subresource?: string;
}

/** The owners left of those given and of as many newer ones as fill the table, each of which owns a label of its own name. */
function capped(given: readonly Given[], newer: number): Record<string, string[]> {
  const all = [...given, ...Array.from({ length: newer }, (_, at) => ({ manager: `new${at}`, second: 50 }))];
  const owners = ownersOf(
    all.map(({ manager, second, apiVersion = 'v1', subresource }: Given) => ({
      manager,
      operation: 'Update',
      apiVersion,
      ...(subresource === undefined ? {} : { subresource }),
      time: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
      fieldsType: 'FieldsV1',
      fieldsV1: { [`f:${manager}`]: {} },
    })),
  );
  capOwners(owners);
  const left = (toEntries(owners) ?? []).filter(({ manager }) => manager?.startsWith('new') !== true);
  return Object.fromEntries(left.map(({ manager, apiVersion, fieldsV1 }) => [`${manager} ${apiVersion}`, Object.keys(fieldsV1 as object)]));
}

describe('more than ten owners by update', () => {
  test.each<[string, Given[], number, Record<string, string[]>]>([
    [
      'the two oldest become one',
      [
        { manager: 'b', second: 2 },
        { manager: 'a', second: 1 },
        { manager: 'c', second: 3 },
      ],
      8,
      { 'ancient-changes v1': ['f:a', 'f:b'], 'c v1': ['f:c'] },
    ],
    [
      'what was merged before takes in one that is older, and the next',
      [
        { manager: 'a', second: 1 },
        { manager: 'ancient-changes', second: 2 },
        { manager: 'c', second: 3 },
      ],
      9,
      { 'ancient-changes v1': ['f:a', 'f:ancient-changes', 'f:c'] },
    ],
    [
      'the first stays where what was merged before takes the second',
      [
        { manager: 'a', second: 1 },
        { manager: 'b', second: 2 },
        { manager: 'ancient-changes', second: 3 },
      ],
      8,
      { 'a v1': ['f:a'], 'ancient-changes v1': ['f:ancient-changes', 'f:b'] },
    ],
    [
      'what was merged before takes the next one in',
      [
        { manager: 'ancient-changes', second: 1 },
        { manager: 'a', second: 2 },
      ],
      9,
      { 'ancient-changes v1': ['f:a', 'f:ancient-changes'] },
    ],
    [
      'each version by itself',
      [
        { manager: 'a', second: 1 },
        { manager: 'b', second: 2, apiVersion: 'v2' },
        { manager: 'c', second: 3 },
        { manager: 'd', second: 4, apiVersion: 'v2' },
      ],
      8,
      { 'ancient-changes v1': ['f:a', 'f:c'], 'ancient-changes v2': ['f:b', 'f:d'] },
    ],
    [
      'of the same second by name, whatever they wrote through',
      [
        { manager: 'a', second: 1, subresource: 'status' },
        { manager: 'b', second: 1 },
        { manager: 'c', second: 1 },
      ],
      8,
      { 'ancient-changes v1': ['f:a', 'f:b'], 'c v1': ['f:c'] },
    ],
  ])('%s', (_, given, newer, left) => {
    expect(capped(given, newer)).toEqual(left);
  });
});
