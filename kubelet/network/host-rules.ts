// What the host's kernel must do for a pod network of our own: forward, show bridged packets to the rules of Services, masquerade what
// leaves the pod network, and let pods through the policy that Docker puts on forwarding. All of it can be made twice.
import { readFile, writeFile } from 'node:fs/promises';
import type { Log } from '#base/log.ts';
import { RuntimeError } from '../runtime/contract.ts';
import { runCommand } from '#base/run-command.ts';

interface HostRulesDeps {
  readonly log: Log;
}

interface HostRulesOptions {
  /** All pods of the cluster: what stays inside is not masqueraded. Where absent, the node's own range counts. */
  readonly clusterCidrs?: readonly string[];
}

const rulesTable = 'coxswain-pods';
/** Docker asks this chain first, and leaves its content alone. */
const dockerChain = 'DOCKER-USER';

export class HostRules {
  readonly #log: Log;
  readonly #options: HostRulesOptions;

  constructor(deps: HostRulesDeps, options: HostRulesOptions = {}) {
    this.#log = deps.log;
    this.#options = options;
  }

  async apply(podCidrs: readonly string[], signal: AbortSignal): Promise<void> {
    const { clusterCidrs } = this.#options;
    const ranges = clusterCidrs === undefined || clusterCidrs.length === 0 ? podCidrs : clusterCidrs;
    await setSysctl('net/ipv4/ip_forward', '1');
    if (ranges.some(isV6)) await setSysctl('net/ipv6/conf/all/forwarding', '1');
    for (const tool of ['iptables', 'ip6tables']) {
      // Only there when the kernel has bridge netfilter; without it, Services do not work between pods of one node.
      await setSysctl(`net/bridge/bridge-nf-call-${tool}`, '1').catch((err: unknown) =>
        this.#log.warn({ err }, 'bridged packets cannot be shown to the rules of Services'),
      );
    }
    await runNft(masqueradeTable(ranges), signal);
    await Promise.all([
      this.#letThrough('iptables', ranges.filter(isV4), signal),
      this.#letThrough('ip6tables', ranges.filter(isV6), signal),
    ]);
  }

  async #letThrough(tool: string, ranges: readonly string[], signal: AbortSignal): Promise<void> {
    for (const range of ranges) {
      for (const direction of ['-s', '-d']) {
        const rule = acceptRule(direction, range);
        const { code } = await runCommand(tool, ['-w', '-C', dockerChain, ...rule], '', signal);
        // Without that chain (Docker without iptables, or none at all) traffic is not blocked.
        if (code !== 0) await runCommand(tool, ['-w', '-I', dockerChain, ...rule], '', signal);
      }
    }
  }
}

/** Takes the rules away again. Sysctls stay: others may rely on them. */
export async function removeHostRules(signal: AbortSignal): Promise<void> {
  await runCommand('nft', ['-f', '-'], `table inet ${rulesTable}\ndelete table inet ${rulesTable}\n`, signal);
  for (const tool of ['iptables', 'ip6tables']) {
    const { stdout } = await runCommand(tool, ['-w', '-S', dockerChain], '', signal);
    for (const line of stdout.split('\n')) {
      if (!line.startsWith(`-A ${dockerChain} `) || !line.includes(rulesTable)) continue;
      const words = line
        .slice('-A '.length)
        .split(' ')
        .map((word) => word.replaceAll('"', ''));
      await runCommand(tool, ['-w', '-D', ...words], '', signal);
    }
  }
}

/** One table, replaced as a whole in one transaction. */
export function masqueradeTable(ranges: readonly string[]): string {
  const rules = [
    ['ip', ranges.filter(isV4), '224.0.0.0/4'],
    ['ip6', ranges.filter(isV6), 'ff00::/8'],
  ] as const;
  const lines = rules.flatMap(([family, own, multicast]) => {
    const set = [...own, multicast].join(', ');
    return own.map((range) => `    ${family} saddr ${range} ${family} daddr != { ${set} } masquerade`);
  });
  return [
    `table inet ${rulesTable}`,
    `delete table inet ${rulesTable}`,
    `table inet ${rulesTable} {`,
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...lines,
    '  }',
    '}',
    '',
  ].join('\n');
}

function acceptRule(direction: string, range: string): string[] {
  return [direction, range, '-m', 'comment', '--comment', rulesTable, '-j', 'ACCEPT'];
}

async function runNft(script: string, signal: AbortSignal): Promise<void> {
  const { code, stderr } = await runCommand('nft', ['-f', '-'], script, signal);
  if (code !== 0) throw new RuntimeError('Network', `cannot make the rules of the pod network: nft: ${stderr.trim()}`);
}

async function setSysctl(name: string, value: string): Promise<void> {
  const path = `/proc/sys/${name}`;
  try {
    if ((await readFile(path, 'utf8')).trim() === value) return;
    await writeFile(path, value);
  } catch (cause) {
    throw new RuntimeError('Network', `cannot set ${name.replaceAll('/', '.')} to ${value}`, { cause });
  }
}

function isV6(cidr: string): boolean {
  return cidr.includes(':');
}

function isV4(cidr: string): boolean {
  return !isV6(cidr);
}
