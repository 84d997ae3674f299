// What pods see and change of the kernel: /proc, sysctls, and kinds of volumes.
import type { V1PodSpec, V1Volume } from '#api/generated/types.ts';
import {
  type Check,
  type CheckPod,
  containersOf,
  containersText,
  plural,
  quoted,
  sortedSet,
  unlessUserNamespace,
  type Violation,
} from './check.ts';
import { hostPathVolumes } from './host-checks.ts';

export const procMount: Check = {
  id: 'procMount',
  level: 'baseline',
  versions: [
    { since: 0, check: checkProcMount },
    { since: 35, check: unlessUserNamespace(checkProcMount) },
  ],
};

/** Restricted pods may not see an unmasked /proc in a user namespace either. */
export const procMountRestricted: Check = {
  id: 'procMount_restricted',
  level: 'restricted',
  versions: [{ since: 35, check: checkProcMount, replaces: [procMount.id] }],
};

function checkProcMount(spec: V1PodSpec): Violation | undefined {
  const mounts = containersOf(spec).map(({ name, securityContext }) => ({ name, type: securityContext?.procMount ?? 'Default' }));
  const bad = mounts.filter(({ type }) => type !== 'Default');
  if (bad.length === 0) return undefined;
  const who = containersText(bad.map(({ name }) => name));
  const types = quoted(sortedSet(bad.map(({ type }) => type)));
  return { reason: 'procMount', detail: `${who} must not set securityContext.procMount to ${types}` };
}

const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const safeSysctls27 = [...safeSysctls, 'net.ipv4.ip_local_reserved_ports'];
const safeSysctls29 = [
  ...safeSysctls27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const safeSysctls32 = [...safeSysctls29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

export const sysctls: Check = {
  id: 'sysctls',
  level: 'baseline',
  versions: [
    { since: 0, check: onlySysctls(safeSysctls) },
    { since: 27, check: onlySysctls(safeSysctls27) },
    { since: 29, check: onlySysctls(safeSysctls29) },
    { since: 32, check: onlySysctls(safeSysctls32) },
  ],
};

function onlySysctls(allowed: readonly string[]): CheckPod {
  return ({ securityContext }) => {
    const bad = (securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
  };
}

const allowedSources: readonly (keyof V1Volume)[] = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
/** In the order in which upstream looks for them. */
const restrictedSources: readonly (keyof V1Volume)[] = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
];

export const restrictedVolumes: Check = {
  id: 'restrictedVolumes',
  level: 'restricted',
  versions: [{ since: 0, check: checkVolumes, replaces: [hostPathVolumes.id] }],
};

function checkVolumes({ volumes = [] }: V1PodSpec): Violation | undefined {
  const bad = volumes.filter((volume) => !allowedSources.some((source) => volume[source] !== undefined));
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map((volume) => restrictedSources.find((source) => volume[source] !== undefined) ?? 'unknown'));
  const who = `${plural(bad.length, 'volume', 'volumes')} ${quoted(bad.map(({ name }) => name))} ${plural(bad.length, 'uses', 'use')}`;
  const what = plural(types.length, 'restricted volume type', 'restricted volume types');
  return { reason: 'restricted volume types', detail: `${who} ${what} ${quoted(types)}` };
}
