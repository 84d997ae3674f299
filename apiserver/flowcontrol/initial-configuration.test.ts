import { expect, test } from 'vitest';
import type { KubeObject } from '#api/meta/object.ts';
import { aContext, aDelete, aKind, aList, startRegistry } from '../registry/testing.ts';
import { keepConfiguration } from './initial-configuration.ts';

const schemas = aKind('flowschemas');
const levels = aKind('prioritylevelconfigurations');
const context = aContext({ namespace: '' });
const annotation = 'apf.kubernetes.io/autoupdate-spec';
type WithSpec = KubeObject & { spec: Record<string, unknown> };

async function running() {
  const made = await startRegistry({ kinds: [schemas, levels] });
  await keepConfiguration(made.registry, context);
  const get = async (kind: typeof schemas, name: string): Promise<WithSpec> =>
    (await made.registry.get(kind, name, '', context)).object() as WithSpec;
  const change = (kind: typeof schemas, name: string, changed: (object: WithSpec) => void) =>
    made.registry.change(
      kind,
      name,
      (object) => {
        changed(object as WithSpec);
        return object;
      },
      context,
    );
  const look = (): Promise<void> => keepConfiguration(made.registry, context);
  return { ...made, get, change, look };
}

test('a cluster begins with these', async () => {
  await using made = await running();
  const names = async (kind: typeof schemas) =>
    [...(await made.registry.list(kind, aList(), context)).items].map((item) => item.object().metadata.name);
  expect(await names(levels)).toEqual([
    'catch-all',
    'exempt',
    'global-default',
    'leader-election',
    'node-high',
    'system',
    'workload-high',
    'workload-low',
  ]);
  expect(await names(schemas)).toHaveLength(13);
  const { metadata } = await made.get(schemas, 'probes');
  expect(metadata.annotations).toEqual({ [annotation]: 'true' });
  await made.look();
  expect((await made.get(schemas, 'probes')).metadata.resourceVersion).toBe(metadata.resourceVersion);
});

test('what is deleted comes back, what is changed is changed back', async () => {
  await using made = await running();
  await made.registry.delete(schemas, 'catch-all', aDelete(), context);
  await made.change(levels, 'system', ({ spec }) => void (spec['limited'] = { limitResponse: { type: 'Reject' } }));
  await made.look();
  expect((await made.get(schemas, 'catch-all')).spec['matchingPrecedence']).toBe(10_000);
  expect((await made.get(levels, 'system')).spec['limited']).toMatchObject({ nominalConcurrencyShares: 30 });
});

test("a user's settings stay", async () => {
  await using made = await running();
  await made.change(levels, 'system', ({ spec, metadata }) => {
    metadata.annotations = { [annotation]: 'false' };
    spec['limited'] = { limitResponse: { type: 'Reject' } };
  });
  await made.change(levels, 'exempt', ({ spec }) => void (spec['exempt'] = { nominalConcurrencyShares: 7 }));
  await made.look();
  expect((await made.get(levels, 'system')).spec['limited']).toMatchObject({ limitResponse: { type: 'Reject' } });
  expect((await made.get(levels, 'exempt')).spec['exempt']).toMatchObject({ nominalConcurrencyShares: 7 });
});

test('what an older server made and nobody wants any more goes; what users made stays', async () => {
  await using made = await running();
  const { spec } = await made.get(schemas, 'service-accounts');
  const make = (name: string, annotations: Record<string, string>) =>
    made.registry.createObject(schemas, { metadata: { name, annotations }, spec } as KubeObject, context);
  await make('old', { [annotation]: 'true' });
  await make('mine', {});
  await made.look();
  await expect(made.get(schemas, 'old')).rejects.toThrow('flowschemas.flowcontrol.apiserver.k8s.io "old" not found');
  expect((await made.get(schemas, 'mine')).metadata.annotations).toEqual({});
});
