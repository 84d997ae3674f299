// What is kept in memory of each object. The caches of this process hold every object of a cluster, so they keep what some loop reads;
// who writes an object whose cache is cut sends patches, never the whole.
import { bootstrapTokenType } from '#api/core/bootstrap-token.ts';
import type { ConfigMap } from '#api/core/config-map.ts';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Secret } from '#api/core/secret.ts';
import type { V1Container } from '#api/generated/types.ts';
import type { KubeObject } from '#api/meta/object.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Ownership is the server's affair: an update that leaves it out leaves it as it is. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete object.metadata.managedFields;
  return object;
}

/** Only what the garbage collector and the namespace loop need of an object. */
export function metadataOnly<T extends KubeObject>({ apiVersion, kind, metadata }: T): T {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, finalizers, ownerReferences } = metadata;
  const kept = { name, namespace, uid, resourceVersion, deletionTimestamp, finalizers, ownerReferences };
  return withoutUndefined({ apiVersion, kind, metadata: withoutUndefined(kept) }) as unknown as T;
}

/** What loops read of a pod: where it runs, on which ports it listens, how it is. Containers are cut to names and ports. */
export function slimPod(pod: Pod): Pod {
  const { nodeName, hostname, subdomain, tolerations, activeDeadlineSeconds, containers, initContainers } = pod.spec;
  const { phase, podIP, podIPs, conditions, containerStatuses, initContainerStatuses } = pod.status ?? {};
  const restarts = (statuses: typeof containerStatuses) => statuses?.map(({ name, restartCount }) => ({ name, restartCount }));
  delete pod.metadata.managedFields;
  delete pod.metadata.annotations?.[lastApplied];
  const spec = { nodeName, hostname, subdomain, tolerations, activeDeadlineSeconds, containers: containers.map(slimContainer) };
  const status = { phase, podIP, podIPs, conditions, containerStatuses: restarts(containerStatuses) };
  return {
    ...pod,
    spec: withoutUndefined({ ...spec, initContainers: initContainers?.map(slimContainer) }),
    status: withoutUndefined({ ...status, initContainerStatuses: restarts(initContainerStatuses) }),
  } as Pod;
}

/** A node without its images and addresses, and of its amounts only the CPUs that it gives. */
export function slimNode(node: Node): Node {
  const { conditions, allocatable: { cpu } = {} } = node.status ?? {};
  const allocatable = cpu === undefined ? undefined : { cpu };
  return { ...withoutManagedFields(node), status: withoutUndefined({ conditions, allocatable }) } as Node;
}

/** Of ConfigMaps only the published CA and what joining hosts read is read; the others' contents would fill memory for nothing. */
export function slimConfigMap(object: ConfigMap): ConfigMap {
  const { name, namespace } = object.metadata;
  const isRead = name === 'kube-root-ca.crt' || (namespace === 'kube-public' && name === 'cluster-info');
  return isRead ? withoutManagedFields(object) : metadataOnly(object);
}

/** Of Secrets only bootstrap tokens are read. */
export function slimSecret(object: Secret): Secret {
  return object.type === bootstrapTokenType ? withoutManagedFields(object) : metadataOnly(object);
}

function slimContainer({ name, ports, restartPolicy }: V1Container): Partial<V1Container> {
  return withoutUndefined({ name, ports, restartPolicy });
}

function withoutUndefined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}
