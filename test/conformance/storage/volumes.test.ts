// Volumes and claims as objects, with the loops that protect them: bound to each other, kept while they are used, gone when deleted.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlPlane } from '#controller-manager/testing.ts';
import { ApiSession, pathOf } from '../api-session.ts';

let plane: ControlPlane;
let api: ApiSession;
const poll = { timeout: 10_000, interval: 20 };
const volumes = pathOf('v1', 'persistentvolumes');
const claims = pathOf('v1', 'persistentvolumeclaims', 'default');

beforeAll(async () => {
  plane = await ControlPlane.start();
  api = new ApiSession(plane.server.adminClientConfig);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

const gone = (path: string): Promise<string> =>
  api.get(path).then(
    () => 'there',
    (error: Error) => error.message.split(':')[0] ?? '',
  );
const labels = { 'e2e-pv-pool': 'pool' };
const volume = (name: string): object => ({
  metadata: { name, labels },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '2Gi' },
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: 'manual',
    hostPath: { path: '/tmp/e2e' },
  },
});
const claim = (name: string, volumeName: string): object => ({
  metadata: { name, labels },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'manual', volumeName },
});

test('a volume and a claim run through their lifecycle: patched, read, updated, and gone when they are deleted', async () => {
  const bothGo = async (pv: string, pvc: string): Promise<void> => {
    await expect.poll(() => gone(`${claims}/${pvc}`), poll).toBe('NotFound');
    await expect.poll(() => gone(`${volumes}/${pv}`), poll).toBe('NotFound');
  };
  const madeVolume = await api.post(volumes, volume('pv1'));
  const madeClaim = await api.post(claims, claim('pvc1', 'pv1'));
  expect((await api.get(`${volumes}?labelSelector=e2e-pv-pool%3Dpool`)).items).toHaveLength(1);
  expect((await api.get(claims)).items).toHaveLength(1);
  await api.patch(`${volumes}/pv1`, 'strategic', { metadata: { labels: { pv1: 'patched' } } });
  await api.patch(`${claims}/pvc1`, 'strategic', { metadata: { labels: { pvc1: 'patched' } } });
  expect((await api.get(`${volumes}/pv1`)).metadata).toMatchObject({ uid: madeVolume.metadata.uid, labels: { pv1: 'patched' } });
  expect((await api.get(`${claims}/pvc1`)).metadata).toMatchObject({ uid: madeClaim.metadata.uid, labels: { pvc1: 'patched' } });
  await api.delete(`${claims}/pvc1`);
  await api.delete(`${volumes}/pv1`);
  await bothGo('pv1', 'pvc1');
  await api.post(volumes, volume('pv2'));
  await api.post(claims, claim('pvc2', 'pv2'));
  for (const path of [`${volumes}/pv2`, `${claims}/pvc2`]) {
    const updated = await api.update(path, (found) => ({
      ...found,
      metadata: { ...found.metadata, labels: { ...labels, now: 'updated' } },
    }));
    expect(updated.metadata.labels).toMatchObject({ now: 'updated' });
  }
  await api.delete(`${claims}?labelSelector=now%3Dupdated`);
  await api.delete(`${volumes}?labelSelector=now%3Dupdated`);
  await bothGo('pv2', 'pvc2');
});

test('the status of a volume and of a claim is read, patched and updated', async () => {
  await api.post(volumes, volume('pv3'));
  await api.post(claims, claim('pvc3', 'pv3'));
  expect((await api.get(`${claims}/pvc3/status`))['status']).toMatchObject({ phase: expect.stringMatching(/./) as string });
  expect((await api.get(`${volumes}/pv3/status`))['status']).toMatchObject({ phase: expect.stringMatching(/./) as string });
  const condition = { type: 'StatusPatched', status: 'True', reason: 'E2E patchedStatus', message: 'Set from e2e test' };
  const patched = await api.patch(`${claims}/pvc3/status`, 'strategic', { status: { conditions: [condition] } });
  expect(patched['status']).toMatchObject({ conditions: [condition] });
  const told = await api.patch(`${volumes}/pv3/status`, 'strategic', { status: { message: 'StatusPatched', reason: 'E2E patchStatus' } });
  expect(told['status']).toMatchObject({ message: 'StatusPatched', reason: 'E2E patchStatus' });
  const updated = await api.update(
    `${claims}/pvc3`,
    (found) => ({ ...found, status: { ...(found['status'] as object), conditions: [condition, { ...condition, type: 'StatusUpdated' }] } }),
    `${claims}/pvc3/status`,
  );
  expect((updated['status'] as { conditions: { type: string }[] }).conditions.map(({ type }) => type)).toEqual([
    'StatusPatched',
    'StatusUpdated',
  ]);
  const changed = await api.update(
    `${volumes}/pv3`,
    (found) => ({ ...found, status: { ...(found['status'] as object), message: 'StatusUpdated', reason: 'E2E updateStatus' } }),
    `${volumes}/pv3/status`,
  );
  expect(changed['status']).toMatchObject({ message: 'StatusUpdated', reason: 'E2E updateStatus' });
});

