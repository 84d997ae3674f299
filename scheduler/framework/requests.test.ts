import { describe, expect, test } from 'vitest';
import type { V1Container, V1PodSpec, V1PodStatus } from '#api/generated/types.ts';
import { requestsOf } from './requests.ts';

const container = (requests: Record<string, string>, restartPolicy?: string): V1Container => ({
  name: 'c',
  image: 'x',
  resources: { requests },
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
});

const aStatus = { name: 'c', image: 'x', imageID: '', ready: true, restartCount: 0 };

describe('requestsOf', () => {
  test.each<{ name: string; spec: V1PodSpec; cpuMillis: number; memoryBytes: number }>([
    {
      name: 'containers add up',
      spec: { containers: [container({ cpu: '100m', memory: '1Mi' }), container({ cpu: '1' })] },
      cpuMillis: 1_100,
      memoryBytes: 1_048_576,
    },
    {
      name: 'the largest init container counts where it is more',
      spec: {
        containers: [container({ cpu: '100m', memory: '1Gi' })],
        initContainers: [container({ cpu: '300m' }), container({ cpu: '200m', memory: '1Mi' })],
      },
      cpuMillis: 300,
      memoryBytes: 1_073_741_824,
    },
    {
      name: 'a sidecar runs beside the containers and beside later init containers',
      spec: {
        containers: [container({ cpu: '100m' })],
        initContainers: [container({ cpu: '50m' }, 'Always'), container({ cpu: '200m' }), container({ cpu: '10m' }, 'Always')],
      },
      cpuMillis: 250,
      memoryBytes: 0,
    },
    {
      name: 'overhead comes on top',
      spec: { containers: [container({ cpu: '100m' })], overhead: { cpu: '50m', memory: '1Ki' } },
      cpuMillis: 150,
      memoryBytes: 1_024,
    },
    {
      name: 'pod-level amounts take their place',
      spec: { containers: [container({ cpu: '100m', memory: '1Ki' })], resources: { requests: { cpu: '2' } } },
      cpuMillis: 2_000,
      memoryBytes: 1_024,
    },
  ])('$name', ({ spec, cpuMillis, memoryBytes }) => {
    expect(requestsOf(spec)).toMatchObject({ cpuMillis, memoryBytes });
  });

  const status = (cpu: string, pending?: string): V1PodStatus => ({
    containerStatuses: [{ ...aStatus, resources: { requests: { cpu } }, allocatedResources: { cpu: '200m' } }],
    ...(pending && { conditions: [{ type: 'PodResizePending', status: 'True', reason: pending }] }),
  });
  test.each<[string, V1PodStatus, number]>([
    ['it still has more', status('900m'), 900],
    ['it wants more', status('100m'), 500],
    ['it waits for room', status('300m', 'Deferred'), 500],
    ['it will never fit', status('300m', 'Infeasible'), 300],
    ['it will never fit, but was promised more', status('100m', 'Infeasible'), 200],
  ])('while a container is resized, %s', (_name, its, cpuMillis) => {
    const spec = { containers: [container({ cpu: '500m' })], initContainers: [container({ cpu: '10m' })] };
    expect(requestsOf(spec, 'as zero', its)).toMatchObject({ cpuMillis });
  });

  test('for scoring, a container that says nothing counts 100m and 200 MiB', () => {
    const spec = { containers: [container({}), container({ cpu: '10m' })] };
    expect(requestsOf(spec, 'as typical')).toMatchObject({ cpuMillis: 110, memoryBytes: 2 * 209_715_200 });
  });

  test('extended resources are kept by name, pods are not counted', () => {
    const spec = { containers: [container({ 'a.b/gpu': '2', pods: '1', 'hugepages-2Mi': '4Mi' }), container({ 'a.b/gpu': '1' })] };
    expect(requestsOf(spec).scalars).toEqual(
      new Map([
        ['a.b/gpu', 3],
        ['hugepages-2Mi', 4_194_304],
      ]),
    );
  });
});
