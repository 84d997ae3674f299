import { expect, test } from 'vitest';
import { type ResetFields, resetFilter } from './reset-fields.ts';

const set = {
  'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
  'f:spec': {
    'f:containers': {
      '.': {},
      'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:resources': { 'f:requests': { 'f:cpu': {} } }, 'f:resizePolicy': {} },
    },
    'f:ephemeralContainers': { '.': {}, 'k:{"name":"e"}': { '.': {}, 'f:name': {} } },
  },
  'f:status': { 'f:phase': {} },
};

test.each<[string, ResetFields | undefined, object]>([
  ['nothing', undefined, set],
  ['a part', ['status'], { 'f:metadata': set['f:metadata'], 'f:spec': set['f:spec'] }],
  ['all of a part and one field', ['spec', 'metadata.labels'], { 'f:status': set['f:status'] }],
  [
    'all but one list',
    { allBut: ['spec.ephemeralContainers'] },
    { 'f:spec': { 'f:ephemeralContainers': set['f:spec']['f:ephemeralContainers'] } },
  ],
  [
    'all but fields of every item',
    { allBut: ['spec.containers.*.resources', 'spec.containers.*.resizePolicy'] },
    {
      'f:spec': {
        'f:containers': { 'k:{"name":"c"}': { 'f:resources': { 'f:requests': { 'f:cpu': {} } }, 'f:resizePolicy': {} } },
      },
    },
  ],
])('%s', (_name, fields, left) => {
  const filter = resetFilter(fields) ?? ((all) => all);
  expect(filter(set)).toEqual(left);
});
