import type { V1FlowSchemaCondition } from '#api/generated/types.ts';
import type { FlowSchema } from '#api/flowcontrol/flow-schema.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { timeText } from '#api/meta/time-text.ts';
import { everything } from '../list-everything.ts';
import type { Registry, RequestContext } from '../registry/contract.ts';

const group = 'flowcontrol.apiserver.k8s.io';
const manager = 'api-priority-and-fairness-config-consumer-v1';

/** Says in the status of every flow schema whether its priority level exists. */
export async function markDangling(registry: Registry, nowMs: number, context: RequestContext): Promise<void> {
  const schemas = registry.find(group, 'v1', 'flowschemas');
  const levels = registry.find(group, 'v1', 'prioritylevelconfigurations');
  if (schemas === undefined || levels === undefined) return;
  const status = { ...context, subresource: 'status', fieldManager: manager };
  for (const item of (await registry.list(schemas, everything, context)).items) {
    const schema = item.object() as FlowSchema;
    const exists = (name: string): boolean => registry.peek(levels, '', name) !== undefined;
    if (marked(schema, exists, nowMs) === undefined) continue;
    const change = (current: KubeObject): KubeObject => marked(current as FlowSchema, exists, nowMs) ?? current;
    await registry.change(schemas, schema.metadata.name ?? '', change, status).catch((error: unknown) => {
      if (!hasReason(error, 'NotFound')) throw error;
    });
  }
}

/** A flow schema that says so; undefined where it does already. */
export function marked(schema: FlowSchema, exists: (level: string) => boolean, nowMs: number): FlowSchema | undefined {
  const { name } = schema.spec.priorityLevelConfiguration;
  const isThere = exists(name);
  const end = isThere ? 'and it exists' : 'but there is no such object';
  const wanted: V1FlowSchemaCondition = {
    type: 'Dangling',
    status: isThere ? 'False' : 'True',
    lastTransitionTime: timeText(nowMs),
    reason: isThere ? 'Found' : 'NotFound',
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)} ${end}`,
  };
  const conditions = schema.status.conditions ?? [];
  const before = conditions.find(({ type }) => type === wanted.type);
  if (before !== undefined && before.status === wanted.status && before.message === wanted.message) return undefined;
  const since = before?.status === wanted.status ? before?.lastTransitionTime : undefined;
  const condition = { ...wanted, lastTransitionTime: since ?? timeText(nowMs) };
  return { ...schema, status: { conditions: [...conditions.filter(({ type }) => type !== wanted.type), condition] } };
}
