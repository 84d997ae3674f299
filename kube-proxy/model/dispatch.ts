/** Where connections to one front go. The whole wish of the proxy is a set of these, each front once. */
export interface Dispatch {
  /** A Service address, or a port of every address of this node. */
  readonly at: 'address' | 'node-port';
  /** Whose connections: everybody's, or only those of pods and of this node itself, which then go before everybody's. */
  readonly clients: 'all' | 'inside';
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** IPv4; '' for node ports. */
  readonly address: string;
  readonly port: number;
  readonly endpoints: readonly EndpointAddress[];
  /** ClientIP affinity: how long a client sticks to its endpoint, in seconds. */
  readonly affinitySeconds: number | undefined;
  /** Whose source address is replaced by this node's: nobody's, this node's own (it may be one of its others), that of clients outside the
   * pod network, everybody's. */
  readonly masquerade: 'never' | 'from-node' | 'outside-pods' | 'always';
  /** What happens to connections when there is no endpoint. */
  readonly whenEmpty: 'reject' | 'drop';
  /** True for addresses that exist only as a Service: what is sent to another port of theirs is refused. */
  readonly isVirtual: boolean;
  /** Client networks that may connect, none inside another; empty means all. */
  readonly sourceRanges: readonly string[];
}

export interface EndpointAddress {
  readonly ip: string;
  readonly port: number;
}

/** Names a front: two dispatches with one front exclude each other. */
export function frontOf(dispatch: Pick<Dispatch, 'at' | 'clients' | 'protocol' | 'address' | 'port'>): string {
  return dispatch.clients === 'all' ? placeOf(dispatch) : `${dispatch.clients} ${placeOf(dispatch)}`;
}

/** What packets to a front have in common: `10.96.0.5 . tcp . 80`, or `tcp . 30080` for a node port. */
export function placeOf({ at, protocol, address, port }: Pick<Dispatch, 'at' | 'protocol' | 'address' | 'port'>): string {
  return at === 'address' ? `${address} . ${protocol} . ${port}` : `${protocol} . ${port}`;
}

/** True when both ask for the same; the order of endpoints does not count. */
export function sameDispatch(a: Dispatch, b: Dispatch): boolean {
  return a === b || (a.endpoints.length === b.endpoints.length && dispatchText(a) === dispatchText(b));
}

function dispatchText(dispatch: Dispatch): string {
  const endpoints = dispatch.endpoints.map(({ ip, port }) => `${ip}:${port}`).toSorted((x, y) => (x < y ? -1 : 1));
  return JSON.stringify({ ...dispatch, endpoints });
}
