import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Service, service } from '#api/core/service/service.ts';
import { type ServiceCIDR, serviceCidr } from '#api/networking/service-cidr.ts';
import { ControlPlane } from '../testing.ts';
import { rangeFinalizer } from './plan.ts';

const never = new AbortController().signal;
let plane: ControlPlane;
beforeEach(async () => void (plane = await ControlPlane.start({ selection: ['service-cidr-controller'] })));
afterEach(() => plane[Symbol.asyncDispose]());

const addRange = (name: string, ...cidrs: string[]) =>
  plane.client.create<ServiceCIDR>(serviceCidr, { metadata: { name }, spec: { cidrs } }, {}, never);
const make = (name: string, clusterIP: string) =>
  plane.client.create<Service>(
    service,
    { metadata: { name, namespace: 'default' }, spec: { clusterIP, ports: [{ port: 80 }] } },
    {},
    never,
  );
const readiness = async (name: string) => {
  const found = await plane.find<ServiceCIDR>(serviceCidr, name);
  const { status, reason } = found?.status?.conditions?.find(({ type }) => type === 'Ready') ?? {};
  return found === undefined ? 'gone' : `${status} ${reason} ${(found.metadata.finalizers ?? []).join()}`;
};

test('a further range is ready, serves addresses, and stays while Services have some of them', async () => {
  await expect(make('early', '192.168.77.5')).rejects.toThrow('the provided network does not match the current range');
  await addRange('more', '192.168.77.0/24');
  await plane.until('it is ready', async () => (await readiness('more')) === `True  ${rangeFinalizer}`);
  await make('first', '192.168.77.5');
  await plane.client.delete(serviceCidr, { name: 'more' }, {}, never);
  await plane.until('it waits', async () => (await readiness('more')) === `False Terminating ${rangeFinalizer}`);
  await plane.until('nothing more comes of it', () =>
    make('late', '192.168.77.6').then(
      async () => {
        await plane.client.delete(service, { namespace: 'default', name: 'late' }, {}, never);
        return false;
      },
      (error: unknown) => /does not match the current range/.test(String(error)),
    ),
  );
  // The same network under another name holds its addresses.
  await addRange('heir', '192.168.77.0/24');
  await plane.until('the heir is ready', async () => (await readiness('heir')) === `True  ${rangeFinalizer}`);
  await make('late', '192.168.77.6');
});

test('the range of the flags is protected, too', async () => {
  await plane.until('it is', async () => (await readiness('kubernetes')) === `True  ${rangeFinalizer}`);
  await plane.client.delete(serviceCidr, { name: 'kubernetes' }, {}, never);
  await plane.until('the address of the API servers holds it', async () => (await readiness('kubernetes')).startsWith('False Terminating'));
});
