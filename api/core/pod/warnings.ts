// What a client should know about a pod that is fine otherwise (pkg/api/pod/warnings.go).
import type { V1PodSpec } from '#api/generated/types.ts';
import { dnsLabelProblems } from '../../meta/names.ts';
import { isWholeQuantity } from '../../meta/quantity.ts';
import { oldLabelText } from '../node/labels.ts';
import type { Pod } from './pod.ts';

/** Warnings for a new pod; updates have none. */
export function podWarnings(pod: Pod, prev: Pod | undefined): string[] {
  if (prev !== undefined) return [];
  const problems = dnsLabelProblems(pod.metadata.name ?? '');
  const text = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
  const names = problems.length === 0 ? [] : [`metadata.name: ${text}: [${problems.join(' ')}]`];
  return [...names, ...podSpecWarnings(pod.spec, 'spec')];
}

/** Warnings about a spec, also in templates. */
export function podSpecWarnings(spec: V1PodSpec, path: string): string[] {
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((key) => oldLabel(key, `${path}.nodeSelector[${key}]`)),
    ...(spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey }, at) =>
      oldLabel(topologyKey, `${path}.topologySpreadConstraints[${at}].topologyKey`),
    ),
    ...duplicates(
      spec.imagePullSecrets ?? [],
      ({ name }) => name ?? '',
      (at) => `${path}.imagePullSecrets[${at}]`,
      'invalid empty or duplicate name',
    ),
    ...volumeWarnings(spec, path),
    ...duplicates(
      spec.hostAliases ?? [],
      ({ ip }) => ip,
      (at) => `${path}.hostAliases[${at}].ip`,
      'another entry with the same IP',
    ),
    ...(['initContainers', 'containers'] as const).flatMap((list) => containerWarnings(spec, list, path)),
    ...(spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0
      ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
  ];
}

function oldLabel(key: string, path: string): string[] {
  const text = oldLabelText(key);
  return text === undefined ? [] : [`${path}: ${text}`];
}

function volumeWarnings({ volumes = [] }: V1PodSpec, path: string): string[] {
  return volumes.flatMap((volume, at) => {
    const own = `${path}.volumes[${at}]`;
    if (volume.gitRepo !== undefined) return [`${own}.gitRepo: deprecated in v1.11`];
    if (volume.scaleIO !== undefined) return [`${own}.scaleIO: deprecated in v1.16, non-functional in v1.22+`];
    if (volume.glusterfs !== undefined) return [`${own}.glusterfs: deprecated in v1.25, non-functional in v1.26+`];
    if (volume.cephfs !== undefined) return [`${own}.cephfs: deprecated in v1.28, non-functional in v1.31+`];
    if (volume.rbd !== undefined) return [`${own}.rbd: deprecated in v1.28, non-functional in v1.31+`];
    return [];
  });
}

function containerWarnings(spec: V1PodSpec, list: 'containers' | 'initContainers', path: string): string[] {
  return (spec[list] ?? []).flatMap((container, at) => {
    const own = `${path}.${list}[${at}]`;
    const warnings: string[] = [];
    for (const which of ['limits', 'requests'] as const) {
      for (const name of ['memory', 'ephemeral-storage']) {
        const amount = container.resources?.[which]?.[name];
        if (amount !== undefined && !isWholeQuantity(amount)) {
          warnings.push(
            `${own}.resources.${which}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`,
          );
        }
      }
    }
    const seen = new Set<string>();
    container.env?.forEach(({ name }, index) => {
      if (seen.has(name)) {
        warnings.push(`${own}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`);
      }
      seen.add(name);
    });
    return [...warnings, ...portWarnings(container.ports ?? [], own)];
  });
}

function portWarnings(ports: NonNullable<V1PodSpec['containers'][number]['ports']>, path: string): string[] {
  const first = new Map<string, number>();
  return ports.flatMap(({ protocol, containerPort, hostPort, hostIP }, at) => {
    const key = `${protocol}/${containerPort}/${hostPort ?? 0}/${hostIP ?? ''}`;
    const before = first.get(key);
    if (before === undefined) first.set(key, at);
    return before === undefined ? [] : [`${path}.ports[${at}]: duplicate port definition with ${path}.ports[${before}]`];
  });
}

function duplicates<Item>(items: readonly Item[], keyOf: (item: Item) => string, pathOf: (at: number) => string, text: string): string[] {
  const seen = new Set<string>();
  return items.flatMap((item, at) => {
    const key = keyOf(item);
    const isRepeated = seen.has(key) || key === '';
    seen.add(key);
    return isRepeated ? [`${pathOf(at)}: ${text} ${JSON.stringify(key)}`] : [];
  });
}
