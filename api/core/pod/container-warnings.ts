// Warnings about what containers ask for, their variables and their ports.
import type { V1Container, V1ContainerPort, V1EnvVar, V1EphemeralContainer, V1PodSpec } from '#api/generated/types.ts';
import { isWholeQuantity } from '../../meta/quantity.ts';

/** Warnings about one container; its ports are judged with those of the others. */
export function containerWarnings({ resources, env = [] }: V1Container | V1EphemeralContainer, path: string): string[] {
  const amounts = ['memory', 'ephemeral-storage'].flatMap((name) =>
    (['limits', 'requests'] as const).flatMap((which) =>
      fractionWarning(resources?.[which]?.[name], `${path}.resources.${which}[${name}]`),
    ),
  );
  return [...amounts, ...variableWarnings(env, path)];
}

/** Bytes are whole. */
export function fractionWarning(amount: string | undefined, field: string): string[] {
  if (amount === undefined || isWholeQuantity(amount)) return [];
  return [`${field}: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`];
}

/** A variable may be set anew from what it was, but not otherwise. */
function variableWarnings(env: readonly V1EnvVar[], path: string): string[] {
  const seen = new Set<string>();
  return env.flatMap(({ name, value = '', valueFrom }, at) => {
    const isRepeated = seen.has(name);
    seen.add(name);
    const before = `$(${name})`;
    if (!isRepeated || (valueFrom === undefined && value !== before && value.includes(before))) return [];
    return [`${path}.env[${at}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`];
  });
}

interface PlacedPort {
  readonly field: string;
  readonly port: V1ContainerPort;
}

/** Ports of all containers together, since they share an address. */
export function portWarnings(spec: V1PodSpec, path: string): string[] {
  const known = new Map<string, PlacedPort[]>();
  const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const;
  return lists.flatMap((list) =>
    (spec[list] ?? []).flatMap(({ ports = [] }, at) =>
      ports.flatMap((port, index) => {
        const field = `${path}.${list}[${at}].ports[${index}]`;
        const key = `${port.containerPort}/${port.protocol ?? ''}`;
        const others = known.get(key) ?? [];
        known.set(key, [...others, { field, port }]);
        const shown = `{Name:${port.name ?? ''} HostPort:0 ContainerPort:${port.containerPort} Protocol:${port.protocol ?? ''} HostIP:${port.hostIP}}`;
        const lonely = port.hostIP && !port.hostPort ? [`${field}: hostIP set without hostPort: ${shown}`] : [];
        return [...lonely, ...others.flatMap((other) => clashWarning(port, field, other))];
      }),
    ),
  );
}

function clashWarning({ hostIP = '', hostPort = 0 }: V1ContainerPort, field: string, { field: otherField, port }: PlacedPort): string[] {
  const { hostIP: otherIp = '', hostPort: otherPort = 0 } = port;
  if (hostIP === otherIp && hostPort === otherPort) return [`${field}: duplicate port definition with ${otherField}`];
  if (hostPort === 0 || otherPort === 0) return [`${field}: overlapping port definition with ${otherField}`];
  const isAmbiguous = hostPort === otherPort && (hostIP === '') !== (otherIp === '');
  return isAmbiguous ? [`${field}: dangerously ambiguous port definition with ${otherField}`] : [];
}
