// Rebuilds pods from the labels of the engine's containers.
import type { PodNetwork } from '../../network/pod-network.ts';
import { type ContainerStatus, type RuntimePod, type RuntimePodSummary, RuntimeError, type SandboxStatus } from '../contract.ts';
import { podUidLabel } from '../labels.ts';
import type { Engine } from './engine.ts';
import {
  containerStatus,
  containerSummary,
  identityOf,
  type InspectedContainer,
  type ListedContainer,
  sandboxStatus,
  sandboxSummary,
} from './inspection.ts';
import { clusterLabel, decodeLabels, type Identity, sandboxIdLabel } from './names.ts';

interface PodReaderDeps {
  readonly engine: Engine;
  readonly network: PodNetwork;
  readonly cluster: string;
}

export class PodReader {
  readonly #deps: PodReaderDeps;

  constructor(deps: PodReaderDeps) {
    this.#deps = deps;
  }

  async all(signal: AbortSignal): Promise<readonly RuntimePodSummary[]> {
    const pods = new Map<string, { -readonly [K in keyof RuntimePodSummary]: RuntimePodSummary[K] }>();
    for (const raw of await this.#list([], signal)) {
      const identity = decodeLabels(raw.Labels);
      if (identity === undefined) continue;
      const pod = pods.get(identity.pod.uid) ?? { pod: identity.pod, sandboxes: [], containers: [] };
      pods.set(identity.pod.uid, pod);
      if (identity.kind === 'podsandbox') {
        const sandbox = sandboxSummary(raw.Id, identity, raw.State === 'running', raw.Created * 1_000);
        pod.sandboxes = [...pod.sandboxes, sandbox].sort(newestFirst);
      } else {
        pod.containers = [...pod.containers, containerSummary(raw, identity)].sort(newestFirst);
      }
    }
    return [...pods.values()];
  }

  async one(podUid: string, signal: AbortSignal): Promise<RuntimePod | undefined> {
    const listed = await this.#list([`${podUidLabel}=${podUid}`], signal);
    const inspected = await Promise.all(listed.map(({ Id }) => this.#inspect(Id, signal)));
    const sandboxes: SandboxStatus[] = [];
    const containers: ContainerStatus[] = [];
    let pod: RuntimePod['pod'] | undefined;
    for (const raw of inspected) {
      const identity = raw && identityOf(raw);
      if (raw === undefined || identity === undefined) continue;
      pod = identity.pod;
      if (identity.kind === 'container') containers.push(containerStatus(raw, identity));
      else sandboxes.push(sandboxStatus(raw, identity, await this.#deps.network.addresses(raw.Id)));
    }
    if (pod === undefined) return undefined;
    return { pod, sandboxes: sandboxes.sort(newestFirst), containers: containers.sort(newestFirst) };
  }

  /** The containers that live in one sandbox. */
  containersOf(sandboxId: string, signal: AbortSignal): Promise<readonly ListedContainer[]> {
    return this.#list([`${sandboxIdLabel}=${sandboxId}`], signal);
  }

  identity(raw: InspectedContainer): Identity | undefined {
    return identityOf(raw);
  }

  #list(labels: readonly string[], signal: AbortSignal): Promise<ListedContainer[]> {
    const { engine, cluster } = this.#deps;
    const query = { all: true, filters: { label: [`${clusterLabel}=${cluster}`, ...labels] } };
    return engine.call<ListedContainer[]>('GET', '/containers/json', { query }, signal);
  }

  async #inspect(id: string, signal: AbortSignal): Promise<InspectedContainer | undefined> {
    try {
      return await this.#deps.engine.call<InspectedContainer>('GET', `/containers/${id}/json`, {}, signal);
    } catch (error) {
      // Removed since the list was made.
      if (error instanceof RuntimeError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }
}

function newestFirst(left: Ordered, right: Ordered): number {
  return right.attempt - left.attempt || right.createdAtMs - left.createdAtMs;
}

interface Ordered {
  readonly attempt: number;
  readonly createdAtMs: number;
}
