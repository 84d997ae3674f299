// Who the first process of a container is: user, group and further groups, as numbers. Pure. The rules are those of upstream's runtimes; the
// container engine alone would forget the image's memberships as soon as a group is asked for, and knows no strict policy.
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import type { Accounts } from '../images/image-accounts.ts';
import type { ProcessIdentity } from '../runtime/contract.ts';

/** Undefined where a name is in no account: the engine then says so in its own words. */
export function containerIdentity(pod: Pod, container: V1Container, imageUser: string, accounts: Accounts): ProcessIdentity | undefined {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const askedUser = own.runAsUser ?? shared.runAsUser;
  const [imageAccount = '', imageGroup = ''] = askedUser === undefined ? imageUser.split(':') : [String(askedUser)];
  const wanted = imageAccount === '' ? '0' : imageAccount;
  const account = entries(accounts.passwd).find(([name, , uid]) => name === wanted || uid === wanted);
  const user = numberOf(wanted) ?? numberOf(account?.[2]);
  if (user === undefined) return undefined;
  const groups = entries(accounts.group);
  const asked = own.runAsGroup ?? shared.runAsGroup ?? (imageGroup === '' ? undefined : groupNumber(imageGroup, groups));
  if (asked === undefined && imageGroup !== '') return undefined;
  const group = asked ?? numberOf(account?.[3]) ?? 0;
  const isStrict = shared.supplementalGroupsPolicy === 'Strict';
  const memberships = isStrict || account === undefined ? [] : membershipsOf(account[0] ?? '', groups);
  const further = [...memberships, ...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  return { user, group, supplementalGroups: [...new Set([group, ...further])].toSorted((a, b) => a - b) };
}

function entries(text: string): string[][] {
  return text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(':')]));
}

function membershipsOf(name: string, groups: readonly string[][]): number[] {
  return groups.filter(([, , , members = '']) => members.split(',').includes(name)).flatMap(([, , gid]) => numberOf(gid) ?? []);
}

function groupNumber(wanted: string, groups: readonly string[][]): number | undefined {
  return numberOf(wanted) ?? numberOf(groups.find(([name]) => name === wanted)?.[2]);
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
