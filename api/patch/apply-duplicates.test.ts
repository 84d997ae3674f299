// Lists that hold an item twice, which they should not: updates may do so, and apply lives with it. After upstream's table.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../meta/object.ts';
import { content, owned, type Owned, perform, type Step } from './scenario-testing.ts';

/** Items by short words: `a1` is the item named a with the value 1; `a1+2` has a sub-field, too. */
function items(words: string): JsonObject {
  const list = words.split(' ').map((word) => {
    const [, name, value, sub] = /^(\w)(\d?)(?:\+(\d))?$/.exec(word) as unknown as (string | undefined)[];
    return { name: name as string, ...(value === '' ? {} : { value: value as string }), ...(sub === undefined ? {} : { sub: { p: sub } }) };
  });
  return { items: list };
}

function itemPaths(name: string): string {
  return `.items[name="${name}"].name .items[name="${name}"].value`;
}

const a = '.items[name="a"]';
const b = '.items[name="b"]';
const set = (...set: string[]): JsonObject => ({ set });
const one = '.set[="1"]';
const rest = '.set[="3"] .set[="4"]';

describe('sets', () => {
  test.each<[string, Step[], JsonObject, Owned]>([
    ['one item', [['update', 'u', set('1', '1', '3', '4')]], set('1', '1', '3', '4'), { 'U u': `.set ${one} ${rest}` }],
    [
      'added again',
      [
        ['update', 'u', set('1', '3', '4')],
        ['update', 'v', set('1', '1', '3', '4')],
      ],
      set('1', '1', '3', '4'),
      { 'U u': `.set ${rest}`, 'U v': one },
    ],
    [
      'taken away once',
      [
        ['update', 'u', set('1', '1', '3', '4')],
        ['update', 'v', set('1', '3', '4')],
      ],
      set('1', '3', '4'),
      { 'U u': `.set ${rest}`, 'U v': one },
    ],
    [
      'applied once, by force',
      [
        ['update', 'u', set('1', '1', '3', '4')],
        ['force', 'm', set('1')],
      ],
      set('1', '3', '4'),
      { 'U u': `.set ${rest}`, 'A m': one },
    ],
    [
      'left alone',
      [
        ['update', 'u', set('1', '1', '3', '4')],
        ['apply', 'm', set('5')],
      ],
      set('1', '1', '3', '4', '5'),
      { 'U u': `.set ${one} ${rest}`, 'A m': '.set[="5"]' },
    ],
  ])('%s', (_, steps, left, owners) => {
    const object = perform(steps);
    expect([content(object), owned(object)]).toEqual([left, owners]);
  });
});

describe('lists', () => {
  test.each<[string, Step[], JsonObject, Owned]>([
    ['owned as one', [['update', 'u', items('a1 a2 b3')]], items('a1 a2 b3'), { 'U u': `.items ${a} ${b} ${itemPaths('b')}` }],
    [
      'changed',
      [
        ['update', 'u', items('a1 a2 b3')],
        ['update', 'v', items('a1 a3 b3')],
      ],
      items('a1 a3 b3'),
      { 'U u': `.items ${b} ${itemPaths('b')}`, 'U v': a },
    ],
    [
      'with a new field',
      [
        ['update', 'u', items('a1 a2 b3')],
        ['update', 'v', items('a1 a2+3 b3')],
      ],
      items('a1 a2+3 b3'),
      { 'U u': `.items ${b} ${itemPaths('b')}`, 'U v': a },
    ],
    [
      'added again: nobody owns the fields of the first any more',
      [
        ['update', 'u', items('a1 b3')],
        ['update', 'v', items('a1 a+3 b3')],
      ],
      items('a1 a+3 b3'),
      { 'U u': `.items ${b} ${itemPaths('b')}`, 'U v': a },
    ],
    [
      'taken away once: the other comes with its fields',
      [
        ['update', 'u', items('a1 a2 b3')],
        ['update', 'v', items('a1 b3')],
      ],
      items('a1 b3'),
      { 'U u': `.items ${b} ${itemPaths('b')}`, 'U v': `${a} ${itemPaths('a')}` },
    ],
    [
      'beside others that are added',
      [
        ['update', 'u', items('a1 a2')],
        ['update', 'v', items('a1 a2 b3')],
      ],
      items('a1 a2 b3'),
      { 'U u': `.items ${a}`, 'U v': `${b} ${itemPaths('b')}` },
    ],
    [
      'beside what is applied',
      [
        ['update', 'u', items('a1 a2 b3')],
        ['force', 'm', { number: 5 }],
      ],
      { ...items('a1 a2 b3'), number: 5 },
      { 'U u': `.items ${a} ${b} ${itemPaths('b')}`, 'A m': '.number' },
    ],
    [
      'applied once, by force: one is left',
      [
        ['update', 'u', items('a1 a2 b3')],
        ['force', 'm', items('a3')],
      ],
      items('a3 b3'),
      { 'U u': `.items ${b} ${itemPaths('b')}`, 'A m': `${a} ${itemPaths('a')}` },
    ],
    [
      'beside an item that is applied',
      [
        ['update', 'u', items('a1 a2 b3')],
        ['force', 'm', items('b4')],
      ],
      items('a1 a2 b4'),
      { 'U u': `.items ${a} ${b} ${b}.name`, 'A m': `${b} ${itemPaths('b')}` },
    ],
    [
      'added by an update, given up by the applier of the first',
      [
        ['apply', 'm', items('a1 b3')],
        ['update', 'u', items('a1 a2 b3')],
        ['apply', 'm', items('b3')],
      ],
      items('a1 a2 b3'),
      { 'A m': `${b} ${itemPaths('b')}`, 'U u': a },
    ],
  ])('%s', (_, steps, left, owners) => {
    const object = perform(steps);
    expect([content(object), owned(object)]).toEqual([left, owners]);
  });

  test.each<[string, Step[], string]>([
    [
      'of a set',
      [
        ['update', 'u', set('1', '1', '3')],
        ['apply', 'm', set('1')],
      ],
      '.set[="1"]',
    ],
    [
      'of a list, even to one of the same value',
      [
        ['update', 'u', items('a1 a2 b3')],
        ['apply', 'm', items('a2')],
      ],
      a,
    ],
  ])('applying an item once is a conflict: %s', (_, steps, path) => {
    expect(() => perform(steps)).toThrow(`Apply failed with 1 conflict: conflict with "u" using x/v1: ${path}`);
  });
});
