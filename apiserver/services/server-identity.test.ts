import { expect, test } from 'vitest';
import type { V1ConfigMap, V1Lease } from '#api/generated/types.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import { everything } from '../list-everything.ts';
import { aKind, startRegistry } from '../registry/testing.ts';
import { endedServers, identityLease, serverId, tokenTracking } from './server-identity.ts';

const leases = aKind('leases');
const maps = aKind('configmaps');
const context = internalContext({ namespace: 'kube-system' }, new AbortController().signal);
const tracking = 'kube-apiserver-legacy-service-account-token-tracking';

test('a server keeps a Lease by a name that its host gives it, and removes those of servers that ended', async () => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  await using t = await startRegistry({ kinds: builtinKinds, clock });
  const deps = { registry: t.registry, hostname: 'host1', clock, log: silentLog };
  const life = new AbortController();
  const old = { holderIdentity: 'x', leaseDurationSeconds: 3_600, renewTime: '2025-12-31T23:30:00.000000Z' };
  const labels = { 'apiserver.kubernetes.io/identity': 'kube-apiserver' };
  for (const [name, own] of [
    ['apiserver-gone', labels],
    ['somebody-elses', {}],
  ] as const) {
    await t.registry.createObject(leases, { metadata: { name, labels: own }, spec: old } as unknown as KubeObject, context);
  }
  const ended = [identityLease(deps), endedServers(deps)].map((service) => service.run(life.signal, () => undefined));
  const now = async (): Promise<V1Lease[]> =>
    [...(await t.registry.list(leases, everything, context)).items].map((one) => one.object() as V1Lease);
  await expect.poll(async () => (await now()).length).toBe(3);
  const mine = async (): Promise<V1Lease | undefined> => (await now()).find(({ metadata }) => metadata.name === serverId('host1'));
  expect(await mine()).toMatchObject({
    metadata: { namespace: 'kube-system', labels: { ...labels, 'kubernetes.io/hostname': 'host1' } },
    spec: {
      holderIdentity: expect.stringMatching(`^${serverId('host1')}_[-0-9a-f]{36}$`) as string,
      leaseDurationSeconds: 3_600,
      renewTime: '2026-01-01T00:00:00.000000Z',
    },
  });
  for (let minutes = 0; minutes < 61; minutes++) await clock.advance(60_000);
  await expect.poll(async () => (await now()).map(({ metadata }) => metadata.name)).toEqual([serverId('host1'), 'somebody-elses']);
  expect(Date.parse((await mine())?.spec?.renewTime ?? '')).toBeGreaterThan(Date.parse('2026-01-01T01:00:00Z'));
  life.abort();
  await Promise.all(ended);
});

test('the name is the one that v1.36 makes of a host', () => {
  expect(serverId('host1')).toBe('apiserver-hh7ubf4vbsm2e6vx6yshlwlw2i');
});

test('since when tokens are tracked is written once, and again where somebody made it no date', async () => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  await using t = await startRegistry({ kinds: builtinKinds, clock });
  const life = new AbortController();
  const ended = tokenTracking({ registry: t.registry, hostname: 'host1', clock, log: silentLog }).run(life.signal, () => undefined);
  const since = async (): Promise<string | undefined> =>
    ((await t.registry.get(maps, tracking, '', context).catch(() => undefined))?.object() as V1ConfigMap | undefined)?.data?.['since'];
  await expect.poll(since).toBe('2026-01-01');
  await clock.advance(12 * 3_600_000);
  await clock.advance(12 * 3_600_000);
  expect(await since()).toBe('2026-01-01');
  await t.registry.change(maps, tracking, (found) => ({ ...found, data: { since: 'long ago' } }) as KubeObject, context);
  await clock.advance(12 * 3_600_000);
  await expect.poll(since).toBe('2026-01-02');
  life.abort();
  await ended;
});
