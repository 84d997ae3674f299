// Discovery and other pages that tell what is served, as clients see them on the wire.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWire, type Wire } from './testing.ts';

let wire: Wire;
const send: Wire['send'] = (...request) => wire.send(...request);

beforeAll(async () => {
  wire = await startWire();
});

afterAll(async () => await wire[Symbol.asyncDispose]());

test('lists what is served, sub-resources included', async () => {
  const { json } = await send('GET', '/apis/apps/v1');
  const names = (json['resources'] as unknown as { name: string }[]).map(({ name }) => name);
  expect(names).toEqual([
    'controllerrevisions',
    'daemonsets',
    'daemonsets/status',
    'deployments',
    'deployments/scale',
    'deployments/status',
    'replicasets',
    'replicasets/scale',
    'replicasets/status',
    'statefulsets',
    'statefulsets/scale',
    'statefulsets/status',
  ]);
  const pods = ((await send('GET', '/api/v1')).json['resources'] as unknown as { name: string }[]).find(({ name }) => name === 'pods');
  expect(pods).toEqual({
    name: 'pods',
    singularName: 'pod',
    namespaced: true,
    kind: 'Pod',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['po'],
    categories: ['all'],
    storageVersionHash: 'xPOwRZ+Yhw8=',
  });
});

test('aggregated, with a tag that saves sending it again', async () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const first = await send('GET', '/apis', { headers: { accept } });
  expect(first.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
  expect(first.json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
  const groups = (first.json['items'] as unknown as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  expect(groups.slice(0, 3)).toEqual(['apiregistration.k8s.io', 'apps', 'events.k8s.io']);
  expect(first.text).not.toContain('null');
  const again = await send('GET', '/apis', { headers: { accept, 'if-none-match': String(first.headers['etag']) } });
  expect([again.code, again.text]).toEqual([304, '']);
});

test('the index names every page', async () => {
  const { paths } = (await send('GET', '/')).json as unknown as { paths: string[] };
  for (const path of ['/api/v1', '/apis/apps', '/readyz/ping', '/version', '/metrics']) expect(paths).toContain(path);
  for (const path of paths.filter((one) => !one.startsWith('/openapi')))
    expect([path, (await send('GET', path)).code]).toEqual([path, 200]);
});

test('what is not part of the API is indented', async () => {
  expect((await send('GET', '/version')).text).toMatch(/^\{\n  "major": "1",\n/);
  expect((await send('GET', '/')).text).toMatch(/^\{\n  "paths": \[\n/);
});

test('counts what it serves', async () => {
  const configMaps = '/api/v1/namespaces/default/configmaps';
  await send('POST', configMaps, { body: { metadata: { name: 'counted' } } });
  for (const path of [`${configMaps}/counted`, '/readyz', '/api/v1/namespaces/default/nope']) await send('GET', path);
  const { text } = await send('GET', '/metrics');
  const shape = 'group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"';
  expect(text).toMatch(new RegExp(`^apiserver_request_total\\{code="200",component="apiserver",dry_run="",${shape}\\} [1-9]`, 'm'));
  expect(text).toMatch(
    new RegExp(`^apiserver_request_duration_seconds_bucket\\{component="apiserver",dry_run="",${shape},le="60"\\} [1-9]`, 'm'),
  );
  expect(text).toMatch(new RegExp(`^apiserver_response_sizes_bucket\\{component="apiserver",${shape},le="100000"\\} [1-9]`, 'm'));
  expect(text).toMatch(
    /^apiserver_request_total\{code="201",[^}]*resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"\} [1-9]/m,
  );
  expect(text).toMatch(/^apiserver_request_total\{code="200",[^}]*,subresource="\/readyz",verb="GET",version=""\} [1-9]/m);
  expect(text).toMatch(/^apiserver_current_inflight_requests\{request_kind="readOnly"\} 1$/m);
  expect(text).toMatch(/^apiserver_storage_objects\{resource="configmaps"\} [1-9]/m);
  expect(text).toMatch(/^apiserver_storage_objects\{resource="deployments.apps"\} 0$/m);
  expect(text).not.toContain('resource="nope"');
});
