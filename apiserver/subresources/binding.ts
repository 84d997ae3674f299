import type { V1Pod } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { type FieldProblem, invalidObject, notSupported, required } from '#api/meta/field-problem.ts';
import type { JsonObject, KubeObject } from '#api/meta/object.ts';
import { badRequest, conflict } from '#api/meta/status.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendValue } from '../http/respond.ts';
import type { VerbDeps } from '../http/verbs/verb.ts';
import { actBody, member, text } from './body.ts';
import type { RequestContext } from '../registry/contract.ts';
import type { SubresourceHandler } from './contract.ts';

const bindingKind = { group: '', version: 'v1', kind: 'Binding', schema: 'io.k8s.api.core.v1.Binding' };

/** What acts answer: done, nothing more to say. */
export const created = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/** `pods/NAME/binding`: ties a pod to a node, once and for all. */
export const podBinding: SubresourceHandler = {
  verbs: ['create'],
  serve: async (exchange, kind, deps) => {
    const act = await actBody(exchange, bindingKind, deps);
    const name = text(member(act.body, 'metadata'), 'name');
    if (name !== '' && name !== exchange.info.pathName) throw badRequest('name in URL does not match name in Binding object');
    await bind(exchange, { ...act, pods: kind, name: exchange.info.pathName }, deps);
  },
};

/** `bindings`: the same act, the pod being named by the binding. */
export const bindings: SubresourceHandler = {
  verbs: ['create'],
  serve: async (exchange, _kind, deps) => {
    const pods = deps.registry.find('', 'v1', 'pods');
    const act = await actBody(exchange, bindingKind, deps);
    const name = text(member(act.body, 'metadata'), 'name');
    if (pods === undefined || name === '') throw badRequest('name must be provided');
    await bind(exchange, { ...act, pods, name }, deps);
  },
};

interface BindingAct {
  readonly pods: KindDefinition;
  readonly name: string;
  readonly body: JsonObject;
  readonly context: RequestContext;
}

async function bind(exchange: Exchange, { pods, name, body, context }: BindingAct, deps: VerbDeps): Promise<void> {
  const target = member(body, 'target');
  const node = text(target, 'name');
  const problems: FieldProblem[] = [];
  const targetKind = text(target, 'kind');
  if (targetKind !== '' && targetKind !== 'Node') problems.push(notSupported('target.kind', targetKind, ['Node', '<empty>']));
  if (node === '') problems.push(required('target.name'));
  if (problems.length > 0) throw invalidObject({ group: '', kind: 'Binding' }, name, problems);
  const nowMs = deps.clock.nowMs();
  await deps.registry.change(pods, name, (pod) => bound(pod, { name, node, metadata: member(body, 'metadata'), nowMs }), {
    ...context,
    subresource: 'binding',
  });
  sendValue(exchange, deps.negotiator.negotiate(exchange.request.headers.accept, 'no-table'), 201, created);
}

interface BoundPod {
  readonly name: string;
  readonly node: string;
  readonly metadata: JsonObject;
  readonly nowMs: number;
}

function bound(object: KubeObject, { name, node, metadata, nowMs }: BoundPod): KubeObject {
  const refuse = (why: string): Error => conflict({ group: '', plural: 'pods/binding' }, name, why);
  const pod = object as V1Pod & KubeObject;
  const uid = text(metadata, 'uid');
  if (uid !== '' && uid !== pod.metadata.uid) {
    throw refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`);
  }
  const version = text(metadata, 'resourceVersion');
  const now = pod.metadata.resourceVersion;
  if (version !== '' && version !== now) {
    throw refuse(`Precondition failed: ResourceVersion in precondition: ${version}, ResourceVersion in object meta: ${now}`);
  }
  if (pod.metadata.deletionTimestamp !== undefined) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  const current = pod.spec?.nodeName ?? '';
  if (current !== '') throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(current)}`);
  if ((pod.spec?.schedulingGates ?? []).length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
  const lastTransitionTime = new Date(Math.floor(nowMs / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime };
  const added = (name: 'labels' | 'annotations'): object => {
    const all = { ...pod.metadata[name], ...member(metadata, name) };
    return Object.keys(all).length === 0 ? {} : { [name]: all };
  };
  const { nominatedNodeName: _nominated, ...status } = pod.status ?? {};
  return {
    ...pod,
    metadata: { ...pod.metadata, ...added('labels'), ...added('annotations') },
    spec: { ...pod.spec, nodeName: node },
    status: { ...status, conditions: [...others, scheduled] },
  } as KubeObject;
}
