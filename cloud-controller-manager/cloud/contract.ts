import type { Node } from '#api/core/node/node.ts';
import type { V1NodeAddress } from '#api/generated/types.ts';
import type { Pool } from '#client/load-balancer/plan.ts';

/** The value of the kubelet's `--node-ip`, separated by commas. */
export const providedIpAnnotation = 'alpha.kubernetes.io/provided-node-ip';

/** What a provider knows of the machine under a node. */
export interface Machine {
  readonly providerId: string;
  readonly state: 'running' | 'shut-down';
  readonly addresses: readonly V1NodeAddress[];
  /** '' where there is none. */
  readonly instanceType: string;
  readonly zone: string;
  readonly region: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A provider of machines and load balancers. One object serves all controllers at the same time. */
export interface Cloud {
  readonly name: string;
  /** The machine under a node: that of its providerID or, where it has none, of its name. Undefined where there is no such machine (any more). */
  findMachine(node: Node, signal: AbortSignal): Promise<Machine | undefined>;
  /** Addresses for load balancers; undefined where the provider has none to give. */
  readonly pool: (() => Pool) | undefined;
}
