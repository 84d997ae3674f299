import type { V1PersistentVolumeClaim } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { refusal } from '../refusal.ts';
import type { NodeWrite } from './plugin.ts';

/** A node says how far a claim's volume has grown, nothing else. */
export function checkClaimStatus({ node, request }: NodeWrite): void {
  if (request.operation !== 'UPDATE') throw refusal(request, `unexpected operation "${request.operation}"`);
  const before = withoutGrowth(request.previous as V1PersistentVolumeClaim);
  const after = withoutGrowth(request.object as V1PersistentVolumeClaim);
  const changed = (['metadata', 'spec', 'status'] as const).filter((part) => !equalValues(before[part], after[part]));
  if (changed.length === 0) return;
  throw refusal(
    request,
    `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions: ${changed.join(', ')}`,
  );
}

function withoutGrowth({ metadata, spec, status = {} }: V1PersistentVolumeClaim): Record<'metadata' | 'spec' | 'status', unknown> {
  const { resourceVersion: _version, managedFields: _managed, ...meta } = metadata ?? {};
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _amounts,
    allocatedResourceStatuses: _states,
    ...rest
  } = status;
  return { metadata: meta, spec: spec ?? {}, status: rest };
}
