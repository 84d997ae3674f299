// What a Node object says of its machine (upstream's cloud-provider/controllers/node).
import type { Node } from '#api/core/node/node.ts';
import type { V1NodeAddress, V1Taint } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { type Machine, providedIpAnnotation } from '../cloud/contract.ts';

export const uninitializedTaint = 'node.cloudprovider.kubernetes.io/uninitialized';

/** Labels of old and what they are called now: the old one says what is right, as upstream has it. */
const labelPairs = [
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type'],
] as const;

export interface NodePlan {
  /** What the status should say; undefined leaves it as it is. */
  readonly addresses: readonly V1NodeAddress[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly providerId: string | undefined;
  /** The taints that stay; undefined leaves them as they are. */
  readonly taints: readonly V1Taint[] | undefined;
}

export function isUninitialized({ spec }: Node): boolean {
  return spec?.taints?.some(({ key }) => key === uninitializedTaint) === true;
}

/** Labels that an initialised node lacks, by those that it has. */
export function planLabels({ metadata: { labels = {} } }: Node): Readonly<Record<string, string>> {
  const pairs = labelPairs.flatMap(([old, now]) => {
    const value = labels[old];
    return value === undefined || value === labels[now] ? [] : [[now, value] as const];
  });
  return Object.fromEntries(pairs);
}

/** All that differs between a node and its machine. Throws where the node was given an address that the machine has not. */
export function planNode(node: Node, machine: Machine): NodePlan {
  const { spec, metadata } = node;
  const isNew = isUninitialized(node);
  const { instanceType, zone, region } = machine;
  const values = [zone, region, instanceType];
  const own = labelPairs.flatMap((keys, at) => (isNew && values[at] !== '' ? keys.map((key) => [key, values[at] ?? ''] as const) : []));
  const labels = Object.entries({ ...planLabels(node), ...Object.fromEntries(own), ...machine.labels });
  return {
    addresses: planAddresses(node, machine),
    labels: Object.fromEntries(labels.filter(([key, value]) => metadata.labels?.[key] !== value)),
    providerId: isNew && (spec?.providerID ?? '') === '' ? machine.providerId : undefined,
    taints: isNew ? (spec?.taints ?? []).filter(({ key }) => key !== uninitializedTaint) : undefined,
  };
}

function planAddresses(node: Node, { addresses }: Machine): readonly V1NodeAddress[] | undefined {
  if (addresses.length === 0) return undefined;
  const known = node.status?.addresses ?? [];
  const names = addresses.some(({ type }) => type === 'Hostname') ? [] : known.filter(({ type }) => type === 'Hostname');
  const given = node.metadata.annotations?.[providedIpAnnotation];
  const wanted = given === undefined ? [...addresses, ...names] : preferred([...addresses, ...names], given.split(','), node);
  return equalValues(wanted, known) ? undefined : wanted;
}

/** The given addresses first, and of their types no others. */
function preferred(addresses: readonly V1NodeAddress[], given: readonly string[], { metadata }: Node): readonly V1NodeAddress[] {
  const chosen = given.flatMap((ip) => {
    const matching = addresses.filter(({ address }) => address === ip.trim());
    if (matching.length > 0) return matching;
    throw new Error(
      `provided node ip for node ${JSON.stringify(metadata.name)} is not valid: failed to get node address from cloud provider that matches ip: ${ip}`,
    );
  });
  return [...chosen, ...addresses.filter((one) => !chosen.some(({ type }) => type === one.type))];
}
