import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { V1PodCondition } from '#api/generated/types.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';

/** Sets one condition of a pod, with the observed generation unless it has another, and, where given, its phase; the rest of its status stays the node agent's. Throws Conflict for another pod of the name. */
export async function setPodCondition(
  client: Client,
  target: Pod,
  { condition, phase }: { readonly condition: V1PodCondition; readonly phase?: string },
  signal: AbortSignal,
): Promise<void> {
  const { generation } = target.metadata;
  const seen = generation === undefined ? {} : { observedGeneration: generation };
  const status = { conditions: [{ ...seen, ...condition }], ...(phase === undefined ? {} : { phase }) };
  const body = { metadata: { uid: target.metadata.uid }, status };
  await client.patch<Pod>(pod, keyOf(target), body, { type: 'strategic', subresource: 'status' }, signal);
}
