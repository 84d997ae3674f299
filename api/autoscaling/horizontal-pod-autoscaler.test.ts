import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { type HorizontalPodAutoscaler, horizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalerV1 } from './horizontal-pod-autoscaler-v1.ts';

const target = 'scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}';
/** An autoscaler of a Deployment with these further members of its spec. */
function anAutoscaler(spec = 'maxReplicas: 3', reference = target): string {
  return `metadata: {name: h, namespace: a}\nspec: {${reference}, ${spec}}`;
}
const withMetric = (metric: string): string => anAutoscaler(`maxReplicas: 3, metrics: [${metric}]`);
const withRules = (rules: string): string => anAutoscaler(`maxReplicas: 3, behavior: {scaleUp: {${rules}}}`);

test('defaults', () => {
  const spec = decoded(
    horizontalPodAutoscaler,
    anAutoscaler('maxReplicas: 3, behavior: {scaleDown: {selectPolicy: Min, tolerance: 0.05}}'),
  ).spec;
  expect(spec).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: { selectPolicy: 'Min', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }], tolerance: '50m' },
    },
  });
});

const sources = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"';
const one = 'spec.metrics[0]';
const up = 'spec.behavior.scaleUp';

test.each<[string, string, string[]]>([
  ['fine', anAutoscaler(), []],
  ['of the core group', anAutoscaler('maxReplicas: 3', 'scaleTargetRef: {apiVersion: v1, kind: ReplicationController, name: web}'), []],
  [
    'nothing',
    'metadata: {name: h, namespace: a}',
    [
      'spec.maxReplicas: Required value: must be set and greater than 0',
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
      'spec.scaleTargetRef.kind: Required value',
      'spec.scaleTargetRef.name: Required value',
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
    ],
  ],
  [
    'replicas',
    anAutoscaler('minReplicas: 0, maxReplicas: -1'),
    [
      'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
      'spec.maxReplicas: Invalid value: -1: must be greater than 0',
      'spec.maxReplicas: Invalid value: -1: must be greater than or equal to `minReplicas`',
      'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
    ],
  ],
  [
    'target',
    anAutoscaler('maxReplicas: 3', 'scaleTargetRef: {apiVersion: a/b/c, kind: a/b, name: ".."}'),
    [
      'spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain \'/\'',
      'spec.scaleTargetRef.name: Invalid value: "..": may not be \'..\'',
      'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    ],
  ],
  ['no policies, said so', withRules('policies: []'), [`${up}.policies: Required value: must specify at least one Policy`]],
  [
    'no metric',
    withMetric('{type: ""}'),
    [`${one}.type: Required value: must specify a metric source type`, `${one}.type: Unsupported value: "": ${sources}`],
  ],
  [
    'another source than the type says',
    withMetric('{type: Pods, resource: {name: cpu, target: {type: Utilization, averageUtilization: 0}}}'),
    [
      `${one}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
      `${one}.pods: Required value: must populate information for the given metric source`,
    ],
  ],
  [
    'two sources',
    withMetric(
      '{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 1}}, pods: {metric: {name: x}, target: {type: Value}}}',
    ),
    [
      `${one}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
      `${one}.pods: Forbidden: must populate the given metric source only`,
    ],
  ],
  [
    'resource',
    withMetric('{type: Resource, resource: {target: {type: Some, averageUtilization: 1, averageValue: -1}}}'),
    [
      `${one}.resource.name: Required value: must specify a resource name`,
      `${one}.resource.target.type: Invalid value: "Some": must be either Utilization, Value, or AverageValue`,
      `${one}.resource.target.averageValue: Invalid value: "-1": must be positive`,
      `${one}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
    ],
  ],
  [
    'container resource',
    withMetric('{type: ContainerResource, containerResource: {name: gold, target: {type: Utilization}}}'),
    [
      `${one}.containerResource.name: Invalid value: "gold": must be a standard resource type or fully qualified`,
      `${one}.containerResource.name: Invalid value: "gold": must be a standard resource for containers`,
      `${one}.containerResource.container: Required value: must specify a container`,
      `${one}.containerResource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
    ],
  ],
  [
    'object',
    withMetric('{type: Object, object: {describedObject: {kind: Service, name: web, apiVersion: v1}, metric: {}, target: {}}}'),
    [
      `${one}.object.metric.name: Required value: must specify a metric name`,
      `${one}.object.target.type: Required value: must specify a metric target type`,
      `${one}.object.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue`,
      `${one}.object.target.averageValue: Required value: must set either a target value or averageValue`,
    ],
  ],
  [
    'external',
    withMetric('{type: External, external: {metric: {name: a/b}, target: {type: Value, value: 1, averageValue: 1}}}'),
    [
      `${one}.external.metric.name: Invalid value: "a/b": may not contain '/'`,
      `${one}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`,
    ],
  ],
  [
    'behavior',
    withRules(
      'stabilizationWindowSeconds: 3601, selectPolicy: Any, tolerance: -0.1, policies: [{type: Nodes, value: 0, periodSeconds: 1801}]',
    ),
    [
      `${up}.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600`,
      `${up}.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"`,
      `${up}.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"`,
      `${up}.policies[0].value: Invalid value: 0: must be greater than zero`,
      `${up}.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800`,
      `${up}.tolerance: Invalid value: "-100m": must be greater than or equal to 0`,
    ],
  ],
  [
    'negative behavior',
    withRules('stabilizationWindowSeconds: -1, policies: [{type: Pods, value: 1, periodSeconds: 0}]'),
    [
      `${up}.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero`,
      `${up}.policies[0].periodSeconds: Invalid value: 0: must be greater than zero`,
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(horizontalPodAutoscaler, yaml)).toEqual(expected);
});

test('what an old autoscaler has may stay', () => {
  const old = anAutoscaler(
    'minReplicas: 0, maxReplicas: 3, metrics: [{type: External, external: {metric: {name: x}, target: {type: Value, value: 1}}}]',
    'scaleTargetRef: {kind: Deployment, name: web}',
  );
  expect(createProblems(horizontalPodAutoscaler, old)).toHaveLength(2);
  expect(updateProblems(horizontalPodAutoscaler, old, ({ spec }) => void Object.assign(spec ?? {}, { maxReplicas: 4 }))).toEqual([]);
  const status = { currentReplicas: -1, desiredReplicas: -2 };
  expect(updateProblems(horizontalPodAutoscaler, old, (object) => void (object.status = status), 'status')).toEqual([
    'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
    'status.desiredReplicas: Invalid value: -2: must be greater than or equal to 0',
  ]);
});

const everyMetric = `
    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
    - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 100Mi}}}
    - {type: ContainerResource, containerResource: {name: cpu, container: c, target: {type: Utilization, averageUtilization: 60}}}
    - {type: Pods, pods: {metric: {name: rate, selector: {matchLabels: {a: b}}}, target: {type: AverageValue, averageValue: 10}}}
    - {type: Object, object: {describedObject: {apiVersion: v1, kind: Service, name: s}, metric: {name: hits}, target: {type: Value, value: 5}}}
    - {type: Object, object: {describedObject: {kind: Service, name: s}, metric: {name: hits}, target: {type: AverageValue, averageValue: 5}}}
    - {type: External, external: {metric: {name: queue, selector: {matchLabels: {q: r}}}, target: {type: AverageValue, averageValue: 7}}}
    - {type: External, external: {metric: {name: queue}, target: {type: Value, value: 7}}}`;
const everyCurrent = `
    - {type: Resource, resource: {name: cpu, current: {averageUtilization: 40, averageValue: 40m}}}
    - {type: ContainerResource, containerResource: {name: cpu, container: c, current: {averageUtilization: 3, averageValue: 1m}}}
    - {type: Pods, pods: {metric: {name: rate}, current: {averageValue: 9}}}
    - {type: Object, object: {describedObject: {kind: Service, name: s}, metric: {name: hits}, current: {value: 4}}}
    - {type: External, external: {metric: {name: queue}, current: {value: 6, averageValue: 2}}}`;
const full = `
metadata: {name: h, namespace: a, annotations: {keep: me}}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 9
  behavior: {scaleUp: {selectPolicy: Min, tolerance: 0.1}, scaleDown: {stabilizationWindowSeconds: 60}}
  metrics:${everyMetric}
status:
  observedGeneration: 3
  lastScaleTime: "2026-01-01T00:00:00Z"
  currentReplicas: 4
  desiredReplicas: 5
  currentMetrics:${everyCurrent}
  conditions: [{type: AbleToScale, status: "True", lastTransitionTime: "2026-01-01T00:00:00Z", reason: Fine, message: all is fine}]`;

test('the older form holds all that the newer one does', () => {
  const object = decoded(horizontalPodAutoscaler, full);
  const old = horizontalPodAutoscalerV1.fromStored?.(structuredClone(object));
  expect(old).toMatchObject({
    apiVersion: 'autoscaling/v1',
    spec: { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 50 },
    status: { currentReplicas: 4, desiredReplicas: 5, currentCPUUtilizationPercentage: 40, observedGeneration: 3 },
  });
  const annotations = Object.entries(old?.metadata.annotations ?? {});
  expect(annotations.map(([name]) => name)).toEqual([
    'keep',
    'autoscaling.alpha.kubernetes.io/metrics',
    'autoscaling.alpha.kubernetes.io/current-metrics',
    'autoscaling.alpha.kubernetes.io/behavior',
    'autoscaling.alpha.kubernetes.io/conditions',
  ]);
  const back = horizontalPodAutoscalerV1.toStored?.(structuredClone(old!)) as HorizontalPodAutoscaler;
  // The CPU's share has a field of its own, and so comes last.
  const [cpu, ...others] = object.spec?.metrics ?? [];
  expect(back).toEqual({ ...object, apiVersion: 'autoscaling/v2', spec: { ...object.spec, metrics: [...others, cpu] } });
});

test('the texts in the annotations are those that clients know', () => {
  const object = decoded(
    horizontalPodAutoscaler,
    anAutoscaler(
      'maxReplicas: 3, behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 2}]}}, metrics: [{type: Pods, pods: {metric: {name: rate}, target: {type: AverageValue, averageValue: 1}}}]',
    ),
  );
  expect(horizontalPodAutoscalerV1.fromStored?.(object).metadata.annotations).toEqual({
    'autoscaling.alpha.kubernetes.io/metrics': '[{"type":"Pods","pods":{"metricName":"rate","targetAverageValue":"1"}}]',
    'autoscaling.alpha.kubernetes.io/behavior':
      '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":2}],"Tolerance":null},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}',
  });
});

test.each([
  ['no JSON', '{'],
  ['no list', '{"type":"Pods"}'],
  ['no objects', '[null, 3]'],
  ['wrong types', '[{"type":"Pods","pods":{"metricName":3}}]'],
  ['no amount', '[{"type":"Pods","pods":{"metricName":"x","targetAverageValue":"lots"}}]'],
])('an annotation with %s counts for nothing', (_name, text) => {
  const object = decoded(horizontalPodAutoscalerV1, anAutoscaler());
  object.metadata.annotations = { 'autoscaling.alpha.kubernetes.io/metrics': text, 'autoscaling.alpha.kubernetes.io/behavior': text };
  const { spec, metadata } = horizontalPodAutoscalerV1.toStored!(object) as HorizontalPodAutoscaler;
  expect([metadata.annotations, spec?.behavior, spec?.metrics]).toEqual([
    undefined,
    undefined,
    [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  ]);
});

test('the newer form has no use for those annotations', () => {
  const yaml = anAutoscaler().replace('namespace: a', 'namespace: a, annotations: {autoscaling.alpha.kubernetes.io/metrics: "[]", a: b}');
  expect(decoded(horizontalPodAutoscaler, yaml).metadata.annotations).toEqual({ a: 'b' });
});

test('the older form is judged as the newer one', () => {
  expect(
    createProblems(horizontalPodAutoscalerV1, anAutoscaler('minReplicas: 5, maxReplicas: 3, targetCPUUtilizationPercentage: 0')),
  ).toEqual([
    'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
    'spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
  ]);
});

test('columns', () => {
  const object = decoded(horizontalPodAutoscaler, full);
  expect(row(horizontalPodAutoscaler, object)).toEqual({
    Name: 'h',
    Reference: 'Deployment/web',
    Targets: 'cpu: 40%/50%, memory: <unknown>/100Mi + 6 more...',
    MinPods: '2',
    MaxPods: 9,
    Replicas: 4,
    Age: '<unknown>',
  });
  const shown = (metric: string, current = ''): unknown =>
    row(horizontalPodAutoscaler, decoded(horizontalPodAutoscaler, `${withMetric(metric)}\nstatus: {currentMetrics: [${current}]}`))[
      'Targets'
    ];
  expect(shown('{type: External, external: {metric: {name: q}, target: {type: Value, value: 7}}}')).toBe('<unknown>/7');
  expect(
    shown(
      '{type: External, external: {metric: {name: q}, target: {type: AverageValue, averageValue: 7}}}',
      '{type: External, external: {metric: {name: q}, current: {averageValue: 3}}}',
    ),
  ).toBe('3/7 (avg)');
  expect(
    shown('{type: ContainerResource, containerResource: {name: cpu, container: c, target: {type: Utilization, averageUtilization: 9}}}'),
  ).toBe('cpu: <unknown>/9%');
});
