// The object that upstream compares a new one with. A Go type always has its structs and its fields without `omitempty`, so a new
// object owns them only as far as it gives them other values: `f:spec` of a new Pod has no `.`, `f:labels` has one.
import type { Json, JsonObject } from '../meta/object.ts';
import type { ObjectSchema, Schema } from '../schema/schema.ts';

/** Optional fields that upstream holds by value or writes when empty, by definition; reachable without passing a pointer or list. */
const alwaysThere: Readonly<Record<string, readonly string[]>> = {
  'io.k8s.api.apps.v1.DaemonSetSpec': ['updateStrategy'],
  'io.k8s.api.apps.v1.DeploymentSpec': ['strategy'],
  'io.k8s.api.apps.v1.ReplicaSetSpec': ['template'],
  'io.k8s.api.apps.v1.StatefulSetSpec': ['updateStrategy'],
  'io.k8s.api.batch.v1.JobTemplateSpec': ['metadata', 'spec'],
  'io.k8s.api.core.v1.Event': ['source', 'firstTimestamp', 'lastTimestamp', 'eventTime', 'reportingComponent', 'reportingInstance'],
  'io.k8s.api.core.v1.NodeDaemonEndpoints': ['kubeletEndpoint'],
  'io.k8s.api.core.v1.NodeStatus': ['daemonEndpoints', 'nodeInfo'],
  'io.k8s.api.core.v1.PersistentVolumeClaimSpec': ['resources'],
  'io.k8s.api.core.v1.PodTemplate': ['template'],
  'io.k8s.api.core.v1.PodTemplateSpec': ['metadata', 'spec'],
  'io.k8s.api.core.v1.ServiceStatus': ['loadBalancer'],
  'io.k8s.api.discovery.v1.EndpointSlice': ['ports'],
  'io.k8s.api.events.v1.Event': ['regarding', 'deprecatedSource', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp', 'eventTime'],
  'io.k8s.api.networking.v1.IngressStatus': ['loadBalancer'],
  'io.k8s.api.networking.v1.NetworkPolicySpec': ['podSelector'],
};

const topLevel = ['metadata', 'spec', 'status'];

/** What an object of the kind holds before anybody set anything. */
export function zeroObject(schema: ObjectSchema): JsonObject {
  return zeroStruct(schema, topLevel);
}

function zeroStruct(schema: ObjectSchema, more: readonly string[]): JsonObject {
  const zero: JsonObject = {};
  const there = new Set([...schema.required, ...more, ...(alwaysThere[schema.name ?? ''] ?? [])]);
  for (const name of there) {
    const property = schema.properties[name];
    if (property !== undefined) zero[name] = zeroValue(property.schema);
  }
  return zero;
}

function zeroValue(schema: Schema): Json {
  switch (schema.type) {
    case 'object':
      return zeroStruct(schema, []);
    case 'string':
      return schema.format === 'byte' ? null : '';
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    case 'array':
    case 'map':
    case 'time':
    case 'micro-time':
    case 'any':
    case 'raw':
    case 'fields-v1':
      return null;
  }
}
