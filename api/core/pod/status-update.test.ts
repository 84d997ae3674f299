import { expect, test } from 'vitest';
import type { V1ContainerStatus, V1PodStatus } from '#api/generated/types.ts';
import { decoded } from '../../testing.ts';
import { pod } from './pod.ts';

const claims = 'resourceClaims: [{name: gpu, resourceClaimName: g}]';

/** Problems of this status for a pod with these members of its spec, which had that one. */
function problems(spec: string, status: V1PodStatus, before: V1PodStatus = {}): string[] {
  const prev = decoded(pod, `metadata: {name: web, namespace: a}\nspec: {${spec}}`);
  prev.status = before;
  const next = { ...structuredClone(prev), status };
  const found = pod.validateUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 }) ?? [];
  return found.map(({ field, message }) => `${field}: ${message}`);
}

const one = 'containers: [{name: c, image: i}]';
const aStatus = (rest: Partial<V1ContainerStatus>, name = 'c'): V1ContainerStatus => ({
  name,
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...rest,
});

test.each<[string, string, V1PodStatus, string[]]>([
  ['nothing', one, {}, []],
  [
    'generations and conditions',
    one,
    {
      observedGeneration: -1,
      conditions: [
        { type: 'Ready', status: 'True', observedGeneration: -2 },
        { type: 'a b', status: 'True' },
      ],
    },
    [
      'status.conditions[0].observedGeneration: Invalid value: -2: must be a non-negative integer',
      expect.stringMatching(/^status\.conditions\[1\]\.Type: Invalid value: "a b": name part must consist/) as never,
      'status.observedGeneration: Invalid value: -1: must be a non-negative integer',
    ],
  ],
  [
    'another node in mind',
    `nodeName: n, ${one}`,
    { nominatedNodeName: 'm' },
    ['status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node'],
  ],
  ['a node in mind', one, { nominatedNodeName: 'm' }, []],
  [
    'addresses',
    one,
    { podIPs: [{ ip: 'x' }], hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.2' }] },
    [
      expect.stringMatching(/^status\.podIPs\[0\]: Invalid value: "x": must be a valid IP address/) as never,
      'status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`',
    ],
  ],
  [
    'too many addresses',
    one,
    { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] },
    ['status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: may specify no more than one IP for each IP family'],
  ],
  [
    'claims',
    `${one}, ${claims}`,
    { resourceClaimStatuses: [{ name: 'gpu' }, { name: 'gpu' }, { name: 'net', resourceClaimName: 'b' }] },
    [
      'status.resourceClaimStatuses[1].name: Duplicate value: "gpu"',
      'status.resourceClaimStatuses[2].name: Invalid value: "net": must match the name of an entry in `spec.resourceClaims`',
    ],
  ],
  [
    'no mappings',
    one,
    { extendedResourceClaimStatus: { requestMappings: [], resourceClaimName: '' } },
    [
      'status.extendedResourceClaimStatus.requestMappings: Required value: at least one request mapping is required',
      'status.extendedResourceClaimStatus.resourceClaimName: Required value',
    ],
  ],
  [
    'mappings',
    'containers: [{name: c, image: i, resources: {requests: {a.b/c: 1}, limits: {a.b/c: 1}}}]',
    {
      extendedResourceClaimStatus: {
        requestMappings: [
          { containerName: 'c', resourceName: 'a.b/c', requestName: 'r' },
          { containerName: 'c', resourceName: 'a.b/c', requestName: 'r' },
          { containerName: 'c', resourceName: 'cpu', requestName: 'r' },
          { containerName: 'd', resourceName: 'cpu', requestName: 'r' },
        ],
        resourceClaimName: 'x',
      },
    },
    [
      'status.extendedResourceClaimStatus.requestMappings[1].containerName: Duplicate value: "c"',
      'status.extendedResourceClaimStatus.requestMappings[1].resourceName: Duplicate value: "a.b/c"',
      'status.extendedResourceClaimStatus.requestMappings[1].requestName: Duplicate value: "r"',
      'status.extendedResourceClaimStatus.requestMappings[2].resourceName: Invalid value: "cpu": must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests',
      'status.extendedResourceClaimStatus.requestMappings[3].containerName: Invalid value: "d": must match the name of an entry in spec.initContainers.name or spec.containers.name',
    ],
  ],
  [
    'resources of the node from claims',
    `${one}, ${claims}`,
    {
      nodeAllocatableResourceClaimStatuses: [
        { resourceClaimName: 'g', containers: ['c'], resources: { cpu: '1' } },
        { resourceClaimName: 'h', containers: [], resources: { 'a.b/c': '-1' } },
      ],
    },
    [
      'status.nodeAllocatableResourceClaimStatuses[1].resourceClaimName: Invalid value: "h": no mapping found in pod reference',
      'status.nodeAllocatableResourceClaimStatuses[1].containers: Required value: must not be empty',
      'status.nodeAllocatableResourceClaimStatuses[1].resources[a.b/c]: Invalid value: "a.b/c": must be a node allocatable resource name',
      'status.nodeAllocatableResourceClaimStatuses[1].resources[a.b/c]: Invalid value: "-1": must be non-negative',
    ],
  ],
  [
    'users',
    one,
    { containerStatuses: [aStatus({ user: { linux: { uid: -1, gid: 0, supplementalGroups: [1, -2] } } })] },
    [
      'status.containerStatuses[0].user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'status.containerStatuses[0].user.linux.supplementalGroups[1]: Invalid value: -2: must be between 0 and 2147483647, inclusive',
    ],
  ],
  [
    'users of Windows',
    `os: {name: windows}, ${one}`,
    { initContainerStatuses: [aStatus({ user: { linux: { uid: 1, gid: 1 } } })] },
    ['status.initContainerStatuses[0].user.linux: Forbidden: cannot be set for a windows pod'],
  ],
  [
    'devices',
    'containers: [{name: c, image: i, resources: {requests: {a.b/c: 1}, limits: {a.b/c: 1}, claims: [{name: gpu, request: r}]}}]',
    {
      containerStatuses: [
        aStatus({
          allocatedResourcesStatus: [
            {
              name: 'a.b/c',
              resources: [
                { resourceID: '1', health: 'Healthy' },
                { resourceID: '1', health: 'Odd', message: '' },
              ],
            },
            { name: 'claim:gpu/r' },
            { name: 'claim:gpu' },
            { name: 'cpu' },
          ],
        }),
        aStatus({ allocatedResourcesStatus: [{ name: 'cpu' }] }, 'unknown'),
      ],
      ephemeralContainerStatuses: [aStatus({ allocatedResourcesStatus: [{ name: 'cpu' }] })],
    },
    [
      'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].health: Unsupported value: "Odd": supported values: "Healthy", "Unhealthy", "Unknown"',
      'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].message: Required value: must be non-empty if specified',
      'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].resourceID: Duplicate value: "1"',
      `status.containerStatuses[0].allocatedResourcesStatus[2].name: Invalid value: "claim:gpu": must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty`,
      `status.containerStatuses[0].allocatedResourcesStatus[3].name: Invalid value: "cpu": must match one of the container's resource requests`,
      'status.ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: must not be specified in container status',
    ],
  ],
])('%s', (_name, spec, status, expected) => {
  expect(problems(spec, status)).toEqual(expected);
});

