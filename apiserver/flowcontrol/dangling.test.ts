import { expect, test } from 'vitest';
import type { FlowSchema } from '#api/flowcontrol/flow-schema.ts';
import { aContext, aDelete, aKind, aList, startRegistry } from '../registry/testing.ts';
import { markDangling, marked } from './dangling.ts';
import { keepConfiguration } from './initial-configuration.ts';

const text = (end: string): string => `This FlowSchema references the PriorityLevelConfiguration object named "l" ${end}`;
const aSchema = (...conditions: object[]): FlowSchema => ({
  metadata: { name: 'a' },
  spec: { priorityLevelConfiguration: { name: 'l' } },
  status: { conditions },
});
const found = {
  type: 'Dangling',
  status: 'False',
  lastTransitionTime: '1970-01-01T00:00:01Z',
  reason: 'Found',
  message: text('and it exists'),
};
const lost = { ...found, status: 'True', reason: 'NotFound', message: text('but there is no such object') };
const mine = { type: 'Mine', status: 'True' };

test.each<[string, FlowSchema, boolean, object[] | undefined]>([
  ['new', aSchema(), true, [found]],
  ['new, without its level', aSchema(mine), false, [mine, lost]],
  ['as it was', aSchema(found, mine), true, undefined],
  ['its level has gone', aSchema({ ...found, lastTransitionTime: '1970-01-01T00:00:00Z' }), false, [lost]],
  [
    'it names another',
    aSchema({ ...found, lastTransitionTime: '1970-01-01T00:00:00Z', message: 'x' }),
    true,
    [{ ...found, lastTransitionTime: '1970-01-01T00:00:00Z' }],
  ],
])('%s', (_name, schema, exists, expected) => {
  expect(marked(schema, () => exists, 1_000)?.status.conditions).toEqual(expected);
});

test('all schemas say so, and no more than once', async () => {
  const [schemas, levels] = [aKind('flowschemas'), aKind('prioritylevelconfigurations')];
  await using made = await startRegistry({ kinds: [schemas, levels] });
  const { registry } = made;
  const context = aContext({ namespace: '' });
  await keepConfiguration(registry, context);
  await registry.delete(levels, 'node-high', aDelete(), context);
  await markDangling(registry, 1_000, context);
  const list = await registry.list(schemas, aList(), context);
  const lostOnes = [...list.items].filter((item) => (item.object() as FlowSchema).status.conditions?.[0]?.status === 'True');
  expect(lostOnes.map((item) => item.object().metadata.name)).toEqual(['system-node-high']);
  const { resourceVersion } = list;
  await markDangling(registry, 2_000, context);
  expect((await registry.list(schemas, aList(), context)).resourceVersion).toBe(resourceVersion);
});
