// Small objects for tests: only what a test is about is spelt out.
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1NodeSpec, V1PodSpec } from '#api/generated/types.ts';
import { NodeInfo } from './node-info.ts';
import type { ClusterView } from './plugin.ts';
import { type PodInfo, podInfoOf } from './pod-info.ts';

/** A node with room for 4 CPUs, 8 GiB and 110 pods unless said otherwise. */
export function sampleNode(
  name: string,
  options: { labels?: Record<string, string>; allocatable?: Record<string, string>; spec?: V1NodeSpec } = {},
): Node {
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110', ...options.allocatable };
  return { metadata: { name, labels: options.labels ?? {} }, spec: options.spec ?? {}, status: { allocatable } };
}

export function samplePod(name: string, spec: Partial<V1PodSpec> = {}): Pod {
  return { metadata: { namespace: 'default', name, uid: `uid-${name}` }, spec: { containers: [{ name: 'c', image: 'x' }], ...spec } };
}

/** A pod with one container that requests these. */
export function podWanting(name: string, requests: Record<string, string>, spec: Partial<V1PodSpec> = {}): Pod {
  return samplePod(name, { containers: [{ name: 'c', image: 'x', resources: { requests } }], ...spec });
}

/** A node with pods on it. */
export function nodeInfo(node: Node, pods: readonly (Pod | PodInfo)[] = []): NodeInfo {
  const info = new NodeInfo(node.metadata.name ?? '');
  info.setNode(node);
  for (const pod of pods) info.addPod('uid' in pod ? pod : podInfoOf(pod));
  return info;
}

export const emptyCluster: ClusterView = {
  nodes: [],
  node: () => undefined,
  podsWithAffinity: () => [],
  namespaceLabels: () => undefined,
};
