/** The table that everything lives in; nothing else on the node uses the name. */
export const tableName = 'coxswain-proxy';

/** Packets that carry it leave with this node's address; the same bit as upstream's, which is free on a node of ours. */
const masqueradeMark = '0x4000';

/** The map and the chains that serve one way to name a front: by address, protocol and port, or by protocol and port of this node. */
export interface FrontFamily {
  readonly keyType: string;
  readonly keyExpression: string;
  readonly dispatchMap: string;
  readonly emptyMap: string;
  readonly firewallMap: string;
  readonly masqueradeAlways: string;
  readonly masqueradeOutside: string;
  readonly prefix: string;
}

const family = (prefix: string, keyType: string, keyExpression: string): FrontFamily => ({
  keyType,
  keyExpression,
  dispatchMap: `${prefix}_services`,
  emptyMap: `${prefix}_empty`,
  firewallMap: `${prefix}_firewall`,
  masqueradeAlways: `${prefix}_masquerade_always`,
  masqueradeOutside: `${prefix}_masquerade_outside`,
  prefix,
});

export const families = {
  address: family('address', 'ipv4_addr . inet_proto . inet_service', 'ip daddr . meta l4proto . th dport'),
  'node-port': family('port', 'inet_proto . inet_service', 'meta l4proto . th dport'),
} as const;

/**
 * Chains and empty maps. A packet costs one look-up in a dispatch map, one random number and one look-up in an endpoint map, however many
 * Services there are: chains exist per number of endpoints and per endpoint index, never per Service (affinity and source ranges excepted).
 */
export function skeleton(podCidrs: readonly string[]): string {
  const maps = Object.values(families).flatMap((one) => [
    `map ${one.dispatchMap} { type ${one.keyType} : verdict; }`,
    `map ${one.emptyMap} { type ${one.keyType} : verdict; }`,
    `map ${one.firewallMap} { type ${one.keyType} : verdict; }`,
    `set ${one.masqueradeAlways} { type ${one.keyType}; }`,
    `set ${one.masqueradeOutside} { type ${one.keyType}; }`,
  ]);
  const { address, 'node-port': port } = families;
  const toThisNode = 'fib daddr type local ip daddr != 127.0.0.0/8';
  const fromOutside = podCidrs.length === 0 ? 'fib saddr type != local' : `ip saddr != { ${podCidrs.join(', ')} } fib saddr type != local`;
  const mark = `meta mark set meta mark or ${masqueradeMark}`;
  return `add table ip ${tableName}
delete table ip ${tableName}
table ip ${tableName} {
  ${maps.join('\n  ')}
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain refuse { reject; }
  chain discard { drop; }
  chain mark_masquerade {
    ${address.keyExpression} @${address.masqueradeAlways} ${mark}
    ${fromOutside} ${address.keyExpression} @${address.masqueradeOutside} ${mark}
    ${toThisNode} ${port.keyExpression} @${port.masqueradeAlways} ${mark}
  }
  chain dispatch {
    jump mark_masquerade
    ${address.keyExpression} vmap @${address.dispatchMap}
    ${toThisNode} ${port.keyExpression} vmap @${port.dispatchMap}
  }
  chain without_endpoints {
    ${address.keyExpression} vmap @${address.emptyMap}
    ${toThisNode} ${port.keyExpression} vmap @${port.emptyMap}
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
    ct state new ${address.keyExpression} vmap @${address.firewallMap}
  }
  chain filter_input { type filter hook input priority filter; policy accept; ct state new jump without_endpoints; }
  chain filter_forward { type filter hook forward priority filter; policy accept; ct state new jump without_endpoints; }
  chain filter_output { type filter hook output priority filter; policy accept; ct state new jump without_endpoints; }
}
`;
}
