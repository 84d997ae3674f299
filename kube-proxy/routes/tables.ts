// The kernel's side: what its tables say now, and the commands that make them say what is planned. Only what carries our mark is ours.
import type { Route, RoutePlan, TunnelPeer } from './plan.ts';

export const tunnelDevice = 'coxswain.vxlan';
/** Marks our routes (`ip route … proto`); numbers above 16 are for whoever wants one. */
export const routeMark = '87';
const tunnelId = 1;
/** The port of IANA, which upstream's flannel does not use: both may run. */
const tunnelPort = 4_789;
const tunnelMtu = 1_450;

interface KernelTables {
  readonly routes: readonly Route[];
  readonly peers: readonly TunnelPeer[];
}

/** Reads `ip -j route show proto …`, `ip -j neigh show dev …` and `bridge -j fdb show dev …`. */
export function tablesFrom(texts: { readonly routes: string; readonly neighbours: string; readonly forwarding: string }): KernelTables {
  const list = <T>(text: string): readonly T[] => (text.trim() === '' ? [] : (JSON.parse(text) as T[]));
  const routes = list<{ dst: string; gateway?: string; dev: string }>(texts.routes).map(
    ({ dst, gateway = '', dev }): Route => ({ cidr: dst.includes('/') ? dst : `${dst}/32`, via: gateway, tunnel: dev === tunnelDevice }),
  );
  const nodes = new Map(list<{ mac: string; dst?: string }>(texts.forwarding).map(({ mac, dst = '' }) => [mac, dst]));
  const peers = list<{ dst: string; lladdr?: string }>(texts.neighbours).flatMap(({ dst, lladdr = '' }): TunnelPeer[] => {
    const node = nodes.get(lladdr);
    return node === undefined || node === '' ? [] : [{ vtep: dst, mac: lladdr, node }];
  });
  return { routes, peers };
}

interface Commands {
  /** Lines for `ip -batch -`. */
  readonly ip: readonly string[];
  /** Lines for `bridge -batch -`. */
  readonly bridge: readonly string[];
}

/** What leads from the tables as they are to the plan; peers come before the routes that need them, and go after. */
export function commandsFor({ routes, peers }: RoutePlan, now: KernelTables): Commands {
  const text = (value: object): string => JSON.stringify(value);
  const missing = <T extends object>(wanted: readonly T[], there: readonly T[]): readonly T[] =>
    wanted.filter((one) => !there.some((other) => text(one) === text(other)));
  const newPeers = missing(peers, now.peers);
  const goneRoutes = now.routes.filter(({ cidr }) => !routes.some((route) => route.cidr === cidr));
  const gonePeers = now.peers.filter(({ vtep }) => !peers.some((peer) => peer.vtep === vtep));
  return {
    ip: [
      ...newPeers.map(({ vtep, mac }) => `neigh replace ${vtep} lladdr ${mac} dev ${tunnelDevice} nud permanent`),
      ...missing(routes, now.routes).map(({ cidr, via, tunnel }) =>
        tunnel
          ? `route replace ${cidr} via ${via} dev ${tunnelDevice} onlink proto ${routeMark}`
          : `route replace ${cidr} via ${via} proto ${routeMark}`,
      ),
      ...goneRoutes.map(({ cidr }) => `route del ${cidr} proto ${routeMark}`),
      ...gonePeers.map(({ vtep }) => `neigh del ${vtep} dev ${tunnelDevice}`),
    ],
    bridge: [
      ...newPeers.map(({ mac, node }) => `fdb replace ${mac} dev ${tunnelDevice} dst ${node} self permanent`),
      ...gonePeers
        .filter(({ mac }) => !peers.some((peer) => peer.mac === mac))
        .map(({ mac, node }) => `fdb del ${mac} dev ${tunnelDevice} dst ${node} self`),
    ],
  };
}

/** Makes this host's tunnel end, for `ip -batch -`. It learns nothing: all it needs to know is written into its tables. */
export function tunnelCommands(own: { readonly address: string; readonly mac: string; readonly vtep: string }): readonly string[] {
  return [
    `link add ${tunnelDevice} address ${own.mac} mtu ${tunnelMtu} type vxlan id ${tunnelId} local ${own.address} dstport ${tunnelPort} nolearning`,
    `addr replace ${own.vtep}/32 dev ${tunnelDevice}`,
    `link set ${tunnelDevice} up`,
  ];
}
