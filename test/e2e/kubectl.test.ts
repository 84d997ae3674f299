// kubectl's other commands: making, changing, comparing and explaining objects, and watching what happens.
import { beforeAll, expect, test } from 'vitest';
import type { V1ConfigMap, V1Deployment } from '#api/generated/types.ts';
import { busybox, deploymentManifest, podManifest, waits } from './manifests.ts';
import { useCluster } from './use-cluster.ts';

const cluster = useCluster();
const yaml = (object: object): { input: string } => ({ input: JSON.stringify(object) });
const settings = (data: Record<string, string>): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });

beforeAll(async () => {
  await cluster().apply(deploymentManifest('web', 1));
});

test('run, wait and get', async () => {
  expect(
    await cluster().kubectl(['run', 'alone', '--image=coxswain/busybox:1', '--labels=tier=back', '--command', '--', 'sh', '-c', waits]),
  ).toBe('pod/alone created\n');
  expect(await cluster().kubectl('wait pod/alone --for=condition=Ready --timeout=60s')).toBe('pod/alone condition met\n');
  expect(await cluster().kubectl('get pods -l tier=back -o name')).toBe('pod/alone\n');
  expect(await cluster().kubectl('get pods --field-selector=status.phase=Running,metadata.name=alone --no-headers')).toMatch(
    /^alone +1\/1 +Running/,
  );
  expect(await cluster().kubectl('get pod alone -o yaml')).toContain('qosClass: BestEffort');
  expect(await cluster().kubectl('get pod alone --show-labels')).toContain('tier=back');
  expect(await cluster().kubectl('get po,deploy,rs,svc,ep,cm,sa -A')).toMatch(
    /service\/kubernetes[\s\S]+configmap\/kube-root-ca\.crt[\s\S]+serviceaccount\/default/,
  );
  expect(await cluster().kubectl('get all')).toMatch(
    /pod\/alone[\s\S]+service\/kubernetes[\s\S]+deployment\.apps\/web[\s\S]+replicaset\.apps\/web-/,
  );
  expect(await cluster().tryKubectl('get pod nobody')).toMatchObject({
    code: 1,
    stderr: 'Error from server (NotFound): pods "nobody" not found\n',
  });
});

test('apply, diff and apply again, by the client', async () => {
  expect(await cluster().kubectl('apply -f -', yaml(settings({ a: '1', b: '2' })))).toBe('configmap/settings created\n');
  expect(await cluster().kubectl('apply -f -', yaml(settings({ a: '1', b: '2' })))).toBe('configmap/settings unchanged\n');
  const diff = await cluster().tryKubectl('diff -f -', yaml(settings({ a: '3', b: '2' })));
  expect(diff.code).toBe(1);
  expect(diff.stdout).toMatch(/^-\s+a: "1"\n\+\s+a: "3"$/m);
  expect(await cluster().kubectl('apply -f -', yaml(settings({ a: '3' })))).toBe('configmap/settings configured\n');
  expect((await cluster().get<V1ConfigMap>('configmap settings')).data).toEqual({ a: '3' });
  expect(await cluster().kubectl('apply --dry-run=server -f -', yaml(settings({ a: '4' })))).toBe(
    'configmap/settings configured (server dry run)\n',
  );
  expect((await cluster().get<V1ConfigMap>('configmap settings')).data).toEqual({ a: '3' });
});

test('apply by the server: owners share an object and conflict over a field', async () => {
  const shared = (data: Record<string, string>): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data });
  const apply = (manager: string, data: Record<string, string>, ...flags: string[]): ReturnType<ReturnType<typeof cluster>['tryKubectl']> =>
    cluster().tryKubectl(['apply', '--server-side', `--field-manager=${manager}`, ...flags, '-f', '-'], yaml(shared(data)));
  expect(await apply('one', { a: '1' })).toMatchObject({ code: 0, stdout: 'configmap/shared serverside-applied\n' });
  expect(await apply('two', { b: '2' })).toMatchObject({ code: 0 });
  const conflict = await apply('two', { a: '9', b: '2' });
  expect(conflict.code).toBe(1);
  expect(conflict.stderr).toContain('Apply failed with 1 conflict: conflict with "one": .data.a');
  expect(await apply('two', { a: '9', b: '2' }, '--force-conflicts')).toMatchObject({ code: 0 });
  expect(await apply('one', {})).toMatchObject({ code: 0 });
  expect((await cluster().get<V1ConfigMap>('configmap shared')).data).toEqual({ a: '9', b: '2' });
});

