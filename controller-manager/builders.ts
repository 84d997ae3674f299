// Objects with valid defaults for tests of this folder.
import type { Deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Service } from '#api/core/service/service.ts';
import type { V1Condition, V1OwnerReference, V1PodTemplateSpec } from '#api/generated/types.ts';
import type { Resource } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { controllerReference } from '#api/meta/owner-references.ts';
import { timeText } from '#client/timestamps.ts';

/** The moment at which these objects live: 2026-01-01T00:00:00Z. */
export const nowMs = Date.UTC(2026, 0, 1);

/** The text of a moment that many seconds ago. */
export function secondsAgo(seconds: number): string {
  return timeText(nowMs - seconds * 1_000);
}

export interface PodTraits {
  readonly name?: string;
  readonly uid?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly owner?: V1OwnerReference;
  /** Default `n1`; '' is unassigned. */
  readonly node?: string;
  /** Default Running. */
  readonly phase?: string;
  /** Since when; absent is not ready. */
  readonly readySeconds?: number;
  readonly ageSeconds?: number;
  readonly restarts?: number;
  readonly isGoing?: boolean;
  readonly ip?: string;
  readonly spec?: Partial<Pod['spec']>;
}

export function aPod(traits: PodTraits = {}): Pod {
  const { name = 'p', node = 'n1', phase = 'Running', readySeconds, ageSeconds = 0, restarts = 0, isGoing = false } = traits;
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: secondsAgo(readySeconds ?? 0) };
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: traits.uid ?? `uid-${name}`,
      creationTimestamp: secondsAgo(ageSeconds),
      labels: traits.labels ?? { app: 'web' },
      ...(traits.annotations === undefined ? {} : { annotations: traits.annotations }),
      ...(traits.owner === undefined ? {} : { ownerReferences: [traits.owner] }),
      ...(isGoing ? { deletionTimestamp: secondsAgo(1) } : {}),
    },
    spec: { containers: [{ name: 'web', image: 'web:1' }], ...(node === '' ? {} : { nodeName: node }), ...traits.spec },
    status: {
      phase,
      ...(traits.ip === undefined ? {} : { podIP: traits.ip, podIPs: [{ ip: traits.ip }] }),
      ...(readySeconds === undefined ? {} : { conditions: [ready] }),
      containerStatuses: [{ name: 'web', restartCount: restarts, image: '', imageID: '', ready: true }],
    },
  };
}

/** A pod template that differs by its image. */
export function aTemplate(image = 'web:1'): V1PodTemplateSpec {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } };
}

export function aDeployment(spec: Partial<Deployment['spec']> = {}, rest: Partial<Deployment> = {}): Deployment {
  return {
    metadata: { name: 'web', namespace: 'default', uid: 'deployment', generation: 1, ...rest.metadata },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: aTemplate(),
      ...spec,
    },
    ...(rest.status === undefined ? {} : { status: rest.status }),
  };
}

export interface SetTraits {
  readonly name?: string;
  readonly image?: string;
  readonly size?: number;
  /** Pods that are there; default as many as asked for. */
  readonly replicas?: number;
  /** Default as many as there are. */
  readonly available?: number;
  readonly revision?: number;
  readonly ageSeconds?: number;
  /** What it remembers of the Deployment's size and of its maximum. */
  readonly desired?: number;
  readonly max?: number;
  readonly annotations?: Record<string, string>;
}

export function aSet(traits: SetTraits = {}): ReplicaSet {
  const { name = 'web-1', image = 'web:1', size = 0, replicas = size, available = replicas, ageSeconds = 0 } = traits;
  const prefix = 'deployment.kubernetes.io/';
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      generation: 1,
      creationTimestamp: secondsAgo(ageSeconds),
      annotations: {
        ...(traits.revision === undefined ? {} : { [`${prefix}revision`]: String(traits.revision) }),
        ...(traits.desired === undefined ? {} : { [`${prefix}desired-replicas`]: String(traits.desired) }),
        ...(traits.max === undefined ? {} : { [`${prefix}max-replicas`]: String(traits.max) }),
        ...traits.annotations,
      },
    },
    spec: { replicas: size, selector: {}, template: aTemplate(image) },
    status: { replicas, readyReplicas: available, availableReplicas: available, terminatingReplicas: 0, observedGeneration: 1 },
  };
}

export function aService(spec: Partial<Service['spec']> = {}, metadata: Service['metadata'] = {}): Service {
  return {
    metadata: { name: 'web', namespace: 'default', uid: 'service', creationTimestamp: secondsAgo(60), ...metadata },
    spec: { clusterIP: '10.96.0.9', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8_080, protocol: 'TCP' }], ...spec },
  };
}

/** A node with these conditions, such as `{ Ready: 'True' }`. */
export function aNode(conditions: Record<string, string> = { Ready: 'True' }, rest: Partial<Node> = {}): Node {
  const list = Object.entries(conditions).map(([type, status]) => ({ type, status, lastTransitionTime: secondsAgo(60) }) as V1Condition);
  return {
    metadata: { name: 'n1', uid: 'node-n1', creationTimestamp: secondsAgo(600), ...rest.metadata },
    ...(rest.spec === undefined ? {} : { spec: rest.spec }),
    status: { conditions: list as NonNullable<Node['status']>['conditions'] & object },
  };
}

/** The reference that makes a ReplicaSet of this uid the controller. */
export function ownedBy(uid: string, kind: Resource = replicaSet): V1OwnerReference {
  return controllerReference(kind, { metadata: { name: uid, uid } } as KubeObject);
}
