// Which fields of a PriorityClass may change: labels, annotations, the description; never value or policy.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiSession, type ApiUnderTest, pathOf, startApi } from '../api-session.ts';

let under: ApiUnderTest;
let api: ApiSession;
const classes = pathOf('scheduling.k8s.io/v1', 'priorityclasses');

beforeAll(async () => {
  under = await startApi();
  ({ api } = under);
  for (const [name, value] of [
    ['p1', 1000],
    ['p2', 1001],
  ] as const) {
    await api.post(classes, { metadata: { name }, value, description: 'd' });
  }
});
afterAll(async () => under[Symbol.asyncDispose]());

test('PriorityClasses can be listed, the system ones among them', async () => {
  const names = (await api.get(classes)).items.map(({ metadata }) => metadata.name);
  expect(names).toEqual(['p1', 'p2', 'system-cluster-critical', 'system-node-critical']);
});

test.each(['put', 'patch'])('a mutable field changes by %s', async (way) => {
  const path = `${classes}/p1`;
  const description = `changed by ${way}`;
  if (way === 'put') await api.update(path, (found) => ({ ...found, description }));
  else await api.patch(path, 'json', [{ op: 'replace', path: '/description', value: description }]);
  expect(await api.get(path)).toMatchObject({ description, value: 1000 });
});

test.each(['put', 'patch'])('an immutable field does not change by %s', async (way) => {
  const path = `${classes}/p2`;
  const change =
    way === 'put'
      ? api.update(path, (found) => ({ ...found, value: 2000 }))
      : api.patch(path, 'json', [{ op: 'replace', path: '/value', value: 2000 }]);
  await expect(change).rejects.toThrow(/^Invalid: .*value: Forbidden: may not be changed in an update/);
  expect(await api.get(path)).toMatchObject({ value: 1001 });
});

test('a class is replaced only whole: one that is deleted comes back with another value', async () => {
  await api.delete(`${classes}/p2`);
  expect(await api.post(classes, { metadata: { name: 'p2' }, value: 5 })).toMatchObject({
    value: 5,
    preemptionPolicy: 'PreemptLowerPriority',
  });
});
