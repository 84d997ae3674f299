// Profiles of seccomp, AppArmor and SELinux.
import type { V1ObjectMeta, V1PodSpec, V1SELinuxOptions } from '#api/generated/types.ts';
import {
  type Check,
  type CheckPod,
  containersOf,
  offendersBy,
  plural,
  quoted,
  settersText,
  sortedSet,
  unlessWindows,
  type Violation,
  containersText,
} from './check.ts';

const seccompAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainerAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';
const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';

const isConfined = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost';

export const seccompProfileBaseline: Check = {
  id: 'seccompProfile_baseline',
  level: 'baseline',
  versions: [
    { since: 0, check: checkSeccompAnnotations },
    { since: 19, check: checkSeccompTypes },
  ],
};

/** Before there was a field. */
function checkSeccompAnnotations(spec: V1PodSpec, { annotations = {} }: V1ObjectMeta): Violation | undefined {
  const keys = [seccompAnnotation, ...containersOf(spec).map(({ name }) => `${seccompContainerAnnotation}${name}`)];
  const bad = sortedSet(
    keys.flatMap((key) => {
      const value = annotations[key];
      const isAllowed = value === undefined || value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');
      return isAllowed ? [] : [`${key}=${JSON.stringify(value)}`];
    }),
  );
  if (bad.length === 0) return undefined;
  return { reason: 'seccompProfile', detail: `forbidden ${plural(bad.length, 'annotation', 'annotations')} ${bad.join(', ')}` };
}

function checkSeccompTypes(spec: V1PodSpec): Violation | undefined {
  const ofPod = spec.securityContext?.seccompProfile;
  const isBadPod = ofPod !== undefined && !isConfined(ofPod.type);
  const bad = offendersBy(spec, (context) => context?.seccompProfile !== undefined && !isConfined(context.seccompProfile.type));
  const who = settersText(isBadPod, bad);
  if (who === '') return undefined;
  const types = [ofPod, ...containersOf(spec).map(({ securityContext }) => securityContext?.seccompProfile)]
    .map((profile) => profile?.type)
    .filter((type): type is string => type !== undefined && !isConfined(type));
  return { reason: 'seccompProfile', detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(sortedSet(types))}` };
}

const checkSeccompIsSet: CheckPod = (spec) => {
  const bad = checkSeccompTypes(spec);
  if (bad !== undefined || spec.securityContext?.seccompProfile !== undefined) return bad;
  const without = offendersBy(spec, (context) => context?.seccompProfile === undefined);
  if (without.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containersText(without)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

export const seccompProfileRestricted: Check = {
  id: 'seccompProfile_restricted',
  level: 'restricted',
  versions: [
    { since: 19, check: checkSeccompIsSet, replaces: [seccompProfileBaseline.id] },
    { since: 25, check: unlessWindows(checkSeccompIsSet), replaces: [seccompProfileBaseline.id] },
  ],
};

export const appArmorProfile: Check = {
  id: 'appArmorProfile',
  level: 'baseline',
  versions: [{ since: 0, check: checkAppArmor }],
};

function checkAppArmor(spec: V1PodSpec, { annotations = {} }: V1ObjectMeta): Violation | undefined {
  const ofPod = spec.securityContext?.appArmorProfile;
  const isBadPod = ofPod !== undefined && !isConfined(ofPod.type);
  const bad = offendersBy(spec, (context) => context?.appArmorProfile !== undefined && !isConfined(context.appArmorProfile.type));
  const types = [ofPod, ...containersOf(spec).map(({ securityContext }) => securityContext?.appArmorProfile)]
    .map((profile) => profile?.type)
    .filter((type): type is string => type !== undefined && !isConfined(type));
  const marks = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(appArmorAnnotation) && !isAllowedAnnotation(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const who = [settersText(isBadPod, bad), ...(marks.length > 0 ? [plural(marks.length, 'annotation', 'annotations')] : [])];
  const setters = who.filter((one) => one !== '').join(' and ');
  if (setters === '') return undefined;
  const values = [...sortedSet(types), ...marks];
  return {
    reason: plural(values.length, 'forbidden AppArmor profile', 'forbidden AppArmor profiles'),
    detail: `${setters} must not set AppArmor profile type to ${quoted(values)}`,
  };
}

function isAllowedAnnotation(profile: string): boolean {
  return profile === '' || profile === 'runtime/default' || profile.startsWith('localhost/');
}

const seLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

export const seLinuxOptions: Check = {
  id: 'seLinuxOptions',
  level: 'baseline',
  versions: [
    { since: 0, check: (spec) => checkSeLinux(spec, seLinuxTypes) },
    { since: 31, check: (spec) => checkSeLinux(spec, [...seLinuxTypes, 'container_engine_t']) },
  ],
};

function checkSeLinux(spec: V1PodSpec, allowed: readonly string[]): Violation | undefined {
  const isBad = (options: V1SELinuxOptions | undefined): boolean =>
    options !== undefined && (!allowed.includes(options.type ?? '') || (options.user ?? '') !== '' || (options.role ?? '') !== '');
  const ofPod = spec.securityContext?.seLinuxOptions;
  const who = settersText(
    isBad(ofPod),
    offendersBy(spec, (context) => isBad(context?.seLinuxOptions)),
  );
  if (who === '') return undefined;
  const all = [ofPod, ...containersOf(spec).map(({ securityContext }) => securityContext?.seLinuxOptions)];
  const types = sortedSet(all.map((options) => options?.type ?? '').filter((type) => !allowed.includes(type)));
  const details = types.length === 0 ? [] : [`${plural(types.length, 'type', 'types')} ${quoted(types)}`];
  if (all.some((options) => (options?.user ?? '') !== '')) details.push('user may not be set');
  if (all.some((options) => (options?.role ?? '') !== '')) details.push('role may not be set');
  return { reason: 'seLinuxOptions', detail: `${who} set forbidden securityContext.seLinuxOptions: ${details.join('; ')}` };
}
