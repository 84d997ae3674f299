import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1PodSecurityContext, V1SecurityContext } from '#api/generated/types.ts';
import { containerIdentity } from './identity.ts';

const accounts = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/:\nbob:x:1001:50::/:\n',
  group: 'root:x:0:\nstaff:x:50:\nextra:x:50000:alice,carol\nwheel:x:10:root\n',
};

test.each<
  [name: string, imageUser: string, own: V1SecurityContext, shared: V1PodSecurityContext, answer: [number, number, number[]] | undefined]
>([
  ['root by default, with its memberships', '', {}, {}, [0, 0, [0, 10]]],
  ['a name of the image', 'alice', {}, {}, [1000, 1000, [1000, 50_000]]],
  ['a number of the image', '1001', {}, {}, [1001, 50, [50]]],
  ['a number that has no account', '4711', {}, {}, [4711, 0, [0]]],
  ['user and group of the image', 'alice:staff', {}, {}, [1000, 50, [50, 50_000]]],
  ['a name that has no account', 'dave', {}, {}, undefined],
  ['a group that is not there', 'alice:nobody', {}, {}, undefined],
  ['the pod’s user in place of the image’s, group and all', 'bob:staff', {}, { runAsUser: 1000 }, [1000, 1000, [1000, 50_000]]],
  ['the container’s before the pod’s', '', { runAsUser: 1001, runAsGroup: 7 }, { runAsUser: 1000, runAsGroup: 8 }, [1001, 7, [7]]],
  ['memberships stay beside a group that is asked for', '', {}, { runAsUser: 1000, runAsGroup: 3000 }, [1000, 3000, [3000, 50_000]]],
  [
    'merged',
    '',
    {},
    { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000], fsGroup: 5000, supplementalGroupsPolicy: 'Merge' },
    [1000, 3000, [3000, 4000, 5000, 50_000]],
  ],
  [
    'strict',
    '',
    {},
    { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000], fsGroup: 5000, supplementalGroupsPolicy: 'Strict' },
    [1000, 3000, [3000, 4000, 5000]],
  ],
  ['strict, with the group of the account', 'bob', {}, { supplementalGroupsPolicy: 'Strict' }, [1001, 50, [50]]],
])('%s', (_, imageUser, own, shared, answer) => {
  const container = { name: 'c', securityContext: own };
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [container], securityContext: shared } };
  const [user, group, supplementalGroups] = answer ?? [];
  expect(containerIdentity(pod, container, imageUser, accounts)).toEqual(answer && { user, group, supplementalGroups });
});
