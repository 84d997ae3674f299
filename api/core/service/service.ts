import type { V1Service, V1ServiceSpec } from '#api/generated/types.ts';
import { defineKind } from '../../kind.ts';
import { nameIsDnsLabel } from '../../meta/names.ts';
import type { ObjectMeta } from '../../meta/object.ts';
import { serviceColumns } from './columns.ts';
import { defaultService } from './service-defaults.ts';
import { validateServiceUpdate } from './update.ts';
import { validateService } from './validate.ts';
import { serviceStatusWarnings, serviceWarnings } from './warnings.ts';
import { dropForType, keepAllocated, normalizeClusterIps } from './rules.ts';

export interface Service extends V1Service {
  metadata: ObjectMeta;
  spec: V1ServiceSpec;
}

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  scope: 'namespaced',
  names: { plural: 'services', short: ['svc'], categories: ['all'] },
  schema: 'io.k8s.api.core.v1.Service',
  answersDeleted: true,
  createOnUpdate: true,
  defaults: [defaultService],
  // Since 1.36 they may begin with a digit.
  validateName: nameIsDnsLabel,
  prepareCreate: (created) => {
    created.status = { loadBalancer: {} };
    normalizeClusterIps(created, undefined);
  },
  prepareUpdate: prepareServiceUpdate,
  // Updates are validated against the old object.
  validate: (object, { verb }) => (verb === 'create' ? validateService(object) : []),
  validateUpdate: (next, prev, context) => [
    ...validateServiceUpdate(next, prev, context),
    ...(context.subresource === 'status' ? [] : validateService(next, prev)),
  ],
  warnings: serviceWarnings,
  statusWarnings: serviceStatusWarnings,
  columns: serviceColumns,
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
  subresources: { status: true, other: { proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'ServiceProxyOptions' } } },
});

function prepareServiceUpdate(next: Service, prev: Service, { subresource }: { subresource: string }): void {
  if (subresource !== '') return;
  keepAllocated(next, prev);
  normalizeClusterIps(next, prev);
  dropForType(next, prev);
  // Giving back a load balancer takes time, which the status need not show.
  if (next.spec.type !== 'LoadBalancer') next.status = { ...next.status, loadBalancer: {} };
}
