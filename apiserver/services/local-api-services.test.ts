import { expect, test } from 'vitest';
import type { ApiService } from '#api/apiregistration/api-service.ts';
import { builtinKinds } from '#api/kinds.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import { everything } from '../list-everything.ts';
import { aDelete, aKind, startRegistry } from '../registry/testing.ts';
import { LocalApiServices } from './local-api-services.ts';

const kind = aKind('apiservices');
const { signal } = new AbortController();
const context = internalContext({ namespace: '' }, signal);

test('every group version has an APIService, now and after somebody meddled', async () => {
  const clock = new FakeClock();
  await using t = await startRegistry({ kinds: builtinKinds, clock });
  const life = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = new LocalApiServices({ registry: () => t.registry, kinds: () => builtinKinds, clock, log: silentLog }).run(
    life.signal,
    ready.resolve,
  );
  await ready.promise;
  const byName = async (): Promise<Map<string, ApiService>> => {
    const { items } = await t.registry.list(kind, everything, context);
    return new Map([...items].map((item) => [item.object().metadata.name ?? '', item.object() as ApiService]));
  };

  const first = await byName();
  const versions = new Set(builtinKinds.map(({ group, version }) => `${version}.${group}`));
  versions.delete('v1.apiregistration.k8s.io');
  expect(new Set(first.keys())).toEqual(versions);
  expect(first.get('v1.apps')).toMatchObject({
    metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 },
    status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local' }] },
  });
  expect(first.get('v1.')?.spec).toEqual({ version: 'v1', groupPriorityMinimum: 18_000, versionPriority: 1 });

  const rank = (groupPriorityMinimum: number) => (current: object) =>
    ({ ...current, spec: { ...first.get('v1.apps')?.spec, groupPriorityMinimum } }) as never;
  await t.registry.change(kind, 'v1.apps', rank(1), context);
  await t.registry.delete(kind, 'v1.events.k8s.io', aDelete(), context);
  const stale = { ...first.get('v1.apps'), metadata: { name: 'v1.old.io', labels: first.get('v1.apps')?.metadata.labels } };
  await t.registry.createObject(kind, { ...stale, spec: { ...stale.spec, group: 'old.io' } } as never, context);
  const foreign = { metadata: { name: 'v1.mine.io' }, spec: { ...stale.spec, group: 'mine.io' } };
  await t.registry.createObject(kind, foreign as never, context);
  await clock.advance(10_000);
  await expect.poll(async () => new Set((await byName()).keys())).toEqual(new Set([...versions, 'v1.mine.io']));
  await expect.poll(async () => (await byName()).get('v1.apps')?.spec?.groupPriorityMinimum).toBe(17_800);

  life.abort(new Error('the test is over'));
  await ended;
});
