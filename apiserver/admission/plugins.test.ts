import { describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { clusterRole } from '#api/rbac/cluster-role.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { firstOpinion } from '../authz/union.ts';
import type { AdmissionRequest, Registry, RequestContext } from '../registry/contract.ts';
import { defaultPluginSettings } from './configuration/settings.ts';
import { choosePlugins, defaultPlugins, makePlugins } from './plugins.ts';

const deps = {
  registry: (): Registry => {
    throw new Error('plugins may not use the registry before a request comes');
  },
  clock: new FakeClock(),
  authorizer: firstOpinion([]),
  settings: defaultPluginSettings,
};

describe('the chain', () => {
  test('has its order from upstream, whatever order is asked for', () => {
    const made = makePlugins(['Priority', 'ServiceAccount', 'NamespaceLifecycle'], deps);
    expect(made.map(({ name }) => name)).toEqual(['NamespaceLifecycle', 'ServiceAccount', 'Priority']);
  });

  test('names every plugin as the list does', () => {
    const all = [...defaultPlugins];
    for (const { name } of makePlugins(all, deps)) expect(all).toContain(name);
  });

  test.each(['CREATE', 'UPDATE'] as const)('lets nobody wait for what does not concern a plugin: %s', (operation) => {
    const object = { kind: 'ClusterRole', apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'x' } };
    const previous = operation === 'UPDATE' ? object : undefined;
    const context = { namespace: '', subresource: '', user: { name: 'admin', groups: [] } } as unknown as RequestContext;
    const request: AdmissionRequest = { kind: clusterRole as unknown as KindDefinition, operation, name: 'x', context, object, previous };
    for (const { name, mutate, validate } of makePlugins([...defaultPlugins, 'NodeRestriction'], deps)) {
      expect([name, mutate?.(request), validate?.(request)]).toEqual([name, undefined, undefined]);
    }
  });

  test('is what is on by default, with and without', () => {
    expect(choosePlugins([], [])).toEqual(defaultPlugins);
    expect(choosePlugins(['Priority'], [])).toEqual(defaultPlugins);
    expect(choosePlugins([], ['Priority', 'AlwaysDeny'])).toEqual(defaultPlugins.filter((name) => name !== 'Priority'));
  });

  test.each<[string[], string[], string]>([
    [['Nonsense'], [], 'enable-admission-plugins plugin "Nonsense" is unknown'],
    [[], ['Nonsense'], 'disable-admission-plugins plugin "Nonsense" is unknown'],
    [['toString'], [], 'enable-admission-plugins plugin "toString" is unknown'],
    [
      ['Priority', 'LimitRanger'],
      ['Priority', 'LimitRanger'],
      '[LimitRanger Priority] in enable-admission-plugins and disable-admission-plugins overlapped',
    ],
    [['ImagePolicyWebhook'], [], 'enable-admission-plugins plugin "ImagePolicyWebhook" is not supported yet'],
  ])('refuses %j and %j', (enabled, disabled, message) => {
    expect(() => choosePlugins(enabled, disabled)).toThrow(message);
  });
});