test('a VolumeAttributesClass runs through its lifecycle, and is gone when it is deleted', async () => {
  const classes = pathOf('storage.k8s.io/v1', 'volumeattributesclasses');
  const body = (name: string): object => ({
    metadata: { name, labels: { 'e2e-vac': 'yes' } },
    driverName: 'e2e-fake-csi-driver',
    parameters: { foo: 'bar' },
  });
  const made = await api.post(classes, body('first'));
  expect((await api.get(`${classes}/first`)).metadata.uid).toBe(made.metadata.uid);
  const patched = await api.patch(`${classes}/first`, 'merge', { metadata: { labels: { first: 'patched' } } });
  expect(patched.metadata.labels).toMatchObject({ first: 'patched' });
  await api.delete(`${classes}/first`);
  await expect.poll(() => gone(`${classes}/first`), poll).toBe('NotFound');
  await api.post(classes, body('second'));
  const updated = await api.update(`${classes}/second`, (found) => ({
    ...found,
    metadata: { ...found.metadata, labels: { second: 'updated' } },
  }));
  expect(updated.metadata.labels).toEqual({ second: 'updated' });
  await api.delete(`${classes}?labelSelector=second%3Dupdated`);
  await expect.poll(() => gone(`${classes}/second`), poll).toBe('NotFound');
});

test('a VolumeAttachment is attached by patch and detached by update of its status', async () => {
  const attachments = pathOf('storage.k8s.io/v1', 'volumeattachments');
  await api.post(attachments, {
    metadata: { name: 'attached' },
    spec: { attacher: 'e2e.example.com', nodeName: 'a-node', source: { persistentVolumeName: 'pv' } },
  });
  const patched = await api.patch(`${attachments}/attached`, 'strategic', { metadata: { labels: { attached: 'patched' } } });
  expect(patched).toMatchObject({ metadata: { labels: { attached: 'patched' } }, status: { attached: false } });
  expect((await api.get(`${attachments}/attached/status`))['status']).toEqual({ attached: false });
  expect((await api.patch(`${attachments}/attached/status`, 'strategic', { status: { attached: true } }))['status']).toEqual({
    attached: true,
  });
  const updated = await api.update(
    `${attachments}/attached`,
    (found) => ({ ...found, status: { attached: false } }),
    `${attachments}/attached/status`,
  );
  expect(updated['status']).toEqual({ attached: false });
  await api.delete(`${attachments}/attached`);
  expect(await gone(`${attachments}/attached`)).toBe('NotFound');
});

test('pods with inline volumes of a CSI driver run through their lifecycle as objects', async () => {
  const pods = pathOf('v1', 'pods', 'default');
  const csi = { driver: 'e2e.example.com', readOnly: true, volumeAttributes: { size: '1Gi' }, nodePublishSecretRef: { name: 'secret' } };
  const body = (name: string): object => ({
    metadata: { name, labels: { 'e2e-inline': name } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'app', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      volumes: [{ name: 'v', csi }],
    },
  });
  const made = await api.post(pods, body('inline'));
  expect(made['spec']).toMatchObject({ volumes: [{ name: 'v', csi }] });
  await api.post(pods, body('other'));
  const listed = (await api.get(`${pathOf('v1', 'pods')}?labelSelector=e2e-inline`)).items;
  expect(listed.map(({ metadata }) => metadata.name).toSorted()).toEqual(['inline', 'other']);
  const patched = await api.patch(`${pods}/inline`, 'strategic', { metadata: { labels: { patched: 'yes' } } });
  expect(patched.metadata.labels).toEqual({ 'e2e-inline': 'inline', patched: 'yes' });
  expect((await api.get(`${pods}/inline`))['spec']).toEqual(made['spec']);
  await api.delete(`${pods}/inline`);
  expect(await gone(`${pods}/inline`)).toBe('NotFound');
  await api.delete(`${pods}?labelSelector=e2e-inline%3Dother`);
  expect(await gone(`${pods}/other`)).toBe('NotFound');
});
