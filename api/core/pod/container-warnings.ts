// Warnings about what containers ask for, their variables and their ports.
import type { V1Container, V1ContainerPort, V1EnvVar, V1EphemeralContainer, V1PodSpec } from '#api/generated/types.ts';
import { goQuote } from '../../meta/go-form.ts';
import { isWholeQuantity } from '../../meta/quantity.ts';
import type { Warnings } from '../../meta/warnings.ts';

/** One container; its ports are judged with those of the others. */
export function checkContainer({ resources, env }: V1Container | V1EphemeralContainer, at: Warnings): void {
  for (const name of ['memory', 'ephemeral-storage']) {
    at.member(`resources.limits[${name}]`, resources?.limits?.[name], checkFraction);
    at.member(`resources.requests[${name}]`, resources?.requests?.[name], checkFraction);
  }
  at.each('env', env, checkVariable, new Set());
}

/** Bytes are whole. */
export function checkFraction(amount: string, at: Warnings): void {
  if (!isWholeQuantity(amount)) at.warn('', `fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`);
}

/** A variable may be set anew from what it was, but not otherwise. */
function checkVariable({ name, value = '', valueFrom }: V1EnvVar, at: Warnings, seen: Set<string>): void {
  const isRepeated = seen.has(name);
  if (!isRepeated) seen.add(name);
  const before = isRepeated ? `$(${name})` : '';
  if (!isRepeated || (valueFrom === undefined && value !== before && value.includes(before))) return;
  at.warn('', `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`);
}

interface PlacedPort {
  readonly field: string;
  readonly port: V1ContainerPort;
}

const portLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Ports of all containers together, since they share an address. */
export function checkPorts(spec: V1PodSpec, at: Warnings): void {
  const known = new Map<string, PlacedPort[]>();
  for (const list of portLists) {
    at.each(list, spec[list], ({ ports }: V1Container | V1EphemeralContainer, own) => own.each('ports', ports, checkPort, known));
  }
  const names = new Map<string, string>();
  for (const list of portLists) {
    at.each(list, spec[list], ({ ports }: V1Container | V1EphemeralContainer, own) => own.each('ports', ports, checkPortName, names));
  }
}

/** Services and probes find the first port of a name. */
function checkPortName({ name = '' }: V1ContainerPort, at: Warnings, names: Map<string, string>): void {
  if (name === '') return;
  const first = names.get(name);
  if (first === undefined) names.set(name, at.path());
  else {
    const effect = `services and probes that select ports by name will use ${first}`;
    at.warn('', `duplicate port name ${goQuote(name)} with ${first}, ${effect}`);
  }
}

function checkPort(port: V1ContainerPort, at: Warnings, known: Map<string, PlacedPort[]>): void {
  const { name = '', containerPort, protocol = '', hostIP, hostPort } = port;
  if (hostIP && !hostPort) {
    const shown = `{Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
    at.warn('', `hostIP set without hostPort: ${shown}`);
  }
  const field = at.path();
  const key = `${containerPort}/${protocol}`;
  const others = known.get(key);
  if (others === undefined) known.set(key, [{ field, port }]);
  else {
    // Every two of them may clash, which may be millions in a hostile object.
    for (const other of others) {
      if (at.isFull) break;
      at.addAll(clashWarning(port, field, other));
    }
    others.push({ field, port });
  }
}

function clashWarning({ hostIP = '', hostPort = 0 }: V1ContainerPort, field: string, { field: otherField, port }: PlacedPort): string[] {
  const { hostIP: otherIp = '', hostPort: otherPort = 0 } = port;
  if (hostIP === otherIp && hostPort === otherPort) return [`${field}: duplicate port definition with ${otherField}`];
  if (hostPort === 0 || otherPort === 0) return [`${field}: overlapping port definition with ${otherField}`];
  const isAmbiguous = hostPort === otherPort && (hostIP === '') !== (otherIp === '');
  return isAmbiguous ? [`${field}: dangerously ambiguous port definition with ${otherField}`] : [];
}
