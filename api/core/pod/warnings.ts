// What a client should know about a pod that is fine otherwise (pkg/api/pod/warnings.go).
import type { V1Affinity, V1Container, V1EphemeralContainer, V1ObjectMeta, V1PodAffinity, V1PodSpec } from '#api/generated/types.ts';
import { ipWarnings } from '../../meta/ip.ts';
import { dnsLabelProblems } from '../../meta/names.ts';
import { Warnings } from '../../meta/warnings.ts';
import { oldLabelText, preferenceWarnings, selectorTermWarnings } from '../node/labels.ts';
import { appArmorPrefix, isAppArmorProfile } from './annotations.ts';
import { checkContainer, checkFraction, checkPorts } from './container-warnings.ts';
import type { Pod } from './pod.ts';
import { checkPaths, checkVolume } from './volume-warnings.ts';

const requiredField = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredField = 'preferredDuringSchedulingIgnoredDuringExecution';
const nullSelector = 'a null labelSelector results in matching no pod';
const seccompField = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const oldAnnotations = Object.entries({
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
});

type AnyContainer = V1Container | V1EphemeralContainer;

/** Warnings for a new pod; updates have none. */
export function podWarnings({ metadata, spec }: Pod, prev: Pod | undefined): string[] {
  if (prev !== undefined) return [];
  const problems = dnsLabelProblems(metadata.name ?? '');
  const warnings = podSpecWarnings(spec, 'spec', metadata);
  if (problems.length === 0) return warnings;
  const text = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: ${text}: [${problems.join(' ')}]`, ...warnings];
}

/** Warnings for kubelets. */
export function podStatusWarnings({ status: { podIPs = [], hostIPs = [] } = {} }: Pod): string[] {
  return [
    ...podIPs.flatMap(({ ip }, at) => ipWarnings(`status.podIPs[${at}].ip`, ip)),
    ...hostIPs.flatMap(({ ip }, at) => ipWarnings(`status.hostIPs[${at}].ip`, ip)),
  ];
}

/** Warnings about a spec, also in templates, with the metadata that goes with it. `path` ends in `spec`. */
export function podSpecWarnings(spec: V1PodSpec, path: string, { annotations }: V1ObjectMeta = {}): string[] {
  return Warnings.of(path, spec, checkSpec, annotations);
}

type Annotations = Readonly<Record<string, string>> | undefined;

function checkSpec(spec: V1PodSpec, at: Warnings, annotations: Annotations): void {
  const { overhead, terminationGracePeriodSeconds = 0 } = spec;
  checkPlacement(spec, at);
  for (const [key, text] of oldAnnotations) {
    if (annotations?.[key] !== undefined) warnOfAnnotation(key, text, at);
  }
  at.each('volumes', spec.volumes, checkVolume);
  for (const volume of spec.volumes ?? []) checkPaths(volume, at);
  checkAliasesAndSecrets(spec, at);
  for (const name of ['memory', 'ephemeral-storage']) at.member(`overhead[${name}]`, overhead?.[name], checkFraction);
  if (annotations !== undefined && Object.keys(annotations).some(isAboutSecurity)) checkSecurity(spec, at, annotations);
  at.each('initContainers', spec.initContainers, checkContainer);
  at.each('containers', spec.containers, checkContainer);
  at.each('ephemeralContainers', spec.ephemeralContainers, checkContainer);
  checkPorts(spec, at);
  if (terminationGracePeriodSeconds < 0) {
    at.warn('terminationGracePeriodSeconds', 'must be >= 0; negative values are invalid and will be treated as 1');
  }
  at.member('affinity', spec.affinity, checkAffinity);
  checkAddresses(spec, at);
}

/** Addresses in an unusual form. */
function checkAddresses({ dnsConfig, hostAliases }: V1PodSpec, at: Warnings): void {
  dnsConfig?.nameservers?.forEach((ip, index) => at.addAll(ipWarnings(at.path(`dnsConfig.nameservers[${index}]`), ip)));
  hostAliases?.forEach(({ ip }, index) => at.addAll(ipWarnings(at.path(`hostAliases[${index}].ip`), ip)));
}

/** Annotations belong to the metadata beside the spec. */
function warnOfAnnotation(key: string, text: string, at: Warnings): void {
  at.addAll([`${at.path().slice(0, -'spec'.length)}metadata.annotations[${key}]: ${text}`]);
}

/** Old names of nodes' labels, and spreading over no pods. */
function checkPlacement({ nodeSelector, affinity, topologySpreadConstraints }: V1PodSpec, at: Warnings): void {
  at.entries('nodeSelector', nodeSelector, (_value, own, _context, key) => {
    const text = oldLabelText(key);
    if (text !== undefined) own.warn('', text);
  });
  at.member('affinity', affinity, ({ nodeAffinity }) => at.member('nodeAffinity', nodeAffinity, checkNodeAffinity));
  at.each('topologySpreadConstraints', topologySpreadConstraints, ({ topologyKey, labelSelector }, own) => {
    const text = oldLabelText(topologyKey);
    if (text !== undefined) own.warn('topologyKey', `${topologyKey} is ${text}`);
    if (labelSelector === undefined) own.warn('labelSelector', nullSelector);
  });
}

function checkNodeAffinity(affinity: NonNullable<V1Affinity['nodeAffinity']>, at: Warnings): void {
  affinity[requiredField]?.nodeSelectorTerms.forEach((term, index) => {
    at.addAll(selectorTermWarnings(term, at.path(`${requiredField}.nodeSelectorTerms[${index}]`)));
  });
  affinity[preferredField]?.forEach(({ preference }, index) => {
    at.addAll(preferenceWarnings(preference, at.path(`${preferredField}[${index}].preference`)));
  });
}

function checkAliasesAndSecrets({ hostAliases, imagePullSecrets }: V1PodSpec, at: Warnings): void {
  if (hostAliases !== undefined) {
    const ips = hostAliases.map(({ ip }) => ip);
    for (const index of repeated(ips)) at.warn(`hostAliases[${index}].ip`, `duplicate ip ${JSON.stringify(ips[index])}`);
  }
  if (imagePullSecrets === undefined) return;
  const names = imagePullSecrets.map(({ name = '' }) => name);
  for (const index of repeated(names)) at.warn(`imagePullSecrets[${index}].name`, `duplicate name ${JSON.stringify(names[index])}`);
  at.each('imagePullSecrets', imagePullSecrets, ({ name = '' }, own) => {
    if (name === '') own.warn('name', 'invalid empty name ""');
  });
}

function repeated(values: readonly string[]): number[] {
  return values.flatMap((value, at) => (values.indexOf(value) < at ? [at] : []));
}

const seccompKey = 'seccomp.security.alpha.kubernetes.io/';

function isAboutSecurity(key: string): boolean {
  return key.startsWith(seccompKey) || key.startsWith(`container.${seccompKey}`) || key.startsWith(appArmorPrefix);
}

/** Annotations that fields have replaced. */
function checkSecurity(spec: V1PodSpec, at: Warnings, annotations: NonNullable<Annotations>): void {
  const isTemplate = at.path() !== 'spec';
  const warn = (key: string, text: string): void => {
    if (annotations[key] !== undefined) warnOfAnnotation(key, text, at);
  };
  if (spec.securityContext?.seccompProfile === undefined) warn(`${seccompKey}pod`, seccompField);
  const containers: AnyContainer[] = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
  for (const { name, securityContext } of containers) {
    if (securityContext?.seccompProfile === undefined) warn(`container.${seccompKey}${name}`, seccompField);
    const key = `${appArmorPrefix}${name}`;
    const own = securityContext?.appArmorProfile;
    // Pods have the profiles of their annotations by now: theirs says the same as the annotation.
    const isOld = isTemplate ? (own ?? spec.securityContext?.appArmorProfile) === undefined : isAppArmorProfile(own, annotations[key]);
    if (isOld) warn(key, 'deprecated since v1.30; use the "appArmorProfile" field instead');
  }
}

function checkAffinity({ podAffinity, podAntiAffinity }: V1Affinity, at: Warnings): void {
  at.member('podAffinity', podAffinity, checkTerms);
  at.member('podAntiAffinity', podAntiAffinity, checkTerms);
}

function checkTerms(affinity: V1PodAffinity, at: Warnings): void {
  at.each(requiredField, affinity[requiredField], ({ labelSelector }, own) => {
    if (labelSelector === undefined) own.warn('labelSelector', nullSelector);
  });
  at.each(preferredField, affinity[preferredField], ({ podAffinityTerm }, own) => {
    if (podAffinityTerm.labelSelector === undefined) own.warn('podAffinityTerm.labelSelector', nullSelector);
  });
}
