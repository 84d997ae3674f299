// Resizing pods that are tied to a node, through a whole server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { node } from '#api/core/node/node.ts';
import { pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import type { ApiError } from '#api/meta/status.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let client: RestClient;
const signal = new AbortController().signal;

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  await client.create(serviceAccount, { metadata: { namespace: 'default', name: 'default' } }, {}, signal);
  for (const [name, labels] of [
    ['roomy', { 'kubernetes.io/os': 'linux' }] as const,
    ['panes', { 'kubernetes.io/os': 'windows' }] as const,
  ]) {
    await client.create(node, { metadata: { name, labels } }, {}, signal);
    const status = { allocatable: { cpu: '2', memory: '1Gi' } };
    await client.patch(node, { name }, { status }, { type: 'merge', subresource: 'status' }, signal);
  }
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

/** Resizes a pod of 1 CPU and 64Mi: what it then asks for, or the refusal with its causes. */
async function resize(nodeName: string, requests: Record<string, string>): Promise<unknown> {
  const metadata = { namespace: 'default', generateName: 'p-' };
  const resources = { requests: { cpu: '1', memory: '64Mi' } };
  const spec = { nodeName, containers: [{ name: 'c', image: 'i', resources }] };
  const made = await client.create(pod, { metadata, spec }, {}, signal);
  const key = { namespace: 'default', name: made.metadata.name ?? '' };
  const patch = { spec: { containers: [{ name: 'c', resources: { requests } }] } };
  try {
    const done = await client.patch(pod, key, patch, { type: 'strategic', subresource: 'resize' }, signal);
    return done.spec.containers[0]?.resources?.requests;
  } catch (error) {
    const { code, message, details } = error as ApiError;
    return [code, message.replace(/^pods "p-.*?" is forbidden: /, ''), details?.causes];
  }
}

const short = "Node didn't have enough allocatable resources: ";

test.each<[string, Record<string, string>, unknown]>([
  ['roomy', { cpu: '2' }, { cpu: '2', memory: '64Mi' }],
  ['roomy', { cpu: '2001m' }, [403, `${short}cpu, requested: 2001, allocatable: 2000`, [{ reason: 'NodeCapacity' }]]],
  [
    'roomy',
    { cpu: '3', memory: '2Gi' },
    [
      403,
      `${short}cpu, requested: 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824`,
      [{ reason: 'NodeCapacity' }],
    ],
  ],
  [
    'panes',
    { cpu: '2' },
    [403, 'pod resize is only supported on linux nodes, node "panes" is "windows"', [{ reason: 'UnsupportedPlatform' }]],
  ],
  ['panes', { cpu: '1' }, { cpu: '1', memory: '64Mi' }],
  ['gone', { cpu: '2' }, [403, 'node "gone" not found', undefined]],
])('on %s to %j', async (nodeName, requests, expected) => {
  expect(await resize(nodeName, requests)).toEqual(expected);
});
