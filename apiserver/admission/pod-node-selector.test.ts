import { expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { builtinKinds } from '#api/kinds.ts';
import { aBody, aContext, aKind, startRegistry } from '../registry/testing.ts';
import type { GenericRegistry } from '../registry/registry.ts';
import { openNodeSelectors, podNodeSelector, type PodNodeSelectorSettings } from './pod-node-selector.ts';

type Selector = Record<string, string>;

/** The node selector that a new pod gets in a namespace with this annotation, or why it is refused. */
async function selectorIn(
  annotation: string | undefined,
  nodeSelector: Selector | undefined,
  settings = openNodeSelectors,
): Promise<unknown> {
  const made: { registry?: GenericRegistry } = {};
  const plugin = podNodeSelector(() => made.registry as GenericRegistry, settings);
  await using running = await startRegistry({ kinds: builtinKinds, admission: [plugin] });
  const { registry } = running;
  made.registry = registry;
  const annotations = annotation === undefined ? {} : { 'scheduler.alpha.kubernetes.io/node-selector': annotation };
  const namespace = aBody({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', annotations } });
  await registry.create(aKind('namespaces'), namespace, aContext({ namespace: '' }));
  const spec = { containers: [{ name: 'c', image: 'i' }], ...(nodeSelector && { nodeSelector }) };
  try {
    const body = aBody({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec });
    return ((await registry.create(aKind('pods'), body, aContext())).object() as V1Pod).spec?.nodeSelector;
  } catch (error) {
    const { code, message } = error as { code: number; message: string };
    return `${code} ${message}`;
  }
}

const settings = (clusterDefault: string, allowed = ''): PodNodeSelectorSettings => ({
  clusterDefault,
  allowed: new Map([['default', allowed]]),
});
const conflict = '403 pods "p" is forbidden: pod node label selector conflicts with its namespace node label selector';
const beyond = '403 pods "p" is forbidden: pod node label selector labels conflict with its namespace whitelist';

test.each<[string, string | undefined, Selector | undefined, PodNodeSelectorSettings, unknown]>([
  ['nothing is wanted', undefined, undefined, openNodeSelectors, undefined],
  ['the pod keeps what it asks for', undefined, { a: '1' }, openNodeSelectors, { a: '1' }],
  ['the annotation is added', ' zone = a ,disk=', { a: '1' }, openNodeSelectors, { zone: 'a', disk: '', a: '1' }],
  ['both say the same', 'a=1', { a: '1' }, openNodeSelectors, { a: '1' }],
  ['both say different things', 'a=1', { a: '2' }, openNodeSelectors, conflict],
  ['the default is added', undefined, undefined, settings('a=1'), { a: '1' }],
  ['the annotation replaces the default', 'b=2', undefined, settings('a=1'), { b: '2' }],
  ['an empty annotation does, too', '', undefined, settings('a=1'), undefined],
  ['what is allowed may be asked for', undefined, { a: '1' }, settings('', 'a=1,b=2'), { a: '1' }],
  ['another value is not allowed', undefined, { a: '2' }, settings('', 'a=1'), beyond],
  ['another label is not allowed', undefined, { c: '1' }, settings('', 'a=1'), beyond],
  ['the annotation is held to what is allowed, too', 'c=1', undefined, settings('', 'a=1'), beyond],
  ['no equality', 'a', undefined, openNodeSelectors, '500 invalid selector: [a]'],
  ['two equalities', 'a==1', undefined, openNodeSelectors, '500 invalid selector: [a  1]'],
])('%s', async (_name, annotation, nodeSelector, given, wanted) => {
  expect(await selectorIn(annotation, nodeSelector, given)).toEqual(wanted);
});

test.each([
  ['@=1', /^500 <nil>: Invalid value: "@": name part must consist of /],
  ['a=@', /^500 \[a\]: Invalid value: "@": a valid label must be /],
])('an annotation of %j holds no label', async (annotation, wanted) => {
  expect(await selectorIn(annotation, undefined)).toMatch(wanted);
});
