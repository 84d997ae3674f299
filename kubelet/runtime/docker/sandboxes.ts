// Sandboxes: one container each that holds the pod's namespaces, made without a network and then handed to the pod network.
import { writeFile } from 'node:fs/promises';
import type { Log } from '#base/log.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import { type DnsSettings, RuntimeError, type SandboxSpec, type SandboxStatus } from '../contract.ts';
import { removePodGroup } from './control-group.ts';
import type { Abilities, SandboxTies } from './container-config.ts';
import { sandboxConfig } from './container-config.ts';
import type { Engine } from './engine.ts';
import { type InspectedContainer, identityOf, sandboxStatus } from './inspection.ts';
import { clusterLabel, encodeLabels, sandboxName, sharePidLabel } from './names.ts';
import { createOrAdopt } from './creation.ts';

interface SandboxesDeps {
  readonly engine: Engine;
  readonly network: PodNetwork;
  readonly cluster: string;
  readonly log: Log;
  readonly abilities: (signal: AbortSignal) => Promise<Abilities>;
  /** Makes sure that the image for sandboxes is there and names it. */
  readonly image: (wanted: string | undefined, signal: AbortSignal) => Promise<string>;
}

export class Sandboxes {
  readonly #deps: SandboxesDeps;

  constructor(deps: SandboxesDeps) {
    this.#deps = deps;
  }

  async create(spec: SandboxSpec, signal: AbortSignal): Promise<SandboxStatus> {
    const { engine, cluster, log, abilities, image } = this.#deps;
    const [imageName, able] = [await image(spec.image, signal), await abilities(signal)];
    const { pod, attempt, labels, annotations } = spec;
    const extra = spec.shareProcessNamespace === true ? { [sharePidLabel]: 'true' } : {};
    const encoded = encodeLabels({ cluster, kind: 'podsandbox', pod, attempt, labels, annotations, extra });
    const body = sandboxConfig(spec, imageName, encoded, able);
    const id = await createOrAdopt(engine, sandboxName(pod, attempt), body, encoded, signal);
    try {
      await engine.call('POST', `/containers/${id}/start`, {}, signal);
      const raw = await this.#inspect(id, signal);
      if (spec.dns !== undefined) await writeFile(raw.ResolvConfPath, resolvConf(spec.dns));
      const ips = spec.hostNetwork === true ? [] : await this.#connect(raw, spec, signal);
      const identity = identityOf(raw);
      if (identity === undefined) throw new RuntimeError('Refused', `sandbox ${id} lost its labels`);
      return sandboxStatus(raw, identity, ips);
    } catch (error) {
      if (!signal.aborted) {
        await this.#discard(id, signal).catch((err: unknown) => log.warn({ err, sandbox: id }, 'a failed sandbox stays behind'));
      }
      throw error;
    }
  }

  /** Takes the network away, then ends the sandbox. */
  async stop(id: string, signal: AbortSignal): Promise<void> {
    const { engine, network } = this.#deps;
    const raw = await this.find(id, signal);
    const netns = raw?.State.Running === true ? `/proc/${raw.State.Pid}/ns/net` : undefined;
    if (raw?.HostConfig.NetworkMode !== 'host') await network.detach(raw?.Id ?? id, netns, signal);
    if (raw === undefined || !raw.State.Running) return;
    // Nothing in it needs time to end.
    await engine.call('POST', `/containers/${id}/kill`, { query: { signal: 'SIGKILL' } }, signal).catch(ignoreEnded);
    await engine.call('POST', `/containers/${id}/wait`, {}, signal).catch(ignoreEnded);
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    const raw = await this.find(id, signal);
    await this.stop(id, signal);
    await this.#deps.engine.call('DELETE', `/containers/${id}`, { query: { force: true, v: true } }, signal).catch(ignoreGone);
    if (raw !== undefined) await removePodGroup(raw.HostConfig.CgroupParent);
  }

  /** What its containers have to know of it. */
  async ties(id: string, signal: AbortSignal): Promise<SandboxTies> {
    const { HostConfig: host, Config: config, Id } = await this.#inspect(id, signal);
    return {
      id: Id,
      hostIpc: host.IpcMode === 'host',
      pidMode: host.PidMode === 'host' ? 'host' : config.Labels[sharePidLabel] === 'true' ? 'pod' : '',
      cgroupParent: host.CgroupParent,
      runtime: host.Runtime,
    };
  }

  /** Undefined when there is none, or when it is not ours. */
  async find(id: string, signal: AbortSignal): Promise<InspectedContainer | undefined> {
    try {
      const raw = await this.#inspect(id, signal);
      return raw.Config.Labels[clusterLabel] === this.#deps.cluster ? raw : undefined;
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  async #connect(raw: InspectedContainer, spec: SandboxSpec, signal: AbortSignal): Promise<readonly string[]> {
    const { network } = this.#deps;
    const known = await network.addresses(raw.Id);
    if (known !== undefined) return known;
    const target = { sandboxId: raw.Id, pod: spec.pod, netnsPath: `/proc/${raw.State.Pid}/ns/net` };
    return network.attach({ ...target, portMappings: spec.portMappings ?? [] }, signal);
  }

  async #discard(id: string, signal: AbortSignal): Promise<void> {
    await this.remove(id, signal);
  }

  #inspect(id: string, signal: AbortSignal): Promise<InspectedContainer> {
    return this.#deps.engine.call<InspectedContainer>('GET', `/containers/${id}/json`, {}, signal);
  }
}

/** What /etc/resolv.conf of the pod says. */
function resolvConf(dns: DnsSettings): string {
  const lines = dns.servers.map((server) => `nameserver ${server}`);
  if (dns.searches.length > 0) lines.push(`search ${dns.searches.join(' ')}`);
  if (dns.options.length > 0) lines.push(`options ${dns.options.join(' ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** For answers that say: it ended or went away in the meantime. */
export function ignoreEnded(error: unknown): void {
  if (!(error instanceof RuntimeError) || (error.code !== 'Conflict' && error.code !== 'NotFound')) throw error;
}

/** 409 on removal: it is being removed already. */
export function ignoreGone(error: unknown): void {
  ignoreEnded(error);
}
