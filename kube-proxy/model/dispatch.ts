/** Where connections to one front go. The whole wish of the proxy is a set of these, each front once. */
export interface Dispatch {
  /** A Service address, or a port of every address of this node. */
  readonly at: 'address' | 'node-port';
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** IPv4; '' for node ports. */
  readonly address: string;
  readonly port: number;
  readonly endpoints: readonly EndpointAddress[];
  /** ClientIP affinity: how long a client sticks to its endpoint, in seconds. */
  readonly affinitySeconds: number | undefined;
  /** Whose source address is replaced by this node's: nobody's, that of clients outside the pod network, everybody's. */
  readonly masquerade: 'never' | 'outside-pods' | 'always';
  /** What happens to connections when there is no endpoint. */
  readonly whenEmpty: 'reject' | 'drop';
  /** Client networks that may connect; empty means all. */
  readonly sourceRanges: readonly string[];
}

export interface EndpointAddress {
  readonly ip: string;
  readonly port: number;
}

/** Names a front: two dispatches with one front exclude each other. */
export function frontOf({ at, protocol, address, port }: Pick<Dispatch, 'at' | 'protocol' | 'address' | 'port'>): string {
  return at === 'address' ? `${address} . ${protocol} . ${port}` : `${protocol} . ${port}`;
}

/** True when both ask for the same; the order of endpoints does not count. */
export function sameDispatch(a: Dispatch, b: Dispatch): boolean {
  return dispatchText(a) === dispatchText(b);
}

function dispatchText(dispatch: Dispatch): string {
  const endpoints = dispatch.endpoints.map(({ ip, port }) => `${ip}:${port}`).toSorted((x, y) => (x < y ? -1 : 1));
  return JSON.stringify({ ...dispatch, endpoints });
}
