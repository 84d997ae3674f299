// What a node leaves to a cloud controller manager (`--cloud-provider=external`): it comes with a taint that keeps pods away until its
// machine is known, says which address it was given, and takes the addresses from its status (upstream's nodestatus.NodeAddress).
import type { V1NodeAddress, V1Taint } from '#api/generated/types.ts';

/** Taken away by the cloud controller manager. */
export const uninitializedTaint: V1Taint = { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' };
/** Publishes `--node-ip` to the cloud controller manager. */
export const providedIpAnnotation = 'alpha.kubernetes.io/provided-node-ip';

export interface CloudSettings {
  readonly isExternal: boolean;
  /** Whether `--node-ip` says the node's addresses. */
  readonly hasGivenIps: boolean;
  /** `--provider-id`; '' leaves it to the cloud controller manager. */
  readonly providerId: string;
}

/** @param known what the Node says now. */
export function nodeAddresses(
  { isExternal, hasGivenIps }: CloudSettings,
  own: { readonly name: string; readonly ips: readonly string[] },
  known: readonly V1NodeAddress[],
): readonly V1NodeAddress[] {
  if (isExternal && known.length > 0) return known;
  const ips = isExternal && !hasGivenIps ? [] : own.ips;
  return [...ips.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: own.name }];
}

/** What the annotation should say; undefined for no annotation. */
export function providedIp({ isExternal, hasGivenIps }: CloudSettings, ips: readonly string[]): string | undefined {
  return isExternal && hasGivenIps ? ips.join(',') : undefined;
}
