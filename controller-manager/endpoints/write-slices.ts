import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { keyOf, type KubeObject, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { on, type ReconcileContext, type Wake } from '#client/controller/define.ts';
import type { Expectations } from '#client/expectations.ts';
import { serviceNameLabel } from '../cache-indexes.ts';
import { isNamespaceGoing } from '../namespace/going.ts';
import type { SlicesPlan } from './slices-plan.ts';
import { withTriggerTime } from './trigger-times.ts';

interface SliceWrites {
  readonly plan: SlicesPlan;
  /** Nothing is made for an owner that is going: its collector would race with that. */
  readonly owner: KubeObject;
  readonly triggerTime?: string | undefined;
}

/** Carries out a plan. Expects what it creates, so that a cache that is behind does not make it twice. */
export async function writeSlices(
  { plan, owner, triggerTime }: SliceWrites,
  expectations: Expectations,
  { key, client, signal }: ReconcileContext,
): Promise<void> {
  const stamped = (slice: EndpointSlice): EndpointSlice => {
    const { annotations: before, ...metadata } = slice.metadata;
    const annotations = withTriggerTime(before, triggerTime);
    return { ...slice, metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata };
  };
  for (const slice of plan.update) await client.update<EndpointSlice>(endpointSlice, stamped(slice), {}, signal);
  const create = owner.metadata.deletionTimestamp === undefined ? plan.create : [];
  if (create.length > 0) expectations.expectCreations(keyText(key), create.length);
  for (const [made, slice] of create.entries()) {
    try {
      await client.create<EndpointSlice>(endpointSlice, stamped(slice), {}, signal);
    } catch (error) {
      for (let missing = made; missing < create.length; missing++) expectations.creationSeen(keyText(key));
      if (isNamespaceGoing(error)) return;
      throw error;
    }
  }
  for (const slice of plan.remove) {
    const { uid, resourceVersion } = slice.metadata;
    try {
      await client.delete(endpointSlice, keyOf(slice), { uid, resourceVersion }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
}

/** Services look again when slices of theirs change that `manages` claims; what appears is noted as seen. */
export function sliceWakes(expectations: Expectations, manages: (slice: EndpointSlice) => boolean): Wake {
  return on<EndpointSlice>(endpointSlice, (object, previous, _cache, type) => {
    const keys = [object, ...(previous === undefined ? [] : [previous])].filter(manages).flatMap(({ metadata }) => {
      const name = metadata.labels?.[serviceNameLabel];
      return name === undefined ? [] : [{ namespace: metadata.namespace, name }];
    });
    if (type === 'added') for (const key of keys) expectations.creationSeen(keyText(key));
    return keys;
  });
}
