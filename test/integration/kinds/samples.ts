// One object of every kind that clients can make, each with what sets the kind apart: what kubectl makes, prints, describes and patches.
import { podManifest, serviceManifest } from '#test/e2e/manifests.ts';

/** A manifest as a user would write it. */
export interface Sample {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
}

const selector = { matchLabels: { app: 'sample' } };
const template = {
  metadata: { labels: { app: 'sample' } },
  spec: { containers: [{ name: 'main', image: 'coxswain/busybox:1', resources: { requests: { cpu: '10m', memory: '8Mi' } } }] },
};
const jobTemplate = { spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } };
/** A certificate request as `openssl req` makes it: PEM in base64. */
const csr =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIU01Ib0NBUUF3R0RFV01CUUdBMVVFQXd3TmMyRnRjR3hsTFdOc2FXVnVkREJaTUJNR0J5cUdTTTQ5QWdFRwpDQ3FHU000OUF3RUhBMElBQkpHMmtnV1Q1SGNweWNPYXhNV3ByOFBXOVdWZXhzUFR6SzhLZWROK1RUSFpSbDZ0CmQ2V25kVU05QUplVXE4ZS8xSlhuSG80SGVpSngvcXE4cnVoQnVmcWdBREFLQmdncWhrak9QUVFEQWdOSUFEQkYKQWlFQS96T1BvdzZDVy9wUXQ3YnI0cXQ3REJvUE9sekc3cVdreDROV241bDkrSE1DSUY1ZG5KRUFUTHh2c0c2NgpwdSsxSk1yWG1NOFpISnhJMzlyUDhUMmZCU3NPCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=';

