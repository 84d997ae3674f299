import type { V1Node } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import type { ObjectMeta } from '../../meta/object.ts';

export interface Node extends V1Node {
  metadata: ObjectMeta;
}

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  scope: 'cluster',
  names: { plural: 'nodes', short: ['no'] },
  schema: 'io.k8s.api.core.v1.Node',
  subresources: { status: true },
});
