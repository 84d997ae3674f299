import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { podResourceMetrics } from './pod-resource-metrics.ts';

const aPod = (name: string, spec: Partial<Pod['spec']>, phase = 'Running'): Pod =>
  ({
    metadata: { namespace: 'a', name },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [
        {
          name: 'c',
          image: 'i',
          resources: { requests: { cpu: '250m', memory: '64Mi', 'example.com/gpu': '2', 'hugepages-2Mi': '0' }, limits: { cpu: '1' } },
        },
      ],
      ...spec,
    },
    status: { phase },
  }) as Pod;

test('tells what pods ask for, and are limited to', async () => {
  const pods = [
    aPod('placed', { nodeName: 'n', priority: 7 }),
    aPod('waits', {}, 'Pending'),
    aPod('ended', { nodeName: 'n' }, 'Succeeded'),
  ];
  const lines = (await podResourceMetrics(() => pods).text()).split('\n').filter((line) => line.startsWith('kube_'));
  const of = (pod: string, node: string, priority: string, resource: string, unit: string): string =>
    `{namespace="a",pod="${pod}",node="${node}",scheduler="default-scheduler",priority="${priority}",resource="${resource}",unit="${unit}"}`;
  expect(lines.filter((line) => line.includes('"placed"'))).toEqual([
    `kube_pod_resource_limit${of('placed', 'n', '7', 'cpu', 'cores')} 1`,
    `kube_pod_resource_request${of('placed', 'n', '7', 'cpu', 'cores')} 0.25`,
    `kube_pod_resource_request${of('placed', 'n', '7', 'memory', 'bytes')} 67108864`,
    `kube_pod_resource_request${of('placed', 'n', '7', 'example.com/gpu', 'integer')} 2`,
  ]);
  expect(lines).toContain(`kube_pod_resource_limit${of('waits', '', '', 'cpu', 'cores')} 1`);
  expect(lines.join()).not.toContain('"ended"');
});
