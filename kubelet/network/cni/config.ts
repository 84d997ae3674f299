// Which chain of CNI plugins makes pods' networks: what the administrator configured, else a bridge of our own. Pure.
import type { PortMapping } from '../../runtime/contract.ts';

interface CniPlugin {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly [field: string]: unknown;
}

/** A network configuration list. */
export interface CniChain {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly CniPlugin[];
}

interface OwnChainOptions {
  readonly podCidrs: readonly string[];
  /** Where host-local keeps its leases. */
  readonly leaseFolder: string;
  readonly mtu?: number;
}

const ownNetworkName = 'coxswain';
export const ownBridge = 'coxswain0';

/** Our own chain: a bridge with one gateway address, leases by host-local, host ports by portmap. Masquerading is a rule of ours. */
export function ownChain({ podCidrs, leaseFolder, mtu }: OwnChainOptions): CniChain {
  const bridge: CniPlugin = {
    type: 'bridge',
    bridge: ownBridge,
    isDefaultGateway: true,
    // A bridge that an earlier cluster left behind may have another range's address.
    forceAddress: true,
    hairpinMode: true,
    ipMasq: false,
    ...(mtu === undefined ? {} : { mtu }),
    ipam: { type: 'host-local', dataDir: leaseFolder, ranges: podCidrs.map((subnet) => [{ subnet }]) },
  };
  const portmap: CniPlugin = { type: 'portmap', capabilities: { portMappings: true }, snat: true };
  return { cniVersion: '0.4.0', name: ownNetworkName, plugins: [bridge, portmap] };
}

/** Chains that other container engines keep for themselves in the same folder. */
const foreign = /podman|nerdctl|buildkit|lima/;

/** The file that counts: the first by name, as in upstream; undefined when ours is to be used. */
export function chooseFile(names: readonly string[]): string | undefined {
  return names.filter((name) => /\.(conflist|conf|json)$/.test(name) && !foreign.test(name)).sort()[0];
}

/** Reads a configuration (list). Throws a plain Error that says what is wrong with it. */
export function parseChain(text: string): CniChain {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error('not a JSON object');
  const { name, cniVersion = '0.1.0', plugins } = value;
  if (typeof name !== 'string' || name === '') throw new Error('no name');
  if (typeof cniVersion !== 'string') throw new Error('cniVersion is not a string');
  if (plugins === undefined) {
    if (typeof value.type !== 'string') throw new Error('no type');
    return { name, cniVersion, plugins: [{ ...value, type: value.type }] };
  }
  if (!Array.isArray(plugins) || plugins.length === 0) throw new Error('no plugins');
  const list = plugins.map((plugin: unknown, at): CniPlugin => {
    if (!isRecord(plugin) || typeof plugin.type !== 'string') throw new Error(`plugin ${at} has no type`);
    return { ...plugin, type: plugin.type };
  });
  return { name, cniVersion, plugins: list };
}

/** Plugins of a chain that have work to do: portmap costs 40 ms of iptables even when there is nothing to map. */
export function neededPlugins(chain: CniChain, portMappings: readonly PortMapping[]): readonly CniPlugin[] {
  return chain.plugins.filter((plugin) => plugin.type !== 'portmap' || portMappings.length > 0 || chain.name !== ownNetworkName);
}

/** What one plugin reads on its standard input. */
export function pluginInput(chain: CniChain, plugin: CniPlugin, portMappings: readonly PortMapping[], previous: unknown): object {
  const { capabilities, ...rest } = plugin;
  const wantsPorts = capabilities?.portMappings === true && portMappings.length > 0;
  const mappings = portMappings.map(({ protocol, containerPort, hostPort, hostIp }) => ({
    hostPort,
    containerPort,
    protocol: protocol.toLowerCase(),
    ...(hostIp === undefined || hostIp === '' ? {} : { hostIP: hostIp }),
  }));
  return {
    ...rest,
    ...(capabilities === undefined ? {} : { capabilities }),
    name: chain.name,
    cniVersion: chain.cniVersion,
    ...(wantsPorts ? { runtimeConfig: { portMappings: mappings } } : {}),
    ...(previous === undefined ? {} : { prevResult: previous }),
  };
}

/** Addresses in the result of a chain, without their prefix lengths. */
export function addressesOf(result: unknown): readonly string[] {
  if (!isRecord(result)) return [];
  const lists = Array.isArray(result.ips) ? result.ips : [result.ip4, result.ip6];
  return lists.flatMap((entry: unknown) => {
    const address = isRecord(entry) ? (entry.address ?? entry.ip) : undefined;
    return typeof address === 'string' ? [address.split('/')[0] ?? ''] : [];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
