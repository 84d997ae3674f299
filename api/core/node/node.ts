import type { V1Node, V1NodeSpec } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import { cidrWarnings } from '../../meta/ip.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import { roundAmounts } from '../pod/container-defaults.ts';
import { nodeColumns } from './columns.ts';
import { validateNode, validateNodeUpdate } from './validate.ts';

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
  defaults: [defaultNode],
  prepareCreate: (created) => dropConfig(created, undefined),
  prepareUpdate: dropConfig,
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  warnings: nodeWarnings,
  columns: nodeColumns,
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  subresources: { status: true, other: { proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'NodeProxyOptions' } } },
});

function defaultNode(object: Node): void {
  object.spec ??= {};
  object.status ??= {};
  alignPodCidrs(object.spec);
  const { status } = object;
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  roundAmounts(status.capacity);
  roundAmounts(status.allocatable);
}

function nodeWarnings({ spec }: Node): string[] {
  return [
    ...(spec?.configSource === undefined ? [] : ['spec.configSource: the feature is removed']),
    ...(spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
    ...(spec?.podCIDRs ?? []).flatMap((cidr, at) => cidrWarnings(`spec.podCIDRs[${at}]`, cidr)),
  ];
}

/** Kubelets no longer take their configuration from the API; only what an old node has stays. */
function dropConfig(next: Node, prev: Node | undefined): void {
  if (prev?.spec?.configSource === undefined) delete next.spec?.configSource;
  if (prev?.status?.config === undefined) delete next.status?.config;
}

/** `podCIDR` and the first of `podCIDRs` say the same; where they differ, the old field is right. */
function alignPodCidrs(spec: V1NodeSpec): void {
  const [first] = spec.podCIDRs ?? [];
  if (!spec.podCIDR) {
    if (first !== undefined) spec.podCIDR = first;
  } else if (spec.podCIDR !== first) {
    spec.podCIDRs = [spec.podCIDR];
  }
}