export const samples: readonly Sample[] = [
  of('v1', 'Namespace', { name: 'extra' }),
  of('v1', 'Node', { name: 'sample-node' }, { spec: { taints: [{ key: 'example.com/only', effect: 'NoSchedule' }] } }),
  of('v1', 'ConfigMap', {}, { data: { colour: 'red' } }),
  of('v1', 'Secret', {}, { type: 'Opaque', data: { password: 'c2VjcmV0' } }),
  of('v1', 'ServiceAccount'),
  of('v1', 'LimitRange', {}, { spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '10Gi' } }] } }),
  of('v1', 'ResourceQuota', {}, { spec: { hard: { 'count/widgets.example.com': '3', 'requests.storage': '100Gi' } } }),
  podManifest('sample') as Sample,
  of('v1', 'PodTemplate', {}, { template }),
  of('v1', 'ReplicationController', {}, { spec: { replicas: 0, selector: { app: 'sample' }, template } }),
  serviceManifest('sample', { ports: [{ name: 'http', port: 80, targetPort: 8080 }] }) as Sample,
  of('v1', 'Endpoints', { name: 'by-hand' }, { subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 80, protocol: 'TCP' }] }] }),
  of(
    'v1',
    'PersistentVolume',
    {},
    {
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'sample', hostPath: { path: '/srv/sample' } },
    },
  ),
  of(
    'v1',
    'PersistentVolumeClaim',
    {},
    {
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'sample', resources: { requests: { storage: '1Gi' } } },
    },
  ),
  of(
    'v1',
    'Event',
    {},
    {
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'sample' },
      reason: 'Sampled',
      message: 'a sample was taken',
      type: 'Normal',
      source: { component: 'sampler' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    },
  ),
  of('apps/v1', 'Deployment', {}, { spec: { replicas: 0, selector, template } }),
  of('apps/v1', 'ReplicaSet', {}, { spec: { replicas: 0, selector, template } }),
  of('apps/v1', 'StatefulSet', {}, { spec: { serviceName: 'sample', replicas: 0, selector, template } }),
  of('apps/v1', 'DaemonSet', {}, { spec: { selector, template } }),
  of('apps/v1', 'ControllerRevision', {}, { revision: 1, data: { spec: { colour: 'red' } } }),
  of('batch/v1', 'Job', {}, jobTemplate),
  of('batch/v1', 'CronJob', {}, { spec: { schedule: '*/5 * * * *', jobTemplate } }),
  of(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    {},
    {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'sample' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
      },
    },
  ),
  of('policy/v1', 'PodDisruptionBudget', {}, { spec: { minAvailable: 1, selector } }),
  of(
    'networking.k8s.io/v1',
    'Ingress',
    {},
    {
      spec: {
        ingressClassName: 'sample',
        rules: [
          {
            host: 'sample.example.com',
            http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'sample', port: { number: 80 } } } }] },
          },
        ],
      },
    },
  ),
  of('networking.k8s.io/v1', 'IngressClass', {}, { spec: { controller: 'example.com/ingress' } }),
  of(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    {},
    {
      spec: {
        podSelector: selector,
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ podSelector: selector }], ports: [{ port: 8080, protocol: 'TCP' }] }],
      },
    },
  ),
  of(
    'networking.k8s.io/v1',
    'IPAddress',
    { name: '192.0.2.9' },
    {
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'sample' } },
    },
  ),
  of('networking.k8s.io/v1', 'ServiceCIDR', {}, { spec: { cidrs: ['198.51.100.0/24'] } }),
  of('rbac.authorization.k8s.io/v1', 'Role', {}, { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
  of('rbac.authorization.k8s.io/v1', 'ClusterRole', {}, { rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }] }),
  of(
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    {},
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'sample' },
      subjects: [{ kind: 'ServiceAccount', name: 'sample', namespace: 'default' }],
    },
  ),
  of(
    'rbac.authorization.k8s.io/v1',
    'ClusterRoleBinding',
    {},
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sample' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' }],
    },
  ),
  of('storage.k8s.io/v1', 'StorageClass', {}, { provisioner: 'example.com/disks', volumeBindingMode: 'WaitForFirstConsumer' }),
  of(
    'storage.k8s.io/v1',
    'VolumeAttachment',
    {},
    {
      spec: { attacher: 'example.com', nodeName: 'sample-node', source: { persistentVolumeName: 'sample' } },
    },
  ),
  of('storage.k8s.io/v1', 'CSIDriver', { name: 'disks.example.com' }, { spec: { attachRequired: true } }),
  of('storage.k8s.io/v1', 'CSINode', { name: 'sample-node' }, { spec: { drivers: [{ name: 'disks.example.com', nodeID: 'n1' }] } }),
  of('storage.k8s.io/v1', 'CSIStorageCapacity', {}, { storageClassName: 'sample', capacity: '10Gi' }),
  of('storage.k8s.io/v1', 'VolumeAttributesClass', {}, { driverName: 'disks.example.com', parameters: { iops: '100' } }),
  of('scheduling.k8s.io/v1', 'PriorityClass', {}, { value: 1000, description: 'a sample' }),
  of('node.k8s.io/v1', 'RuntimeClass', {}, { handler: 'runc' }),
  of('coordination.k8s.io/v1', 'Lease', {}, { spec: { holderIdentity: 'me', leaseDurationSeconds: 15 } }),
  of(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    {},
    {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.8'], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
  ),
  of(
    'certificates.k8s.io/v1',
    'CertificateSigningRequest',
    {},
    {
      spec: { request: csr, signerName: 'example.com/sampler', usages: ['client auth'] },
    },
  ),
  of(
    'flowcontrol.apiserver.k8s.io/v1',
    'PriorityLevelConfiguration',
    {},
    {
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } } },
    },
  ),
  of(
    'flowcontrol.apiserver.k8s.io/v1',
    'FlowSchema',
    {},
    {
      spec: {
        priorityLevelConfiguration: { name: 'sample' },
        rules: [
          { subjects: [{ kind: 'User', user: { name: 'ann' } }], nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/version'] }] },
        ],
      },
    },
  ),
  of('resource.k8s.io/v1', 'DeviceClass', {}, { spec: {} }),
  of(
    'resource.k8s.io/v1',
    'ResourceClaim',
    {},
    {
      spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'sample', allocationMode: 'ExactCount', count: 1 } }] } },
    },
  ),
  of(
    'resource.k8s.io/v1',
    'ResourceClaimTemplate',
    {},
    {
      spec: {
        spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'sample', allocationMode: 'ExactCount', count: 1 } }] } },
      },
    },
  ),
  of(
    'resource.k8s.io/v1',
    'ResourceSlice',
    {},
    {
      spec: {
        driver: 'gpu.example.com',
        nodeName: 'sample-node',
        pool: { name: 'sample', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'gpu-0' }],
      },
    },
  ),
];

function of(apiVersion: string, kind: string, metadata: { name?: string } = {}, rest: object = {}): Sample {
  return { apiVersion, kind, metadata: { name: 'sample', labels: { purpose: 'sample' }, ...metadata }, ...rest };
}
