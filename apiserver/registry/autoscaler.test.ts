// One autoscaler, two forms, through a whole server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { horizontalPodAutoscaler, type HorizontalPodAutoscaler } from '#api/autoscaling/horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalerV1 } from '#api/autoscaling/horizontal-pod-autoscaler-v1.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let client: RestClient;
const { signal } = new AbortController();
const key = { namespace: 'default', name: 'web' };
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

test('what is written in one form is read in the other', async () => {
  const spec = { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 60 };
  await client.create(horizontalPodAutoscalerV1, { metadata: key, spec }, {}, signal);
  const made = await client.get(horizontalPodAutoscaler, key, signal);
  expect(made.spec).toEqual({
    scaleTargetRef,
    minReplicas: 1,
    maxReplicas: 5,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }],
  });

  const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } };
  await client.patch(horizontalPodAutoscaler, key, { spec: { metrics: [memory], behavior: { scaleDown: {} } } }, { type: 'merge' }, signal);
  const status = {
    status: {
      desiredReplicas: 3,
      currentMetrics: [{ type: 'Resource', resource: { name: 'memory', current: { averageValue: '2Gi' } } }],
      conditions: [{ type: 'AbleToScale', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'Fine' }],
    },
  };
  const measured = await client.patch(horizontalPodAutoscaler, key, status, { type: 'merge', subresource: 'status' }, signal);

  // A client of the older form that changes a number loses nothing, and changes no status, whatever its annotations say.
  const old = await client.get(horizontalPodAutoscalerV1, key, signal);
  expect(Object.keys(old.metadata.annotations ?? {})).toHaveLength(4);
  const annotations = { ...old.metadata.annotations, 'autoscaling.alpha.kubernetes.io/conditions': '[]' };
  const changed = { ...old, metadata: { ...old.metadata, annotations }, spec: { ...old.spec!, maxReplicas: 7 } };
  await client.update(horizontalPodAutoscalerV1, changed, {}, signal);
  const after: HorizontalPodAutoscaler = await client.get(horizontalPodAutoscaler, key, signal);
  expect(after.spec).toEqual({ ...measured.spec, maxReplicas: 7 });
  expect(after.status).toEqual(measured.status);
});

test('both forms are listed, watched and deleted as one object', async () => {
  const { items } = await client.list(horizontalPodAutoscalerV1, { namespace: 'default' }, signal);
  const { items: newer } = await client.list(horizontalPodAutoscaler, { namespace: 'default' }, signal);
  expect(items.map(({ metadata }) => metadata.uid)).toEqual(newer.map(({ metadata }) => metadata.uid));
  await client.delete(horizontalPodAutoscalerV1, key, {}, signal);
  await expect(client.get(horizontalPodAutoscaler, key, signal)).rejects.toMatchObject({ reason: 'NotFound' });
});

test('the status endpoint of the older form changes the status alone', async () => {
  const spec = { scaleTargetRef, maxReplicas: 5 };
  const made = await client.create(horizontalPodAutoscalerV1, { metadata: key, spec }, {}, signal);
  const metrics = '[{"type":"Pods","pods":{"metricName":"x","targetAverageValue":"1"}}]';
  const next = {
    ...made,
    metadata: { ...made.metadata, annotations: { 'autoscaling.alpha.kubernetes.io/metrics': metrics } },
    status: { currentReplicas: 2, desiredReplicas: 4, currentCPUUtilizationPercentage: 9 },
  };
  await client.update(horizontalPodAutoscalerV1, next, { subresource: 'status' }, signal);
  const found = await client.get(horizontalPodAutoscaler, key, signal);
  expect(found.spec?.metrics).toMatchObject([{ resource: { name: 'cpu' } }]);
  expect(found.status).toEqual({
    currentReplicas: 2,
    desiredReplicas: 4,
    currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 9 } } }],
  });
});
