// Applies and updates in turn, after the scenarios by which upstream tests its updater: who owns what in the end, and what is left.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../meta/object.ts';
import { ApiError } from '../meta/status.ts';
import { content, owned, type Owned, perform, type Step } from './scenario-testing.ts';

describe('fields', () => {
  test.each<[string, Step[], JsonObject, Owned]>([
    [
      'given up by one applier, stay for another',
      [
        ['apply', 'm', { text: '1', number: 1 }],
        ['apply', 'n', { text: '1' }],
        ['apply', 'm', { number: 1 }],
      ],
      { text: '1', number: 1 },
      { 'A m': '.number', 'A n': '.text' },
    ],
    [
      'given up by an applier, stay for an updater',
      [
        ['update', 'u', { set: ['1', '2'] }],
        ['apply', 'm', { set: ['1'] }],
        ['apply', 'm', { number: 1 }],
      ],
      { set: ['1', '2'], number: 1 },
      { 'U u': '.set .set[="1"] .set[="2"]', 'A m': '.number' },
    ],
    [
      'given up by all, go',
      [
        ['apply', 'm', { text: '1', number: 1 }],
        ['apply', 'n', { text: '1', number: 1 }],
        ['apply', 'm', { text: '1' }],
        ['apply', 'n', { text: '1' }],
      ],
      { text: '1' },
      { 'A m': '.text', 'A n': '.text' },
    ],
    [
      'forced from an updater',
      [
        ['update', 'u', { text: '1', number: 1 }],
        ['force', 'm', { text: '2' }],
      ],
      { text: '2', number: 1 },
      { 'U u': '.number', 'A m': '.text' },
    ],
    [
      'removed by an update, belong to nobody',
      [
        ['apply', 'm', { text: '1', number: 1 }],
        ['update', 'u', { text: '1' }],
      ],
      { text: '1' },
      { 'A m': '.text' },
    ],
    [
      'an atomic value is one field',
      [
        ['apply', 'm', { atomic: { a: '1', b: '2' }, list: ['1'] }],
        ['force', 'n', { atomic: { a: '2' }, list: ['2'] }],
      ],
      { atomic: { a: '2' }, list: ['2'] },
      { 'A n': '.atomic .list' },
    ],
  ])('%s', (_, steps, left, owners) => {
    const object = perform(steps);
    expect([content(object), owned(object)]).toEqual([left, owners]);
  });
});

describe('maps and lists', () => {
  test.each<[string, Step[], JsonObject, Owned]>([
    [
      'an item given up keeps nothing that an updater put inside',
      [
        ['apply', 'm', { items: [{ name: 'a', value: 'x' }] }],
        ['update', 'u', { items: [{ name: 'a', value: 'x', sub: { q: 1 } }] }],
        ['apply', 'm', { text: '1' }],
      ],
      { text: '1' },
      { 'A m': '.text' },
    ],
    [
      'an empty map that others filled stays when its owner states it no more',
      [
        ['apply', 'm', { map: {} }],
        ['update', 'u', { map: { k: '1' } }],
        ['apply', 'm', { text: '1' }],
      ],
      { map: { k: '1' }, text: '1' },
      { 'U u': '.map.k', 'A m': '.text' },
    ],
    [
      'a value that lost all its fields still belongs to who owns it itself',
      [
        ['apply', 'm', { structs: { k: {} } }],
        ['apply', 'n', { structs: { k: { x: '1' } } }],
        ['apply', 'n', { text: '1' }],
      ],
      { structs: {}, text: '1' },
      { 'A m': '.structs.k', 'A n': '.text' },
    ],
    [
      'items of two appliers; each gives up its own',
      [
        ['apply', 'm', { items: [{ name: 'a', ports: [{ port: 80 }] }, { name: 'b' }] }],
        ['apply', 'n', { items: [{ name: 'c' }, { name: 'a', ports: [{ port: 443, protocol: 'UDP' }] }] }],
        ['apply', 'm', { items: [{ name: 'a' }] }],
      ],
      { items: [{ name: 'c' }, { name: 'a', ports: [{ port: 443, protocol: 'UDP' }] }] },
      {
        'A m': '.items[name="a"] .items[name="a"].name',
        'A n':
          '.items[name="a"] .items[name="c"] .items[name="a"].name .items[name="a"].ports[port=443,protocol="UDP"] ' +
          '.items[name="a"].ports[port=443,protocol="UDP"].port .items[name="a"].ports[port=443,protocol="UDP"].protocol .items[name="c"].name',
      },
    ],
    [
      'items may leave keys out, and are then others than those with them',
      [
        ['apply', 'm', { devices: [{ driver: 'd', device: '1', data: 'x' }] }],
        ['apply', 'n', { devices: [{ driver: 'd', device: '1', share: 's', data: 'y' }, { driver: 'd' }] }],
        ['apply', 'm', { devices: [{ driver: 'd', device: '1', data: 'z' }] }],
      ],
      {
        devices: [{ driver: 'd', device: '1', data: 'z' }, { driver: 'd', device: '1', share: 's', data: 'y' }, { driver: 'd' }],
      },
      {
        'A m':
          '.devices[device="1",driver="d"] .devices[device="1",driver="d"].data .devices[device="1",driver="d"].device ' +
          '.devices[device="1",driver="d"].driver',
        'A n':
          '.devices[device="1",driver="d",share="s"] .devices[driver="d"] .devices[device="1",driver="d",share="s"].data ' +
          '.devices[device="1",driver="d",share="s"].device .devices[device="1",driver="d",share="s"].driver ' +
          '.devices[device="1",driver="d",share="s"].share .devices[driver="d"].driver',
      },
    ],
    [
      'an updated item that leaves a key out is owned',
      [['update', 'u', { devices: [{ driver: 'd', device: '1', share: 's' }, { driver: 'd', device: '1' }, { device: '2' }] }]],
      { devices: [{ driver: 'd', device: '1', share: 's' }, { driver: 'd', device: '1' }, { device: '2' }] },
      {
        'U u':
          '.devices .devices[device="1",driver="d"] .devices[device="1",driver="d",share="s"] .devices[device="2"] ' +
          '.devices[device="1",driver="d"].device .devices[device="1",driver="d"].driver ' +
          '.devices[device="1",driver="d",share="s"].device .devices[device="1",driver="d",share="s"].driver ' +
          '.devices[device="1",driver="d",share="s"].share .devices[device="2"].device',
      },
    ],
    [
      'a reference to nothing has the empty name',
      [['apply', 'm', { references: [{}] }]],
      { references: [{}] },
      { 'A m': '.references[name=""]' },
    ],
    [
      'an empty list states none of its items',
      [
        ['apply', 'm', { set: ['a'] }],
        ['apply', 'm', { set: [], text: '1' }],
      ],
      { text: '1' },
      { 'A m': '.text' },
    ],
  ])('%s', (_, steps, left, owners) => {
    const object = perform(steps);
    expect([content(object), owned(object)]).toEqual([left, owners]);
  });
});

