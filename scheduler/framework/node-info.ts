import type { Node } from '#api/core/node/node.ts';
import type { V1Taint } from '#api/generated/types.ts';
import type { HostPort, PodInfo } from './pod-info.ts';
import { add, noResources, readResources, type Resources } from './requests.ts';
import { quantityBytes } from '#api/meta/quantity.ts';

const noTaints: readonly V1Taint[] = [];
const noLabels: Readonly<Record<string, string>> = {};

/**
 * A node with the pods on it, kept by sums: adding or removing a pod costs that pod alone. Written only by ClusterState; plugins read.
 */
export class NodeInfo {
  readonly name: string;
  readonly pods = new Map<string, PodInfo>();
  readonly requested: Resources = noResources();
  readonly typicalRequested: Resources = noResources();
  allocatable: Resources = noResources();
  allowedPods = 0;
  labels: Readonly<Record<string, string>> = noLabels;
  taints: readonly V1Taint[] = noTaints;
  isUnschedulable = false;
  /** Undefined while only pods name it. */
  node: Node | undefined;
  /** `TCP/8080` to addresses to how many pods hold them there. */
  readonly #ports = new Map<string, Map<string, number>>();

  constructor(name: string) {
    this.name = name;
  }

  /** Takes over what the node says. */
  setNode(node: Node | undefined): void {
    this.node = node;
    this.allocatable = readResources(node?.status?.allocatable);
    this.allowedPods = quantityBytes(node?.status?.allocatable?.['pods']);
    this.labels = node?.metadata.labels ?? noLabels;
    this.taints = node?.spec?.taints ?? noTaints;
    this.isUnschedulable = node?.spec?.unschedulable === true;
  }

  addPod(pod: PodInfo): void {
    this.pods.set(pod.uid, pod);
    this.#account(pod, 1);
  }

  /** Does nothing for a pod that is not here. */
  removePod(uid: string): void {
    const pod = this.pods.get(uid);
    if (pod === undefined) return;
    this.pods.delete(uid);
    this.#account(pod, -1);
  }

  /** True when the port is taken: on the same address, or where either means all addresses. */
  isPortTaken({ ip, protocolPort }: HostPort): boolean {
    const addresses = this.#ports.get(protocolPort);
    if (addresses === undefined) return false;
    return ip === '0.0.0.0' || addresses.has(ip) || addresses.has('0.0.0.0');
  }

  #account(pod: PodInfo, sign: 1 | -1): void {
    add(this.requested, pod.requests, sign);
    add(this.typicalRequested, pod.typicalRequests, sign);
    for (const { ip, protocolPort } of pod.hostPorts) {
      const addresses = this.#ports.get(protocolPort) ?? new Map<string, number>();
      const count = (addresses.get(ip) ?? 0) + sign;
      if (count > 0) addresses.set(ip, count);
      else addresses.delete(ip);
      if (addresses.size > 0) this.#ports.set(protocolPort, addresses);
      else this.#ports.delete(protocolPort);
    }
  }
}
