// Small schemas for the tests of this folder: enough of Pod and Deployment to show every rule of merging.
import type { ListRules, MapSchema, ObjectSchema, Property, ScalarSchema, Schema, SpecialSchema } from '../schema/schema.ts';

type Fields = Record<string, Schema | Property>;

export const text: ScalarSchema = { type: 'string' };
export const whole: ScalarSchema = { type: 'integer', format: 'int32' };
const flag: ScalarSchema = { type: 'boolean' };
const quantity: SpecialSchema = { type: 'quantity' };
const port: SpecialSchema = { type: 'int-or-string' };

/** An object schema from its fields. */
export function struct(name: string, fields: Fields, required: readonly string[] = [], mapType?: 'atomic'): ObjectSchema {
  const properties = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, 'schema' in value ? value : { schema: value }]));
  return { type: 'object', name, properties, required, mapType };
}

/** A struct that Go holds by value: always there. */
function byValue(schema: ObjectSchema, rules: ListRules = {}): Property {
  return { schema, presence: 'fill', ...rules };
}

/** A list property with its rules. */
export function list(items: Schema, rules: ListRules = {}): Property {
  return { schema: { type: 'array', items }, ...rules };
}

export function mapOf(values: Schema, mapType?: 'atomic'): MapSchema {
  return { type: 'map', values, mapType };
}

function keyed(items: Schema, key: string, mapKeys: readonly string[] = [key]): Property {
  return list(items, { listType: 'map', mapKeys, patchMergeKey: key, patchStrategy: 'merge' });
}

const ownerReference = struct('io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference', { uid: text, name: text, kind: text }, [], 'atomic');
const meta = struct('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', {
  name: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  generateName: text,
  creationTimestamp: { type: 'time' },
  labels: mapOf(text),
  annotations: mapOf(text),
  finalizers: list(text, { listType: 'set', patchStrategy: 'merge' }),
  ownerReferences: keyed(ownerReference, 'uid'),
  managedFields: list({ type: 'any' }, { listType: 'atomic' }),
});
const container = struct(
  'io.k8s.api.core.v1.Container',
  {
    name: text,
    image: text,
    command: list(text, { listType: 'atomic' }),
    env: keyed(struct('io.k8s.api.core.v1.EnvVar', { name: text, value: text }), 'name'),
    ports: keyed(
      struct('io.k8s.api.core.v1.ContainerPort', { name: text, containerPort: whole, protocol: text, hostPort: whole }),
      'containerPort',
      ['containerPort', 'protocol'],
    ),
    resources: byValue(struct('io.k8s.api.core.v1.ResourceRequirements', { limits: mapOf(quantity), requests: mapOf(quantity) })),
    stdin: flag,
  },
  ['name'],
);
export const podSpec = struct(
  'io.k8s.api.core.v1.PodSpec',
  {
    containers: { ...keyed(container, 'name'), presence: 'fill' },
    nodeName: text,
    nodeSelector: mapOf(text, 'atomic'),
    hostNetwork: flag,
    priority: whole,
    terminationGracePeriodSeconds: whole,
    volumes: list(
      struct('io.k8s.api.core.v1.Volume', { name: text, emptyDir: struct('E', { medium: text }), hostPath: struct('H', { path: text }) }),
      {
        listType: 'map',
        mapKeys: ['name'],
        patchMergeKey: 'name',
        patchStrategy: 'merge,retainKeys',
      },
    ),
    tolerations: list(struct('io.k8s.api.core.v1.Toleration', { key: text, operator: text }), { listType: 'atomic' }),
  },
  ['containers'],
);
const condition = struct('io.k8s.api.core.v1.PodCondition', { type: text, status: text, message: text });
export const podSchema = struct('io.k8s.api.core.v1.Pod', {
  apiVersion: text,
  kind: text,
  metadata: byValue(meta),
  spec: byValue(podSpec),
  status: byValue(struct('io.k8s.api.core.v1.PodStatus', { phase: text, conditions: keyed(condition, 'type') })),
});
const selector = struct('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector', { matchLabels: mapOf(text) }, [], 'atomic');
const strategy = struct('io.k8s.api.apps.v1.DeploymentStrategy', {
  type: text,
  rollingUpdate: struct('io.k8s.api.apps.v1.RollingUpdateDeployment', { maxSurge: port, maxUnavailable: port }),
});
const template = struct('io.k8s.api.core.v1.PodTemplateSpec', { metadata: byValue(meta), spec: byValue(podSpec) });
export const deploymentSchema = struct('io.k8s.api.apps.v1.Deployment', {
  apiVersion: text,
  kind: text,
  metadata: byValue(meta),
  spec: byValue(
    struct('io.k8s.api.apps.v1.DeploymentSpec', {
      replicas: whole,
      paused: flag,
      selector,
      strategy: byValue(strategy, { patchStrategy: 'retainKeys' }),
      template: byValue(template),
    }),
  ),
  status: byValue(struct('io.k8s.api.apps.v1.DeploymentStatus', { replicas: whole })),
});