describe('free JSON', () => {
  test.each<[string, Step[], JsonObject, Owned]>([
    [
      'a scalar that becomes an object is another value with new fields',
      [
        ['update', 'u', { any: '1' }],
        ['update', 'v', { any: { x: [1] } }],
      ],
      { any: { x: [1] } },
      { 'U v': '.any .any.x' },
    ],
    [
      'null over an object states nothing about its fields',
      [
        ['update', 'u', { any: { y: 'b' } }],
        ['apply', 'm', { any: null, text: '1' }],
      ],
      { any: { y: 'b' }, text: '1' },
      { 'U u': '.any .any.y', 'A m': '.any .text' },
    ],
    [
      'an object whose fields all went stays with who owns it itself, and is no conflict',
      [
        ['update', 'u', { any: {} }],
        ['apply', 'm', { any: { x: 1 } }],
        ['apply', 'm', { text: '1' }],
      ],
      { text: '1' },
      { 'U u': '.any', 'A m': '.text' },
    ],
  ])('%s', (_, steps, left, owners) => {
    const object = perform(steps);
    expect([content(object), owned(object)]).toEqual([left, owners]);
  });
});

test.each<[string, Step[], string]>([
  [
    'a list whose item has no key',
    [['apply', 'm', { devices: [{ data: 'x' }] }]],
    'failed to create typed patch object (/o; x/v1, Kind=Root): .devices: element 0: associative list with keys has an element that ' +
      'omits all key fields ["driver" "device" "share"] (and doesn\'t have default values for any key fields)',
  ],
  [
    'conflicts of an atomic value',
    [
      ['update', 'u', { atomic: { a: '1' } }],
      ['apply', 'm', { atomic: { a: '1', b: '1' } }],
    ],
    'Apply failed with 1 conflict: conflict with "u" using x/v1: .atomic',
  ],
  [
    'conflicts of two managers',
    [
      ['update', 'u', { inner: { map: { a: '1', b: '1' } }, text: '1' }],
      ['apply', 'm', { number: 1 }],
      ['apply', 'n', { number: 2, inner: { map: { b: '2', a: '2' } } }],
    ],
    'Apply failed with 3 conflicts: conflicts with "m":\n- .number\nconflicts with "u" using x/v1:\n- .inner.map.a\n- .inner.map.b',
  ],
])('refused: %s', (_, steps, message) => {
  let error: unknown;
  try {
    perform(steps);
  } catch (caught) {
    error = caught;
  }
  expect(error instanceof ApiError ? error.message : error).toBe(message);
});

test.each<[string, string, JsonObject, Owned]>([
  ['served', 'x/v1', { number: 1 }, { 'A m': '.number' }],
  ['not served any more: nothing is given up', 'x/v0', { number: 1, text: '1' }, { 'A m': '.number' }],
])('what was applied through a version that is %s', (_, apiVersion, left, owners) => {
  const first = perform([['apply', 'm', { text: '1', number: 1 }]]);
  const [entry] = first.metadata.managedFields ?? [];
  const old = { ...first, metadata: { ...first.metadata, managedFields: [{ ...entry, apiVersion }] } };
  const object = perform([['apply', 'm', { number: 1 }]], old);
  expect([content(object), owned(object)]).toEqual([left, owners]);
});
