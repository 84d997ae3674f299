// Which way leads to the pods of other nodes. Nodes on this host's own networks are gateways themselves; packets to others go through VXLAN,
// where each node's tunnel end has an address and a hardware address that follow from the node's own, so that no exchange is needed.
export interface OtherNode {
  readonly name: string;
  /** Where this host reaches it; IPv4. */
  readonly address: string;
  readonly podCidrs: readonly string[];
}

export interface OwnHost {
  readonly address: string;
  readonly podCidr: string | undefined;
  /** Networks that this host is plugged into: `192.168.77.0/24`, with the interface. */
  readonly networks: readonly { readonly network: string; readonly device: string }[];
}

/** `auto` takes VXLAN only where there is no direct way. */
export type RouteMode = 'auto' | 'direct' | 'vxlan';

export interface Route {
  readonly cidr: string;
  readonly via: string;
  /** Undefined for what the kernel finds itself. */
  readonly tunnel: boolean;
}

export interface TunnelPeer {
  /** Address of the other tunnel end: the first of its pods' network. */
  readonly vtep: string;
  readonly mac: string;
  /** The node that the packets are sent to. */
  readonly node: string;
}

export interface RoutePlan {
  readonly routes: readonly Route[];
  readonly peers: readonly TunnelPeer[];
  /** Nodes that no way leads to, with the reason. */
  readonly unreachable: readonly string[];
}

/** What this host's tables should say. */
export function planRoutes(own: OwnHost, nodes: readonly OtherNode[], mode: RouteMode): RoutePlan {
  const routes: Route[] = [];
  const peers: TunnelPeer[] = [];
  const unreachable: string[] = [];
  for (const { name, address, podCidrs } of [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const cidrs = podCidrs.filter((cidr) => isAddress4(baseOf(cidr)));
    if (cidrs.length === 0 || address === own.address || !isAddress4(address)) continue;
    const isNear = mode !== 'vxlan' && own.networks.some(({ network }) => contains(network, address));
    if (isNear) {
      routes.push(...cidrs.map((cidr) => ({ cidr, via: address, tunnel: false })));
      continue;
    }
    if (mode === 'direct' || own.podCidr === undefined) {
      unreachable.push(
        `${name} (${address}): ${mode === 'direct' ? 'it is on none of the networks of this host' : 'this node has no pod network yet'}`,
      );
      continue;
    }
    const vtep = baseOf(cidrs[0] ?? '');
    peers.push({ vtep, mac: macOf(address), node: address });
    routes.push(...cidrs.map((cidr) => ({ cidr, via: vtep, tunnel: true })));
  }
  return { routes, peers, unreachable };
}

/** The hardware address of a node's tunnel end: locally administered, and different for different addresses. */
export function macOf(address: string): string {
  return ['0e', '58', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');
}

/** `10.244.3.0/24` → `10.244.3.0` */
export function baseOf(cidr: string): string {
  return cidr.split('/')[0] ?? '';
}

function isAddress4(text: string): boolean {
  return /^\d+(\.\d+){3}$/.test(text);
}

function contains(network: string, address: string): boolean {
  const [base = '', bits = '32'] = network.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(base) / size) === Math.floor(numberOf(address) / size);
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