const ended = (exitCode: number): V1ContainerStatus => aStatus({ state: { terminated: { exitCode } } });
const again = aStatus({ state: { running: {} } });
const refused = (list: string): string[] => [`status.${list}[0].state: Forbidden: may not be transitioned to non-terminated state`];
const rule = (action: string): string => `restartPolicyRules: [{action: ${action}, exitCodes: {operator: In, values: [7]}}]`;

test.each<[string, string, number, string[]]>([
  ['always', one, 0, []],
  ['never', `restartPolicy: Never, ${one}`, 1, refused('containerStatuses')],
  ['on failure', `restartPolicy: OnFailure, ${one}`, 1, []],
  ['on failure, but there was none', `restartPolicy: OnFailure, ${one}`, 0, refused('containerStatuses')],
  ['never, whatever the pod says', 'containers: [{name: c, image: i, restartPolicy: Never}]', 1, refused('containerStatuses')],
  ['by its own policy', 'restartPolicy: Never, containers: [{name: c, image: i, restartPolicy: Always}]', 0, []],
  ['by its own rule', `restartPolicy: Never, containers: [{name: c, image: i, restartPolicy: Never, ${rule('Restart')}}]`, 7, []],
  [
    'by its own rule for another code',
    `restartPolicy: Never, containers: [{name: c, image: i, restartPolicy: Never, ${rule('Restart')}}]`,
    8,
    refused('containerStatuses'),
  ],
  [
    'with all others',
    `restartPolicy: Never, initContainers: [{name: i, image: i, restartPolicy: Never, ${rule('RestartAllContainers')}}], ${one}`,
    1,
    [],
  ],
  ['unknown', 'containers: [{name: d, image: i}]', 1, refused('containerStatuses')],
])('an ended container comes back: %s', (_name, spec, exitCode, expected) => {
  expect(problems(spec, { containerStatuses: [again] }, { containerStatuses: [ended(exitCode)] })).toEqual(expected);
});

test('init containers come back by their own rules, ephemeral ones never', () => {
  const init = (policy: string): string =>
    `restartPolicy: Never, initContainers: [{name: c, image: i${policy}}], containers: [{name: d, image: i}]`;
  const now: V1PodStatus = { initContainerStatuses: [again] };
  expect(problems(init(''), now, { initContainerStatuses: [ended(1)] })).toEqual(refused('initContainerStatuses'));
  expect(problems(init(', restartPolicy: Always'), now, { initContainerStatuses: [ended(0)] })).toEqual([]);
  expect(problems(one, { ephemeralContainerStatuses: [again] }, { ephemeralContainerStatuses: [ended(1)] })).toEqual(
    refused('ephemeralContainerStatuses'),
  );
});
