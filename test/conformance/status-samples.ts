// A status that each kind takes, as one would patch it in: what `kind` is after the write holds it.
const condition = { type: 'StatusPatched', status: 'True', reason: 'Patched', message: 'by hand' };
const dated = { ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' };
const conditions = { conditions: [condition] };
const datedConditions = { conditions: [dated] };

/** By `apiVersion kind`. */
export const statusSamples: Readonly<Record<string, object>> = {
  'v1 Namespace': conditions,
  'v1 Node': conditions,
  'v1 Pod': { message: 'by hand', reason: 'Patched' },
  'v1 PersistentVolume': { message: 'by hand', reason: 'Patched' },
  'v1 PersistentVolumeClaim': conditions,
  'v1 ReplicationController': conditions,
  'v1 ResourceQuota': { hard: { 'requests.storage': '50Gi' } },
  'v1 Service': { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
  'apps/v1 DaemonSet': conditions,
  'apps/v1 Deployment': conditions,
  'apps/v1 ReplicaSet': conditions,
  'apps/v1 StatefulSet': conditions,
  'autoscaling/v2 HorizontalPodAutoscaler': { currentReplicas: 1, desiredReplicas: 2 },
  'batch/v1 CronJob': { lastScheduleTime: '2026-01-01T00:00:00Z' },
  'batch/v1 Job': { active: 1, startTime: '2026-01-01T00:00:00Z' },
  'certificates.k8s.io/v1 CertificateSigningRequest': conditions,
  'flowcontrol.apiserver.k8s.io/v1 FlowSchema': { conditions: [{ ...condition, type: 'Dangling' }] },
  'flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration': conditions,
  'networking.k8s.io/v1 Ingress': { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
  'networking.k8s.io/v1 ServiceCIDR': datedConditions,
  'policy/v1 PodDisruptionBudget': { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0, expectedPods: 1 },
  'resource.k8s.io/v1 ResourceClaim': {
    allocation: { devices: { results: [{ request: 'gpu', driver: 'gpu.example.com', pool: 'sample', device: 'gpu-0' }] } },
  },
  'storage.k8s.io/v1 VolumeAttachment': { attached: true },
};

/** Kinds whose status endpoint leaves the metadata as it is; the others take labels and annotations there as well. */
export const keepMetadata: ReadonlySet<string> = new Set([
  'flowcontrol.apiserver.k8s.io/v1 FlowSchema',
  'flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration',
  'networking.k8s.io/v1 ServiceCIDR',
  'resource.k8s.io/v1 ResourceClaim',
  'storage.k8s.io/v1 VolumeAttachment',
]);
