import { expect, test } from 'vitest';
import type { V1Pod, V1Toleration } from '#api/generated/types.ts';
import { builtinKinds } from '#api/kinds.ts';
import { aBody, aContext, aKind, startRegistry } from '../registry/testing.ts';
import type { GenericRegistry } from '../registry/registry.ts';
import { openTolerations, podTolerationRestriction, type TolerationSettings } from './pod-toleration-restriction.ts';

const exists = (key: string, effect = 'NoSchedule'): V1Toleration => ({ key, operator: 'Exists', effect });
const pressure = exists('node.kubernetes.io/memory-pressure');

interface Setting {
  readonly defaults?: string;
  readonly allowed?: string;
  readonly settings?: TolerationSettings;
  readonly requests?: object;
}

/** What a new pod tolerates in such a namespace, or why it is refused. */
async function tolerationsOf(tolerations: V1Toleration[], setting: Setting): Promise<unknown> {
  const { defaults, allowed, settings = openTolerations, requests = {} } = setting;
  const made: { registry?: GenericRegistry } = {};
  const plugin = podTolerationRestriction(() => made.registry as GenericRegistry, settings);
  await using running = await startRegistry({ kinds: builtinKinds, admission: [plugin] });
  const { registry } = running;
  made.registry = registry;
  const annotations = {
    ...(defaults === undefined ? {} : { 'scheduler.alpha.kubernetes.io/defaultTolerations': defaults }),
    ...(allowed === undefined ? {} : { 'scheduler.alpha.kubernetes.io/tolerationsWhitelist': allowed }),
  };
  const namespace = aBody({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', annotations } });
  await registry.create(aKind('namespaces'), namespace, aContext({ namespace: '' }));
  const spec = { containers: [{ name: 'c', image: 'i', resources: { requests } }], tolerations };
  try {
    const body = aBody({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec });
    return ((await registry.create(aKind('pods'), body, aContext())).object() as V1Pod).spec?.tolerations ?? [];
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return `${code} ${message}`;
  }
}

const cluster: TolerationSettings = { defaults: [exists('d')], allowed: [exists('d'), exists('a', 'NoExecute')] };
const conflict = '500 pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist';
const json = (...tolerations: V1Toleration[]): string => JSON.stringify(tolerations);

test.each<[string, V1Toleration[], Setting, unknown]>([
  ['nothing is wanted', [], {}, []],
  ['the pod keeps its own', [exists('a')], {}, [exists('a')]],
  ["the namespace's come first", [exists('a')], { defaults: json(exists('n')) }, [exists('n'), exists('a')]],
  ["the cluster's", [], { settings: cluster }, [exists('d')]],
  ["the namespace's replace the cluster's", [], { defaults: json(exists('n')), settings: { ...cluster, allowed: [] } }, [exists('n')]],
  ['an empty annotation does, too', [], { defaults: '', settings: cluster }, []],
  ['whatever promises memory stays under pressure', [exists('a')], { requests: { memory: '1Mi' } }, [exists('a'), pressure]],
  ['what is allowed', [exists('a', 'NoExecute')], { settings: cluster }, [exists('d'), exists('a', 'NoExecute')]],
  ['what is not', [exists('a')], { settings: cluster }, conflict],
  [
    "the namespace's list replaces the cluster's",
    [exists('a')],
    { allowed: json(exists('a'), exists('d')), settings: cluster },
    [exists('d'), exists('a')],
  ],
  ['an empty list allows all', [exists('x')], { allowed: '[]', settings: cluster }, [exists('d'), exists('x')]],
  ['defaults are held to what is allowed', [], { defaults: json(exists('n')), allowed: json(exists('a')) }, conflict],
  ['no JSON', [], { defaults: '{' }, '500 unexpected end of JSON input'],
  ['no list', [], { defaults: '{}' }, '500 json: cannot unmarshal object into Go value of type []v1.Toleration'],
  ['a list that nobody needs may be wrong', [], { allowed: '{' }, []],
  [
    'a list that is needed may not',
    [exists('a')],
    { allowed: '[1]' },
    '500 json: cannot unmarshal number into Go value of type v1.Toleration',
  ],
  [
    'a member of a wrong type',
    [],
    { defaults: '[{"key": 5}]' },
    '500 json: cannot unmarshal number into Go struct field Toleration.key of type string',
  ],
  [
    'members are known in any case, and others do not matter',
    [],
    { defaults: '[{"Key": "n", "Operator": "Exists", "Effect": "NoSchedule", "TolerationSeconds": null, "odd": 1}]' },
    [exists('n')],
  ],
])('%s', async (_name, tolerations, setting, wanted) => {
  expect(await tolerationsOf(tolerations, setting)).toEqual(wanted);
});
