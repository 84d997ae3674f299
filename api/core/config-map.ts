import type { V1ConfigMap } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface ConfigMap extends V1ConfigMap {
  metadata: ObjectMeta;
}

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  scope: 'namespaced',
  names: { plural: 'configmaps', short: ['cm'] },
  schema: 'io.k8s.api.core.v1.ConfigMap',
});