test('three kinds of patch', async () => {
  const images = async (): Promise<string> => cluster().kubectl('get deployment web -o jsonpath={.spec.template.spec.containers[*].name}');
  const patch = (type: string, body: unknown): Promise<string> =>
    cluster().kubectl(['patch', 'deployment', 'web', `--type=${type}`, '-p', JSON.stringify(body)]);
  const added = {
    spec: { template: { spec: { containers: [{ name: 'side', image: 'coxswain/busybox:1', command: ['sh', '-c', waits] }] } } },
  };
  expect(await patch('strategic', added)).toBe('deployment.apps/web patched\n');
  expect((await images()).split(' ').toSorted()).toEqual(['hello', 'side']);
  expect(await patch('strategic', added)).toBe('deployment.apps/web patched (no change)\n');
  const removed = { spec: { template: { spec: { containers: [{ name: 'side', $patch: 'delete' }] } } } };
  await patch('strategic', removed);
  expect(await images()).toBe('hello');
  await patch('merge', { metadata: { annotations: { note: 'merged' } } });
  await patch('json', [
    { op: 'test', path: '/metadata/annotations/note', value: 'merged' },
    { op: 'replace', path: '/spec/replicas', value: 2 },
  ]);
  const { metadata, spec } = await cluster().get<V1Deployment>('deployment web');
  expect([metadata?.annotations?.note, spec?.replicas]).toEqual(['merged', 2]);
  const wrong = await cluster().tryKubectl(['patch', 'deployment', 'web', '--type=merge', '-p', '{"spec":{"replicas":-1}}']);
  expect(wrong.stderr).toContain('spec.replicas: Invalid value: -1: must be greater than or equal to 0');
});

test('edit, label, annotate, replace, scale with a precondition', async () => {
  expect(await cluster().kubectl('edit configmap settings', { env: { KUBE_EDITOR: 'sed -i \'s/a: "3"/a: edited/\'' } })).toBe(
    'configmap/settings edited\n',
  );
  expect((await cluster().get<V1ConfigMap>('configmap settings')).data).toEqual({ a: 'edited' });
  expect(await cluster().kubectl('label configmap settings colour=red')).toBe('configmap/settings labeled\n');
  expect((await cluster().tryKubectl('label configmap settings colour=blue')).code).toBe(1);
  expect(await cluster().kubectl('label configmap settings colour=blue --overwrite')).toBe('configmap/settings labeled\n');
  expect(await cluster().kubectl('get configmaps -l colour=blue -o name')).toBe('configmap/settings\n');
  expect(await cluster().kubectl('annotate configmap settings note=yes')).toBe('configmap/settings annotated\n');
  const object = await cluster().get<V1ConfigMap>('configmap settings');
  await cluster().kubectl('label configmap settings colour-');
  const stale = await cluster().tryKubectl('replace -f -', yaml(object));
  expect(stale.stderr).toContain('the object has been modified; please apply your changes to the latest version and try again');
  expect(await cluster().kubectl('replace -f -', yaml(settings({ c: 'replaced' })))).toBe('configmap/settings replaced\n');
  expect((await cluster().get<V1ConfigMap>('configmap settings')).data).toEqual({ c: 'replaced' });
  expect((await cluster().tryKubectl('scale deployment web --current-replicas=7 --replicas=1')).code).toBe(1);
  expect(await cluster().kubectl('scale deployment web --current-replicas=2 --replicas=1')).toBe('deployment.apps/web scaled\n');
});

test('what is wrong with a manifest is said with its field', async () => {
  const create = async (object: object, ...flags: string[]): Promise<string> =>
    (await cluster().tryKubectl(['create', ...flags, '-f', '-'], yaml(object))).stderr;
  expect(await create(podManifest('Not_A_Name'))).toContain('metadata.name: Invalid value: "Not_A_Name"');
  expect(await create(podManifest('x', { containers: [busybox('main', { imagePullPolicy: 'Sometimes' })] }))).toContain(
    'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes"',
  );
  expect(await create(podManifest('x', { containers: [] }))).toContain('spec.containers: Required value');
  expect(await create(podManifest('x', { unheardOf: 1 }))).toMatch(/unknown field "(spec\.)?unheardOf"/);
  expect(await create(podManifest('x', { metadata: { name: 'x', namespace: 'nowhere' } }))).toContain('namespaces "nowhere" not found');
  expect(await create(settings({ c: '1' }))).toContain('configmaps "settings" already exists');
  const moved = {
    ...deploymentManifest('web', 1),
    spec: { ...(deploymentManifest('web', 1) as { spec: object }).spec, selector: { matchLabels: { app: 'other' } } },
  };
  expect((await cluster().tryKubectl('replace -f -', yaml(moved))).stderr).toMatch(/selector.+does not match template|field is immutable/);
});

