/** Where connections to a front (address, protocol and port) are forwarded. The proxy's desired state is a set of these, one per front. */
export interface Dispatch {
  /** A Service address, or a port of every address of this node. */
  readonly at: 'address' | 'node-port';
  /** Which clients it applies to: all, or only pods and this node itself, which takes precedence. */
  readonly clients: 'all' | 'inside';
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** IPv4; '' for node ports. */
  readonly address: string;
  readonly port: number;
  readonly endpoints: readonly EndpointAddress[];
  /** ClientIP affinity: how long a client sticks to its endpoint, in seconds. */
  readonly affinitySeconds: number | undefined;
  /** Which connections are masqueraded: none, those of this node (which may use another of its addresses), those from outside of the pod
   * network, all. */
  readonly masquerade: 'never' | 'from-node' | 'outside-pods' | 'always';
  /** Verdict for connections when there is no endpoint. */
  readonly whenEmpty: 'reject' | 'drop';
  /** True for addresses that no interface holds, such as cluster IPs: traffic to their other ports is rejected. */
  readonly isVirtual: boolean;
  /** Allowed client networks (CIDRs), none contained in another; empty: all. */
  readonly sourceRanges: readonly string[];
}

export interface EndpointAddress {
  readonly ip: string;
  readonly port: number;
}

/** Identifies the front of a dispatch; at most one dispatch per front can be in force. */
export function frontOf(dispatch: Pick<Dispatch, 'at' | 'clients' | 'protocol' | 'address' | 'port'>): string {
  return dispatch.clients === 'all' ? placeOf(dispatch) : `${dispatch.clients} ${placeOf(dispatch)}`;
}

/** The key of a front in nftables: `10.96.0.5 . tcp . 80`, or `tcp . 30080` for a node port. */
export function placeOf({ at, protocol, address, port }: Pick<Dispatch, 'at' | 'protocol' | 'address' | 'port'>): string {
  return at === 'address' ? `${address} . ${protocol} . ${port}` : `${protocol} . ${port}`;
}

/** True when both are equal; the order of endpoints does not matter. */
export function sameDispatch(a: Dispatch, b: Dispatch): boolean {
  return a === b || (a.endpoints.length === b.endpoints.length && dispatchText(a) === dispatchText(b));
}

function dispatchText(dispatch: Dispatch): string {
  const endpoints = dispatch.endpoints.map(({ ip, port }) => `${ip}:${port}`).toSorted((x, y) => (x < y ? -1 : 1));
  return JSON.stringify({ ...dispatch, endpoints });
}
