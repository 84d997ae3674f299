// The pod network by CNI. The chain is chosen anew for each pod (an administrator may configure one later); taking a pod's network back
// uses the chain that made it. Calls for one sandbox follow each other, those for different ones run side by side.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#base/log.ts';
import { RuntimeError } from '../../runtime/contract.ts';
import type { HostRules } from '../host-rules.ts';
import type { NetworkTarget, PodNetwork } from '../pod-network.ts';
import { type Attachment, Attachments } from './attachments.ts';
import { addressesOf, type CniChain, chooseFile, neededPlugins, ownChain, parseChain, pluginInput } from './config.ts';
import { type CniCommand, defaultPluginFolders, findPlugin, runPlugin } from './plugin.ts';

interface CniNetworkDeps {
  readonly log: Log;
  /** Rules of the host that our own chain needs. */
  readonly rules: HostRules;
}

interface CniNetworkOptions {
  /** For leases and what was attached; such as /var/lib/kubelet/network. */
  readonly stateFolder: string;
  /** Default /etc/cni/net.d. */
  readonly configFolder?: string;
  /** Default /opt/cni/bin, /usr/lib/cni, /usr/libexec/cni. */
  readonly pluginFolders?: readonly string[];
  readonly mtu?: number;
}

const interfaceName = 'eth0';
const loopback: CniChain = { cniVersion: '0.4.0', name: 'cni-loopback', plugins: [{ type: 'loopback' }] };

export class CniNetwork implements PodNetwork {
  readonly #deps: CniNetworkDeps;
  readonly #configFolder: string;
  readonly #pluginFolders: readonly string[];
  readonly #leaseFolder: string;
  readonly #mtu: number | undefined;
  readonly #attachments: Attachments;
  readonly #turns = new Map<string, Promise<unknown>>();
  #podCidrs: readonly string[] = [];

  constructor(deps: CniNetworkDeps, options: CniNetworkOptions) {
    this.#deps = deps;
    this.#configFolder = options.configFolder ?? '/etc/cni/net.d';
    this.#pluginFolders = options.pluginFolders ?? defaultPluginFolders;
    this.#leaseFolder = join(options.stateFolder, 'leases');
    this.#mtu = options.mtu;
    this.#attachments = new Attachments(join(options.stateFolder, 'attachments'));
  }

  async problem(): Promise<string | undefined> {
    try {
      const chain = await this.#chain();
      const types = [...chain.plugins.map((plugin) => plugin.type), 'loopback'];
      const found = await Promise.all(types.map((type) => findPlugin(type, this.#pluginFolders)));
      const missing = types.filter((_, at) => found[at] === undefined);
      if (missing.length === 0) return undefined;
      return `Network plugin returns error: cni plugins ${missing.join(', ')} not found in ${this.#pluginFolders.join(', ')}`;
    } catch (error) {
      return `Network plugin returns error: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async setPodCidrs(cidrs: readonly string[], signal: AbortSignal): Promise<void> {
    this.#podCidrs = [...cidrs];
    await this.refresh(signal);
  }

  async refresh(signal: AbortSignal): Promise<void> {
    if (this.#podCidrs.length > 0) await this.#deps.rules.apply(this.#podCidrs, signal);
  }

  attach(target: NetworkTarget, signal: AbortSignal): Promise<readonly string[]> {
    return this.#inTurn(target.sandboxId, async () => {
      const { sandboxId, pod, portMappings, netnsPath } = target;
      const attachment: Attachment = { sandboxId, pod, portMappings, chain: await this.#chain() };
      await this.#attachments.put(attachment);
      try {
        const lo = this.#runChain('ADD', { ...attachment, chain: loopback }, netnsPath, 'lo', signal);
        const [result] = await Promise.all([this.#runChain('ADD', attachment, netnsPath, interfaceName, signal), lo]);
        await this.#attachments.put({ ...attachment, result });
        return addressesOf(result);
      } catch (error) {
        if (!signal.aborted) await this.#takeBack(attachment, netnsPath, signal);
        const reason = error instanceof Error ? error.message : String(error);
        const name = `${pod.name}_${pod.namespace}`;
        throw new RuntimeError('Network', `failed to set up pod ${JSON.stringify(name)} network: ${reason}`, { cause: error });
      }
    });
  }

  detach(sandboxId: string, netnsPath: string | undefined, signal: AbortSignal): Promise<void> {
    return this.#inTurn(sandboxId, async () => {
      const attachment = await this.#attachments.get(sandboxId);
      if (attachment !== undefined) await this.#takeBack(attachment, netnsPath ?? '', signal);
    });
  }

  async addresses(sandboxId: string): Promise<readonly string[] | undefined> {
    const attachment = await this.#attachments.get(sandboxId);
    return attachment?.result === undefined ? undefined : addressesOf(attachment.result);
  }

  async forgetAllBut(sandboxIds: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    for (const sandboxId of await this.#attachments.sandboxIds()) {
      if (sandboxIds.has(sandboxId)) continue;
      this.#deps.log.info({ sandbox: sandboxId }, 'giving back the network of a sandbox that is no more');
      await this.detach(sandboxId, undefined, signal).catch((err: unknown) => {
        signal.throwIfAborted();
        this.#deps.log.warn({ err, sandbox: sandboxId }, 'cannot give back the network of a sandbox');
      });
    }
  }

  async #takeBack(attachment: Attachment, netnsPath: string, signal: AbortSignal): Promise<void> {
    await this.#runChain('DEL', attachment, netnsPath, interfaceName, signal);
    await this.#attachments.delete(attachment.sandboxId);
  }

  /** ADD front to back, each plugin given the result before it; DEL back to front. */
  async #runChain(command: CniCommand, attachment: Attachment, netnsPath: string, device: string, signal: AbortSignal): Promise<unknown> {
    const { chain, pod, portMappings, sandboxId } = attachment;
    const args = [
      'IgnoreUnknown=1',
      `K8S_POD_NAMESPACE=${pod.namespace}`,
      `K8S_POD_NAME=${pod.name}`,
      `K8S_POD_INFRA_CONTAINER_ID=${sandboxId}`,
      `K8S_POD_UID=${pod.uid}`,
    ].join(';');
    const plugins = neededPlugins(chain, portMappings);
    let result = command === 'ADD' ? undefined : attachment.result;
    for (const plugin of command === 'DEL' ? plugins.toReversed() : plugins) {
      const input = pluginInput(chain, plugin, portMappings, result);
      const call = { command, containerId: sandboxId, netnsPath, interfaceName: device, args, input };
      const answer = await runPlugin(plugin.type, call, this.#pluginFolders, signal);
      if (command === 'ADD') result = answer;
    }
    return result;
  }

  async #chain(): Promise<CniChain> {
    const names = await readdir(this.#configFolder).catch(() => []);
    const file = chooseFile(names);
    if (file !== undefined) {
      const path = join(this.#configFolder, file);
      try {
        return parseChain(await readFile(path, 'utf8'));
      } catch (cause) {
        throw new RuntimeError('Network', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    }
    if (this.#podCidrs.length === 0) throw new RuntimeError('Network', 'cni plugin not initialized');
    return ownChain({ podCidrs: this.#podCidrs, leaseFolder: this.#leaseFolder, ...(this.#mtu === undefined ? {} : { mtu: this.#mtu }) });
  }

  /** One call after the other for the same sandbox. */
  #inTurn<T>(sandboxId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(sandboxId) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#turns.set(sandboxId, mine);
    const leave = (): void => {
      if (this.#turns.get(sandboxId) === mine) this.#turns.delete(sandboxId);
    };
    mine.then(leave, leave);
    return mine;
  }
}
