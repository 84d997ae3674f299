import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { Registry } from '../registry/contract.ts';
import { aBody, aContext, aKind, startRegistry } from '../registry/testing.ts';
import { deviceAdminAccess } from './device-admin-access.ts';

const claims = aKind('resourceclaims');
const devices = { requests: [{ name: 'r', exactly: { deviceClassName: 'c', adminAccess: true } }] };
const text = 'admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace';

test.each<[string, object]>([
  ['resourceclaims', { devices }],
  ['resourceclaimtemplates', { spec: { devices } }],
])('%s with access to what others use need a namespace that allows it', async (plural, spec) => {
  const holder: { registry?: Registry } = {};
  await using t = await startRegistry({ kinds: builtinKinds, admission: [deviceAdminAccess(() => holder.registry as Registry)] });
  holder.registry = t.registry;
  const namespaces = aKind('namespaces');
  await t.registry.create(namespaces, aBody({ metadata: { name: 'default' } }), aContext({ namespace: '' }));
  const create = (): Promise<unknown> => t.registry.create(aKind(plural), aBody({ metadata: { name: 'a' }, spec }), aContext());
  await expect(create()).rejects.toMatchObject({
    code: 422,
    details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec.devices.requests[0].adminAccess', message: `Forbidden: ${text}` }] },
  });
  const labels = { 'resource.kubernetes.io/admin-access': 'true' };
  const label = (found: KubeObject): KubeObject => ({ ...found, metadata: { ...found.metadata, labels } });
  await t.registry.change(namespaces, 'default', label, aContext({ namespace: '' }));
  await create();
});

test('allocations with such access, too', async () => {
  const holder: { registry?: Registry } = {};
  await using t = await startRegistry({ kinds: builtinKinds, admission: [deviceAdminAccess(() => holder.registry as Registry)] });
  holder.registry = t.registry;
  await t.registry.create(aKind('namespaces'), aBody({ metadata: { name: 'default' } }), aContext({ namespace: '' }));
  const plain = { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] };
  await t.registry.create(claims, aBody({ metadata: { name: 'a' }, spec: { devices: plain } }), aContext());
  const results = [{ request: 'r', driver: 'd.io', pool: 'p', device: 'x', adminAccess: true }];
  const patch = {
    type: 'merge',
    force: false,
    bytes: Buffer.from(JSON.stringify({ status: { allocation: { devices: { results } } } })),
  } as const;
  await expect(t.registry.patch(claims, 'a', patch, aContext({ subresource: 'status' }))).rejects.toMatchObject({
    code: 422,
    details: { causes: [{ field: 'status.allocation.devices.results[0].adminAccess' }] },
  });
});
