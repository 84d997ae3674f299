// Keeps the ways to other nodes' pods. Wakes when a Node's addresses change and every minute, reads what the kernel has, writes what differs.
import type { Node } from '#api/core/node/node.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type CommandOutcome, runCommand } from '#base/run-command.ts';
import type { Informer } from '#client/informer.ts';
import { baseOf, macOf, type OtherNode, type OwnHost, planRoutes, type RouteMode, type RoutePlan } from './plan.ts';
import { commandsFor, routeMark, tablesFrom, tunnelCommands, tunnelDevice } from './tables.ts';

interface NodeRoutesDeps {
  readonly nodes: Pick<Informer<Node>, 'list' | 'subscribe'>;
  readonly nodeName: string;
  readonly mode: RouteMode;
  /** Asked with each look: interfaces come and go. */
  readonly networks: () => OwnHost['networks'];
  /** Runs `ip` and `bridge`; default: on this host. */
  readonly run?: typeof runCommand;
  readonly clock: Clock;
  readonly log: Log;
}

const lookEveryMs = 60_000;
/** Changes that come together are one look. */
const settleMs = 100;
const retryMs = 5_000;

export class NodeRoutes implements Service {
  readonly name = 'routes to other nodes';
  readonly #deps: NodeRoutesDeps;
  readonly #run: typeof runCommand;
  #wake: () => void = () => undefined;
  #said = '';

  constructor(deps: NodeRoutesDeps) {
    this.#deps = deps;
    this.#run = deps.run ?? runCommand;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { nodes, clock, log } = this.#deps;
    let isDirty = true;
    const unsubscribe = nodes.subscribe((change) => {
      // Nodes report all the time; where their pods are seldom changes.
      if (change.type === 'updated' && placeOf(change.object) === placeOf(change.previous)) return;
      isDirty = true;
      this.#wake();
    });
    ready();
    try {
      for (;;) {
        isDirty = false;
        try {
          await this.#look(signal);
        } catch (err) {
          if (isAbort(err, signal)) throw err;
          log.warn({ err }, 'the routes to other nodes could not be written');
          await clock.sleep(retryMs, signal);
          continue;
        }
        if (!isDirty) await this.#sleep(signal);
        await clock.sleep(settleMs, signal);
      }
    } finally {
      unsubscribe();
    }
  }

  /** Until a Node changes, or the time is up. */
  async #sleep(signal: AbortSignal): Promise<void> {
    const nap = new AbortController();
    this.#wake = () => nap.abort(new Error('a node changed'));
    try {
      await this.#deps.clock.sleep(lookEveryMs, AbortSignal.any([signal, nap.signal]));
    } catch (error) {
      if (!nap.signal.aborted || signal.aborted) throw error;
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { nodes, nodeName, mode, networks, log } = this.#deps;
    const all = nodes.list();
    const self = all.find(({ metadata }) => metadata.name === nodeName);
    // A host that is no node, a control plane without a kubelet say, has no address to leave out.
    const address = self === undefined ? '' : addressOf(self);
    if (address === undefined) return;
    const own: OwnHost = { address, podCidr: self?.spec?.podCIDR, networks: networks() };
    const plan = planRoutes(own, all.filter((one) => one !== self).map(otherNode), mode);
    if (plan.peers.length > 0) await this.#ensureTunnel(own, signal);
    const commands = commandsFor(plan, await this.#readTables(plan, signal));
    if (commands.bridge.length > 0) await this.#batch('bridge', commands.bridge, signal);
    if (commands.ip.length > 0) await this.#batch('ip', commands.ip, signal);
    this.#say(plan);
    if (commands.ip.length > 0) log.info({ routes: plan.routes.length, changed: commands.ip.length }, 'routes to other nodes written');
  }

  async #ensureTunnel({ address, podCidr = '' }: OwnHost, signal: AbortSignal): Promise<void> {
    const { stdout } = await this.#run('ip', ['-j', 'link', 'show', 'dev', tunnelDevice], '', signal);
    const mac = macOf(address);
    if (stdout.includes(mac)) return;
    // Of an earlier address of this host.
    if (stdout.trim() !== '' && stdout.trim() !== '[]') await this.#run('ip', ['link', 'del', tunnelDevice], '', signal);
    await this.#batch('ip', tunnelCommands({ address, mac, vtep: baseOf(podCidr) }), signal);
  }

  async #readTables({ peers }: RoutePlan, signal: AbortSignal): Promise<ReturnType<typeof tablesFrom>> {
    const routes = await this.#run('ip', ['-j', 'route', 'show', 'proto', routeMark], '', signal);
    check('ip route show', routes);
    const neighbours = await this.#run('ip', ['-j', 'neigh', 'show', 'dev', tunnelDevice], '', signal);
    // Without a tunnel there are no peers to read.
    if (neighbours.code !== 0 && peers.length === 0) return tablesFrom({ routes: routes.stdout, neighbours: '', forwarding: '' });
    check('ip neigh show', neighbours);
    const forwarding = await this.#run('bridge', ['-j', 'fdb', 'show', 'dev', tunnelDevice], '', signal);
    check('bridge fdb show', forwarding);
    return tablesFrom({ routes: routes.stdout, neighbours: neighbours.stdout, forwarding: forwarding.stdout });
  }

  /** Goes on after a line that fails, so that one odd entry does not hold up the others; then says which it was. */
  async #batch(program: 'ip' | 'bridge', lines: readonly string[], signal: AbortSignal): Promise<void> {
    const outcome = await this.#run(program, ['-force', '-batch', '-'], `${lines.join('\n')}\n`, signal);
    check(`${program} -batch`, outcome);
  }

  /** Once for each new state of affairs. */
  #say({ unreachable }: RoutePlan): void {
    const text = unreachable.join('; ');
    if (text !== '' && text !== this.#said) this.#deps.log.warn({ nodes: unreachable }, 'no way leads to the pods of some nodes');
    this.#said = text;
  }
}

function otherNode(node: Node): OtherNode {
  return { name: node.metadata.name ?? '', address: addressOf(node) ?? '', podCidrs: node.spec?.podCIDRs ?? [] };
}

/** All of a node that routes are made of, to compare. */
function placeOf(node: Node): string {
  return `${addressOf(node) ?? ''} ${(node.spec?.podCIDRs ?? []).join(' ')}`;
}

function addressOf({ status }: Node): string | undefined {
  return status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
}

function check(what: string, { code, stderr }: CommandOutcome): void {
  if (code !== 0) throw new Error(`${what}: ${stderr.trim()}`);
}

/** Takes away what was written; what is not there does not matter. */
export async function removeNodeRoutes(signal: AbortSignal): Promise<void> {
  await runCommand('ip', ['route', 'flush', 'proto', routeMark], '', signal);
  await runCommand('ip', ['link', 'del', tunnelDevice], '', signal);
}
