// What a client should know about a pod that is fine otherwise (pkg/api/pod/warnings.go).
import type { V1Affinity, V1ObjectMeta, V1PodAffinityTerm, V1PodSpec } from '#api/generated/types.ts';
import { dnsLabelProblems } from '../../meta/names.ts';
import { oldLabelText, selectorTermWarnings } from '../node/labels.ts';
import { containerWarnings, fractionWarning, portWarnings } from './container-warnings.ts';
import type { Pod } from './pod.ts';
import { pathWarnings, volumeWarnings } from './volume-warnings.ts';

const requiredField = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredField = 'preferredDuringSchedulingIgnoredDuringExecution';
const nullSelector = 'a null labelSelector results in matching no pod';
const seccompField = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const oldAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

type Annotations = Readonly<Record<string, string>>;

/** Warnings for a new pod; updates have none. */
export function podWarnings({ metadata, spec }: Pod, prev: Pod | undefined): string[] {
  if (prev !== undefined) return [];
  const problems = dnsLabelProblems(metadata.name ?? '');
  const text = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
  const names = problems.length === 0 ? [] : [`metadata.name: ${text}: [${problems.join(' ')}]`];
  return [...names, ...podSpecWarnings(spec, 'spec', metadata)];
}

/** Warnings about a spec, also in templates, with the metadata that goes with it. `path` ends in `spec`. */
export function podSpecWarnings(spec: V1PodSpec, path: string, metadata: V1ObjectMeta = {}): string[] {
  const isTemplate = path !== 'spec';
  const { annotations = {} } = metadata;
  const annotationAt = (key: string): string => `${path.slice(0, -'spec'.length)}metadata.annotations[${key}]`;
  return [
    ...placementWarnings(spec, path),
    ...Object.entries(oldAnnotations).flatMap(([key, text]) => (annotations[key] === undefined ? [] : [`${annotationAt(key)}: ${text}`])),
    ...volumeWarnings(spec.volumes ?? [], path),
    ...pathWarnings(spec.volumes ?? []),
    ...aliasAndSecretWarnings(spec, path),
    ...['memory', 'ephemeral-storage'].flatMap((name) => fractionWarning(spec.overhead?.[name], `${path}.overhead[${name}]`)),
    ...securityWarnings(spec, annotations, isTemplate, annotationAt),
    ...(['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
      (spec[list] ?? []).flatMap((container, at) => containerWarnings(container, `${path}.${list}[${at}]`)),
    ),
    ...portWarnings(spec, path),
    ...(spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0
      ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(spec.affinity ?? {}, `${path}.affinity`),
  ];
}

/** Old names of nodes' labels, and spreading over no pods. */
function placementWarnings({ nodeSelector = {}, affinity, topologySpreadConstraints = [] }: V1PodSpec, path: string): string[] {
  const warnings = Object.keys(nodeSelector).flatMap((key) => {
    const text = oldLabelText(key);
    return text === undefined ? [] : [`${path}.nodeSelector[${key}]: ${text}`];
  });
  const own = `${path}.affinity.nodeAffinity`;
  affinity?.nodeAffinity?.[requiredField]?.nodeSelectorTerms.forEach((term, at) => {
    warnings.push(...selectorTermWarnings(term, `${own}.${requiredField}.nodeSelectorTerms[${at}]`));
  });
  affinity?.nodeAffinity?.[preferredField]?.forEach(({ preference }, at) => {
    warnings.push(...selectorTermWarnings(preference, `${own}.${preferredField}[${at}].preference`));
  });
  topologySpreadConstraints.forEach(({ topologyKey, labelSelector }, at) => {
    const constraint = `${path}.topologySpreadConstraints[${at}]`;
    const text = oldLabelText(topologyKey);
    if (text !== undefined) warnings.push(`${constraint}.topologyKey: ${topologyKey} is ${text}`);
    if (labelSelector === undefined) warnings.push(`${constraint}.labelSelector: ${nullSelector}`);
  });
  return warnings;
}

function aliasAndSecretWarnings({ hostAliases = [], imagePullSecrets = [] }: V1PodSpec, path: string): string[] {
  const repeated = (values: readonly string[]): number[] => values.flatMap((value, at) => (values.indexOf(value) < at ? [at] : []));
  const ips = hostAliases.map(({ ip }) => ip);
  const names = imagePullSecrets.map(({ name = '' }) => name);
  return [
    ...repeated(ips).map((at) => `${path}.hostAliases[${at}].ip: duplicate ip ${JSON.stringify(ips[at])}`),
    ...repeated(names).map((at) => `${path}.imagePullSecrets[${at}].name: duplicate name ${JSON.stringify(names[at])}`),
    ...names.flatMap((name, at) => (name === '' ? [`${path}.imagePullSecrets[${at}].name: invalid empty name ""`] : [])),
  ];
}

/** Annotations that fields have replaced. */
function securityWarnings(spec: V1PodSpec, annotations: Annotations, isTemplate: boolean, annotationAt: (key: string) => string): string[] {
  const warnings: string[] = [];
  const podKey = 'seccomp.security.alpha.kubernetes.io/pod';
  if (spec.securityContext?.seccompProfile === undefined && annotations[podKey] !== undefined) {
    warnings.push(`${annotationAt(podKey)}: ${seccompField}`);
  }
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
  for (const { name, securityContext } of containers) {
    const seccompKey = `container.seccomp.security.alpha.kubernetes.io/${name}`;
    if (securityContext?.seccompProfile === undefined && annotations[seccompKey] !== undefined) {
      warnings.push(`${annotationAt(seccompKey)}: ${seccompField}`);
    }
    const appArmorKey = `container.apparmor.security.beta.kubernetes.io/${name}`;
    const hasProfile = (securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile) !== undefined;
    if (isTemplate && !hasProfile && annotations[appArmorKey] !== undefined) {
      warnings.push(`${annotationAt(appArmorKey)}: deprecated since v1.30; use the "appArmorProfile" field instead`);
    }
  }
  return warnings;
}

function affinityWarnings({ podAffinity, podAntiAffinity }: V1Affinity, path: string): string[] {
  const warn = (term: V1PodAffinityTerm, own: string): string[] =>
    term.labelSelector === undefined ? [`${own}.labelSelector: ${nullSelector}`] : [];
  return Object.entries({ podAffinity, podAntiAffinity }).flatMap(([name, affinity]) => [
    ...(affinity?.[requiredField] ?? []).flatMap((term, at) => warn(term, `${path}.${name}.${requiredField}[${at}]`)),
    ...(affinity?.[preferredField] ?? []).flatMap(({ podAffinityTerm }, at) =>
      warn(podAffinityTerm, `${path}.${name}.${preferredField}[${at}].podAffinityTerm`),
    ),
  ]);
}
