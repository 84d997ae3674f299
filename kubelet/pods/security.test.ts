import { describe, expect, test } from 'vitest';
import type { V1PodSecurityContext, V1SecurityContext } from '#api/generated/types.ts';
import { containerSecurity } from './security.ts';
import { aContainer, aPod } from './testing.ts';

function security(own: V1SecurityContext, shared: V1PodSecurityContext = {}, imageUser = '', seccompJson?: string): object {
  const container = aContainer('c', { securityContext: own });
  return containerSecurity(aPod({ securityContext: shared, containers: [container] }), container, { imageUser, seccompJson });
}

describe('containerSecurity', () => {
  test.each<[name: string, own: V1SecurityContext, shared: V1PodSecurityContext, expected: object]>([
    ['nothing', {}, {}, {}],
    ['own before shared', { runAsUser: 1 }, { runAsUser: 2, runAsGroup: 3 }, { user: 1, group: 3 }],
    ['groups', {}, { supplementalGroups: [4, 5], fsGroup: 6 }, { supplementalGroups: [4, 5, 6] }],
    [
      'capabilities',
      { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } },
      {},
      { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] },
    ],
    ['privileged', { privileged: true }, {}, { privileged: true }],
    ['no escalation', { allowPrivilegeEscalation: false }, {}, { noNewPrivileges: true }],
    ['escalation', { allowPrivilegeEscalation: true }, {}, {}],
    ['read-only', { readOnlyRootFilesystem: true }, {}, { readOnlyRootFilesystem: true }],
    ['unmasked', { procMount: 'Unmasked' }, {}, { procMount: 'unmasked' }],
    ['seccomp of the pod', {}, { seccompProfile: { type: 'RuntimeDefault' } }, { seccomp: 'runtime-default' }],
    ['own seccomp', { seccompProfile: { type: 'Unconfined' } }, { seccompProfile: { type: 'RuntimeDefault' } }, { seccomp: 'unconfined' }],
    ['non-root by number', { runAsNonRoot: true, runAsUser: 7 }, {}, { user: 7 }],
  ])('%s', (_, own, shared, expected) => expect(security(own, shared)).toEqual(expected));

  test('a profile of the node', () => {
    const own = { seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } };
    expect(security(own, {}, '', '{}')).toEqual({ seccomp: { profileJson: '{}' } });
    expect(() => security(own)).toThrow('cannot load seccomp profile "a.json"');
  });

  test('non-root by the image', () => expect(security({ runAsNonRoot: true }, {}, '1000:1000')).toEqual({}));

  test.each([
    ['', 'container has runAsNonRoot and image will run as root (pod: "p_ns(u)", container: c)'],
    ['0', 'image will run as root'],
    ['nobody', 'image has non-numeric user (nobody), cannot verify user is non-root'],
  ])('not by the image user %j', (user, message) => expect(() => security({ runAsNonRoot: true }, {}, user)).toThrow(message));

  test('root where that is forbidden', () => {
    expect(() => security({ runAsUser: 0 }, { runAsNonRoot: true })).toThrow("container's runAsUser breaks non-root policy");
  });

  test('gives those that name no profile the engine’s, where the node says so', () => {
    const inputs = { imageUser: '', seccompJson: undefined, seccompDefault: true };
    const bare = { name: 'c', image: 'i' };
    const free = { ...bare, securityContext: { seccompProfile: { type: 'Unconfined' } } };
    expect(containerSecurity(aPod({}), bare, inputs)).toEqual({ seccomp: 'runtime-default' });
    expect(containerSecurity(aPod({}), free, inputs)).toEqual({ seccomp: 'unconfined' });
  });
});
