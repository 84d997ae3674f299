import type { Dispatch } from '../../model/dispatch.ts';

/** The table that everything lives in; nothing else on the node uses the name. */
export const tableName = 'coxswain-proxy';

/** Packets that carry it leave with this node's address; the same bit as upstream's, which is free on a node of ours. */
const masqueradeMark = '0x4000';

/** The maps that serve one way to name a front: by address, protocol and port, or by protocol and port of this node. */
export interface FrontFamily {
  readonly keyType: string;
  readonly keyExpression: string;
  readonly dispatchMap: string;
  readonly emptyMap: string;
  readonly firewallMap: string;
  readonly prefix: string;
}

const family = (prefix: string, keyType: string, keyExpression: string): FrontFamily => ({
  keyType,
  keyExpression,
  dispatchMap: `${prefix}_services`,
  emptyMap: `${prefix}_empty`,
  firewallMap: `${prefix}_firewall`,
  prefix,
});

const byAddress = ['ipv4_addr . inet_proto . inet_service', 'ip daddr . meta l4proto . th dport'] as const;
const byPort = ['inet_proto . inet_service', 'meta l4proto . th dport'] as const;

const families = {
  all: { address: family('address', ...byAddress), 'node-port': family('port', ...byPort) },
  inside: { address: family('inside_address', ...byAddress), 'node-port': family('inside_port', ...byPort) },
} as const;
const everyFamily = Object.values(families).flatMap((one) => Object.values(one));

export function familyOf({ clients, at }: Pick<Dispatch, 'clients' | 'at'>): FrontFamily {
  return families[clients][at];
}

/** The set of fronts in a family whose clients are masqueraded so. */
export function masqueradeSet({ prefix }: FrontFamily, masquerade: Dispatch['masquerade']): string {
  return `${prefix}_masquerade_${masquerade.replace('-', '_')}`;
}

/** The set of addresses that exist only as a Service. */
export const virtualAddresses = 'virtual_addresses';

/**
 * Chains and empty maps. A packet costs one look-up in a dispatch map, one random number and one look-up in an endpoint map, however many
 * Services there are: chains exist per number of endpoints and per endpoint index, never per Service (affinity and source ranges excepted).
 */
export function skeleton(podCidrs: readonly string[]): string {
  const marks = masqueradeRules(podCidrs);
  const maps = everyFamily.flatMap((one) => [
    `map ${one.dispatchMap} { type ${one.keyType} : verdict; }`,
    `map ${one.emptyMap} { type ${one.keyType} : verdict; }`,
    `map ${one.firewallMap} { type ${one.keyType} : verdict; }`,
    ...(['from-node', 'outside-pods', 'always'] as const).map((kind) => `set ${masqueradeSet(one, kind)} { type ${one.keyType}; }`),
  ]);
  const { all, inside } = families;
  const toThisNode = 'fib daddr type local ip daddr != 127.0.0.0/8';
  const fromPods = podCidrs.length === 0 ? [] : [`ip saddr { ${podCidrs.join(', ')} } jump dispatch_inside`];
  const lookUp = (of: (typeof families)[keyof typeof families], map: 'dispatchMap' | 'emptyMap' | 'firewallMap'): string =>
    `${of.address.keyExpression} vmap @${of.address[map]}
    ${toThisNode} ${of['node-port'].keyExpression} vmap @${of['node-port'][map]}`;
  return `add table ip ${tableName}
delete table ip ${tableName}
table ip ${tableName} {
  ${maps.join('\n  ')}
  set hairpin { type ipv4_addr . ipv4_addr; }
  set ${virtualAddresses} { type ipv4_addr; }
  chain refuse {
    meta l4proto tcp reject with tcp reset comment "what leaves by the loopback gets no ICMP errors"
    reject
  }
  chain discard { drop; }
  chain mark_masquerade {
    ${marks.join('\n    ')}
  }
  chain dispatch_inside {
    ${lookUp(inside, 'dispatchMap')}
  }
  chain dispatch {
    jump mark_masquerade
    ${[...fromPods, 'fib saddr type local jump dispatch_inside'].join('\n    ')}
    ${lookUp(all, 'dispatchMap')}
  }
  chain without_endpoints {
    ${lookUp(all, 'emptyMap')}
    ip daddr @${virtualAddresses} goto refuse
  }
  chain firewall {
    ${lookUp(all, 'firewallMap')}
  }
  chain nat_prerouting { type nat hook prerouting priority dstnat; policy accept; jump dispatch; }
  chain nat_output { type nat hook output priority -100; policy accept; jump dispatch; }
  chain nat_postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark and ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark xor ${masqueradeMark} masquerade fully-random
    ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random
  }
  chain firewall_prerouting {
    type filter hook prerouting priority -110; policy accept;
    iif != "lo" ip saddr 127.0.0.0/8 drop comment "the loopback is nobody else's, whatever route_localnet says"
    iif != "lo" ip daddr 127.0.0.0/8 drop
    ct state new jump firewall
  }
  chain firewall_output { type filter hook output priority -110; policy accept; ct state new jump firewall; }
  chain filter_input { type filter hook input priority filter; policy accept; ct state new jump without_endpoints; }
  chain filter_forward {
    type filter hook forward priority filter; policy accept;
    ct state invalid drop comment "not translated back, it would end the connection it belongs to"
    ct state new jump without_endpoints
    oif "lo" goto refuse comment "routed to the range of Service addresses, and no Service has it"
  }
  chain filter_output {
    type filter hook output priority filter; policy accept;
    ct state new jump without_endpoints
    oif "lo" fib daddr type unicast ct state new ct status ! dnat goto refuse
  }
}
`;
}

/** Rules that mark packets whose source must become this node's. */
function masqueradeRules(podCidrs: readonly string[]): readonly string[] {
  const { all, inside } = families;
  const rule = (match: string, of: FrontFamily, kind: Dispatch['masquerade']): string =>
    `${match}${of.keyExpression} @${masqueradeSet(of, kind)} meta mark set meta mark or ${masqueradeMark}`;
  const toThisNode = 'fib daddr type local ip daddr != 127.0.0.0/8 ';
  return [
    rule('', all.address, 'always'),
    // Where the pod network is unknown, no client is outside of it.
    ...(podCidrs.length === 0 ? [] : [rule(`ip saddr != { ${podCidrs.join(', ')} } `, all.address, 'outside-pods')]),
    rule(toThisNode, all['node-port'], 'always'),
    rule('fib saddr type local ', inside.address, 'from-node'),
    rule(`fib saddr type local ${toThisNode}`, inside['node-port'], 'from-node'),
  ];
}
