// Privileged containers, capabilities, and gaining more than one started with.
import type { V1PodSpec } from '#api/generated/types.ts';
import {
  type Check,
  type CheckPod,
  containersOf,
  containersText,
  offendersBy,
  quoted,
  settersText,
  sortedSet,
  unlessWindows,
  type Violation,
} from './check.ts';

export const privileged: Check = {
  id: 'privileged',
  level: 'baseline',
  versions: [
    {
      since: 0,
      check: (spec) => {
        const names = offendersBy(spec, (context) => context?.privileged === true);
        if (names.length === 0) return undefined;
        return { reason: 'privileged', detail: `${containersText(names)} must not set securityContext.privileged=true` };
      },
    },
  ],
};

export const windowsHostProcess: Check = {
  id: 'windowsHostProcess',
  level: 'baseline',
  versions: [
    {
      since: 0,
      check: (spec) => {
        const names = offendersBy(spec, (context) => context?.windowsOptions?.hostProcess === true);
        const who = settersText(spec.securityContext?.windowsOptions?.hostProcess === true, names);
        if (who === '') return undefined;
        return { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
      },
    },
  ],
};

const checkEscalation: CheckPod = (spec) => {
  const names = offendersBy(spec, (context) => context?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

export const allowPrivilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  level: 'restricted',
  versions: [
    { since: 8, check: checkEscalation },
    { since: 25, check: unlessWindows(checkEscalation) },
  ],
};

/** What container runtimes give anyway. */
const defaultCapabilities: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

export const capabilitiesBaseline: Check = {
  id: 'capabilities_baseline',
  level: 'baseline',
  versions: [
    {
      since: 0,
      check: (spec) => {
        const detail = addedText(spec, (capability) => defaultCapabilities.has(capability));
        return detail === undefined ? undefined : { reason: 'non-default capabilities', detail };
      },
    },
  ],
};

export const capabilitiesRestricted: Check = {
  id: 'capabilities_restricted',
  level: 'restricted',
  versions: [
    { since: 22, check: checkRestrictedCapabilities, replaces: [capabilitiesBaseline.id] },
    { since: 25, check: unlessWindows(checkRestrictedCapabilities), replaces: [capabilitiesBaseline.id] },
  ],
};

function checkRestrictedCapabilities(spec: V1PodSpec): Violation | undefined {
  const keeping = offendersBy(spec, (context) => context?.capabilities?.drop?.includes('ALL') !== true);
  const details = keeping.length === 0 ? [] : [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`];
  const added = addedText(spec, (capability) => capability === 'NET_BIND_SERVICE');
  if (added !== undefined) details.push(added);
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

/** Says which containers add capabilities that they may not. */
function addedText(spec: V1PodSpec, mayAdd: (capability: string) => boolean): string | undefined {
  const added = containersOf(spec).map(({ name, securityContext }) => ({
    name,
    forbidden: (securityContext?.capabilities?.add ?? []).filter((capability) => !mayAdd(capability)),
  }));
  const bad = added.filter(({ forbidden }) => forbidden.length > 0);
  if (bad.length === 0) return undefined;
  const capabilities = sortedSet(bad.flatMap(({ forbidden }) => forbidden));
  const who = containersText(bad.map(({ name }) => name));
  return `${who} must not include ${quoted(capabilities)} in securityContext.capabilities.add`;
}