test('explain, api-resources, api-versions, version and auth', async () => {
  expect(await cluster().kubectl('explain deployment.spec.strategy.rollingUpdate.maxSurge')).toMatch(
    /KIND: +Deployment\nVERSION: +(apps\/)?v1\n\nFIELD: +maxSurge <(IntOrString|string)>/,
  );
  expect(await cluster().kubectl('explain pods')).toContain('Pod is a collection of containers that can run on a host');
  const resources = await cluster().kubectl('api-resources --no-headers');
  for (const line of [
    /^pods +po +v1 +true +Pod$/m,
    /^nodes +no +v1 +false +Node$/m,
    /^deployments +deploy +apps\/v1 +true +Deployment$/m,
    /^endpointslices +discovery\.k8s\.io\/v1 +true +EndpointSlice$/m,
    /^leases +coordination\.k8s\.io\/v1 +true +Lease$/m,
    /^events +ev +events\.k8s\.io\/v1 +true +Event$/m,
  ])
    expect(resources).toMatch(line);
  // Exactly what is served: each can be listed.
  for (const name of (await cluster().kubectl('api-resources --verbs=list -o name')).trim().split('\n'))
    await cluster().kubectl(`get ${name} -A -o name`);
  expect((await cluster().kubectl('api-versions')).split('\n')).toEqual(
    expect.arrayContaining(['v1', 'apps/v1', 'discovery.k8s.io/v1', 'events.k8s.io/v1']),
  );
  expect(await cluster().kubectl('version')).toMatch(/Server Version: .*v1\.36\.2\+coxswain\.\d+/);
  if (cluster().hasKubectl(28))
    expect(await cluster().kubectl('auth whoami')).toMatch(/Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/);
  expect(await cluster().kubectl('auth can-i create pods')).toBe('yes\n');
  expect(await cluster().kubectl('cluster-info')).toContain('is running at');
});

test('get -w shows changes as they come, and events what happened', async () => {
  await using watch = cluster().background('get pods -w -l app=seen --output-watch-events');
  await cluster().apply(podManifest('before', { metadata: { name: 'before', labels: { app: 'seen' } } }));
  // The watch is there, whether it began before the pod ran or after.
  await watch.shows(/(ADDED|MODIFIED) +before +1\/1 +Running/);
  await cluster().apply(podManifest('seen'));
  await watch.shows(/ADDED +seen +0\/1 +Pending[\s\S]+MODIFIED +seen +1\/1 +Running/);
  await cluster().kubectl('delete pod seen before');
  await watch.shows(/DELETED +seen/);
  const reasons = await cluster().kubectl('get events --field-selector involvedObject.name=seen -o jsonpath={.items[*].reason}');
  for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started', 'Killing']) expect(reasons).toContain(reason);
  if (cluster().hasKubectl(26)) expect(await cluster().kubectl('events --for pod/seen')).toContain('Scheduled');
});

test('delete in all its ways', async () => {
  await cluster().kubectl('create namespace gone');
  await cluster().kubectl('-n gone create deployment web --image=coxswain/hello:1 --replicas=2');
  await cluster().kubectl('-n gone rollout status deployment/web --timeout=60s');
  await cluster().kubectl('-n gone delete deployment web --cascade=orphan');
  expect((await cluster().kubectl('-n gone get rs -o name')).trim().split('\n')).toHaveLength(1);
  await cluster().kubectl('-n gone delete rs --all --cascade=foreground');
  expect(await cluster().kubectl('-n gone get pods -o name')).toBe('');
  await cluster().kubectl('-n gone run left --image=coxswain/hello:1');
  // Until its handler is there, a first process ignores SIGTERM.
  await cluster().until('it listens', async () => (await cluster().kubectl('-n gone logs left')).includes('listens'));
  expect(await cluster().kubectl('delete namespace gone --timeout=60s')).toContain('namespace "gone" deleted');
  expect((await cluster().tryKubectl('get namespace gone')).stderr).toContain('(NotFound)');
  expect(await cluster().kubectl('delete pod alone --grace-period=0 --force')).toContain('force deleted');
  expect(await cluster().kubectl('delete configmap nobody --ignore-not-found')).toBe('');
});

test('nodes can be cordoned and drained', async () => {
  expect(await cluster().kubectl('cordon host1')).toBe('node/host1 cordoned\n');
  expect(await cluster().kubectl('get node host1')).toContain('Ready,SchedulingDisabled');
  await cluster().apply(podManifest('later'));
  await cluster().until('it cannot be placed', async () =>
    (await cluster().kubectl('get events --field-selector reason=FailedScheduling')).includes('were unschedulable'),
  );
  expect(await cluster().kubectl('uncordon host1')).toBe('node/host1 uncordoned\n');
  await cluster().kubectl('wait pod/later --for=condition=Ready --timeout=30s');
  await cluster().kubectl('delete pod later');
  expect(await cluster().kubectl('describe node host1')).toMatch(
    /Roles: +control-plane[\s\S]+Non-terminated Pods:[\s\S]+Allocated resources:/,
  );
});
