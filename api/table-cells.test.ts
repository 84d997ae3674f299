// Cells of tables, kind by kind, by the rules of upstream's printers (pkg/printers/internalversion/printers.go).
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import type { KindDefinition } from './kind.ts';
import { builtinKinds } from './kinds.ts';
import { decoded } from './testing.ts';

const nowMs = Date.parse('2026-01-01T01:00:00Z');
const meta = 'name: n, creationTimestamp: "2026-01-01T00:00:00Z"';

function kindOf(name: string): KindDefinition {
  const [kind, version = 'v1'] = name.split(' ');
  const found = builtinKinds.find((one) => one.kind === kind && one.version === version);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

/** All cells, wide ones included, or those of the columns that the case names. */
function cells(name: string, yaml: string, only: readonly string[]): unknown[] {
  const kind = kindOf(name);
  const object = decoded(kind, JSON.stringify(parse(`metadata: {${meta}${kind.scope === 'namespaced' ? ', namespace: d' : ''}}\n${yaml}`)));
  const columns = (kind.columns ?? []).filter((column) => only.length === 0 || only.includes(column.name));
  return columns.map(({ value }) => value(object, nowMs));
}

const template = (spec = ''): string =>
  `template: {metadata: {labels: {a: b}}, spec: {${spec}containers: [{name: c1, image: i1}, {name: c2, image: i2}]}}`;
const selector = 'selector: {matchLabels: {b: "2", a: "1"}, matchExpressions: [{key: k, operator: In, values: [y, x]}]}';
const selected = 'a=1,b=2,k in (x,y)';

test.each<[string, string, unknown[], string[]?]>([
  [
    'ReplicationController',
    `spec: {replicas: 5, selector: {b: "2", a: "1"}, ${template()}}\nstatus: {replicas: 3, readyReplicas: 1}`,
    ['n', 5, 3, 1, '60m', 'c1,c2', 'i1,i2', 'a=1,b=2'],
  ],
  [
    'ReplicaSet',
    `spec: {replicas: 5, ${selector}, ${template()}}\nstatus: {replicas: 5, readyReplicas: 2}`,
    ['n', 5, 5, 2, '60m', 'c1,c2', 'i1,i2', selected],
  ],
  [
    'Deployment',
    `spec: {replicas: 5, ${selector}, ${template()}}\nstatus: {replicas: 10, updatedReplicas: 2, availableReplicas: 1, readyReplicas: 3}`,
    ['n', '3/5', 2, 1, '60m', 'c1,c2', 'i1,i2', selected],
  ],
  [
    'StatefulSet',
    `spec: {replicas: 5, serviceName: s, ${selector}, ${template()}}\nstatus: {replicas: 4, readyReplicas: 2}`,
    ['n', '2/5', '60m', 'c1,c2', 'i1,i2'],
  ],
  [
    'DaemonSet',
    `spec: {${selector}, ${template('nodeSelector: {k2: v2, k1: v1}, ')}}\nstatus: {currentNumberScheduled: 2, desiredNumberScheduled: 3, numberReady: 1, numberAvailable: 0, numberMisscheduled: 0, updatedNumberScheduled: 2}`,
    ['n', 3, 2, 1, 2, 0, 'k1=v1,k2=v2', '60m', 'c1,c2', 'i1,i2', selected],
  ],
  ['DaemonSet', `spec: {selector: {}, ${template()}}`, ['<none>'], ['Node Selector']],
  ['ReplicaSet', `spec: {selector: {}, ${template()}}`, ['<none>'], ['Selector']],
  ['Deployment', `spec: {selector: {}, ${template()}}`, [''], ['Selector']],
  ['PodTemplate', template(), ['n', 'c1,c2', 'i1,i2', 'a=b']],
  [
    'Job',
    `spec: {completions: 2, ${selector}, ${template()}}\nstatus: {succeeded: 1}`,
    ['n', 'Running', '1/2', '', '60m', 'c1,c2', 'i1,i2', selected],
  ],
  [
    'Job',
    `spec: {parallelism: 3, ${template()}}\nstatus: {startTime: "2026-01-01T00:30:00Z"}`,
    ['0/1 of 3', '30m'],
    ['Completions', 'Duration'],
  ],
  [
    'Job',
    `spec: {parallelism: 1, ${template()}}\nstatus: {startTime: "2026-01-01T00:00:00Z", completionTime: "2026-01-01T00:00:33Z", succeeded: 1, conditions: [{type: Complete, status: "True"}]}`,
    ['Complete', '1/1', '33s'],
    ['Status', 'Completions', 'Duration'],
  ],
  [
    'Job',
    `spec: {${template()}}\nstatus: {conditions: [{type: Failed, status: "True"}, {type: FailureTarget, status: "True"}]}`,
    ['Failed'],
    ['Status'],
  ],
  [
    'Job',
    `spec: {${template()}}\nstatus: {conditions: [{type: Suspended, status: "True"}]}`,
    ['Suspended', '<none>'],
    ['Status', 'Selector'],
  ],
  ['Job', `spec: {${template()}}\nstatus: {conditions: [{type: FailureTarget, status: "True"}]}`, ['FailureTarget'], ['Status']],
  ['Job', `spec: {${template()}}\nstatus: {conditions: [{type: SuccessCriteriaMet, status: "True"}]}`, ['SuccessCriteriaMet'], ['Status']],
  [
    'CronJob',
    `spec: {schedule: "0/5 * * * ?", suspend: false, timeZone: Etc/UTC, jobTemplate: {spec: {${template()}}}}\nstatus: {lastScheduleTime: "2026-01-01T00:59:00Z", active: [{name: x}]}`,
    ['n', '0/5 * * * ?', 'Etc/UTC', 'False', 1, '60s', '60m', 'c1,c2', 'i1,i2', '<none>'],
  ],
  [
    'CronJob',
    `spec: {schedule: "@daily", suspend: true, jobTemplate: {spec: {${template()}}}}`,
    ['<none>', 'True', 0, '<none>'],
    ['Timezone', 'Suspend', 'Active', 'Last Schedule'],
  ],
  ['PodDisruptionBudget', 'spec: {minAvailable: 22}\nstatus: {disruptionsAllowed: 5}', ['n', '22', 'N/A', 5, '60m']],
  ['PodDisruptionBudget', 'spec: {maxUnavailable: 10%}', ['n', 'N/A', '10%', 0, '60m']],
  [
    'Service',
    'spec: {type: ClusterIP, clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], ports: [{name: a, port: 2233}, {port: 5, protocol: UDP}], selector: {b: "2", a: "1"}}',
    ['n', 'ClusterIP', '10.0.0.1', '<none>', '2233/TCP,5/UDP', '60m', 'a=1,b=2'],
  ],
  [
    'Service',
    'spec: {type: NodePort, clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], externalIPs: [1.1.1.1, 2.2.2.2], ports: [{port: 8888, nodePort: 9999}]}',
    ['1.1.1.1,2.2.2.2', '8888:9999/TCP', '<none>'],
    ['External-IP', 'Port(s)', 'Selector'],
  ],
  [
    'Service',
    'spec: {type: LoadBalancer, clusterIPs: ["fd00::1"], clusterIP: "fd00::1", externalIPs: [1.1.1.1], ports: [{port: 1}]}\nstatus: {loadBalancer: {ingress: [{ip: 9.9.9.9}, {hostname: b.example}, {ip: 3.3.3.3, hostname: ignored}]}}',
    ['fd00::1', '3.3.3.3,9.9.9.9,b.example,1.1.1.1'],
    ['Cluster-IP', 'External-IP'],
  ],
  ['Service', 'spec: {type: LoadBalancer}', ['<pending>', '<none>'], ['External-IP', 'Port(s)']],
  ['Service', 'spec: {type: ExternalName, externalName: my.db.example}', ['<none>', 'my.db.example'], ['Cluster-IP', 'External-IP']],
  [
    'Ingress',
    'spec: {ingressClassName: c, tls: [{hosts: [a]}], rules: [{host: a}, {host: b}, {}, {host: c}, {host: d}]}\nstatus: {loadBalancer: {ingress: [{ip: 2.2.2.2}, {hostname: a.example}, {ip: 1.1.1.1}]}}',
    ['n', 'c', 'a,b,c + 2 more...', '1.1.1.1,2.2.2.2,a.example', '80, 443', '60m'],
  ],
  ['Ingress', 'spec: {rules: [{}]}', ['<none>', '*', '', '80'], ['Class', 'Hosts', 'Address', 'Ports']],
  ['Ingress', 'spec: {rules: [{host: a}, {host: b}, {host: c}]}', ['a,b,c'], ['Hosts']],
  [
    'IngressClass',
    'spec: {controller: c, parameters: {apiGroup: k8s.example.com, kind: P, name: p}}',
    ['n', 'c', 'P.k8s.example.com/p', '60m'],
  ],
  ['IngressClass', 'spec: {controller: c, parameters: {kind: P, name: p}}', ['P/p'], ['Parameters']],
  ['NetworkPolicy', 'spec: {podSelector: {matchLabels: {foo: bar}}}', ['n', 'foo=bar', '60m']],
  ['NetworkPolicy', 'spec: {podSelector: {}}', ['<none>'], ['Pod-Selector']],
  [
    'Endpoints',
    'subsets: [{addresses: [{ip: 1.2.3.4}, {ip: 5.6.7.8}], ports: [{port: 8001}, {port: 8002}]}]',
    ['n', '1.2.3.4:8001,5.6.7.8:8001,1.2.3.4:8002 + 1 more...', '60m'],
  ],
  [
    'Endpoints',
    'subsets: [{addresses: [{ip: 1.2.3.4}, {ip: "fd00::1"}]}, {notReadyAddresses: [{ip: 5.5.5.5}], ports: [{port: 1}]}, {addresses: [{ip: "fd00::2"}], ports: [{port: 80}]}]',
    ['1.2.3.4,fd00::1,[fd00::2]:80'],
    ['Endpoints'],
  ],
  ['Endpoints', '', ['<none>'], ['Endpoints']],
  [
    'EndpointSlice',
    'addressType: IPv4\nports: [{name: http, port: 80}, {name: only}, {}, {port: 4}]\nendpoints: [{addresses: [10.1.2.3, 2001.db8]}, {addresses: [10.2.3.4]}, {addresses: [10.3.4.5]}]',
    ['n', 'IPv4', '80,only, + 1 more...', '10.1.2.3,2001.db8,10.2.3.4 + 1 more...', '60m'],
  ],
  ['EndpointSlice', 'addressType: FQDN\nendpoints: []', ['<unset>', '<unset>'], ['Ports', 'Endpoints']],
  ['CSINode', 'spec: {drivers: [{name: a, nodeID: b}]}', ['n', 1, '60m']],
  [
    'CSIDriver',
    'spec: {attachRequired: false, podInfoOnMount: true, storageCapacity: true, requiresRepublish: true, tokenRequests: [{audience: ""}, {audience: api}], volumeLifecycleModes: [Persistent, Ephemeral]}',
    ['n', false, true, true, ',api', true, 'Persistent,Ephemeral', '60m'],
  ],
  ['CSIDriver', 'spec: {}', ['n', true, false, false, '<unset>', false, 'Persistent', '60m']],
  ['CSIStorageCapacity', 'storageClassName: s\ncapacity: 1000Mi', ['n', 's', '1000Mi']],
  ['CSIStorageCapacity', 'storageClassName: s', ['<unset>'], ['Capacity']],
  [
    'StorageClass',
    'provisioner: p\nreclaimPolicy: Retain\nvolumeBindingMode: WaitForFirstConsumer\nallowVolumeExpansion: true',
    ['n', 'p', 'Retain', 'WaitForFirstConsumer', true, '60m'],
  ],
  ['StorageClass', 'provisioner: p', ['Delete', 'Immediate', false], ['ReclaimPolicy', 'VolumeBindingMode', 'AllowVolumeExpansion']],
  ['VolumeAttributesClass', 'driverName: d', ['n', 'd', '60m']],
  [
    'VolumeAttachment',
    'spec: {attacher: a, nodeName: m, source: {persistentVolumeName: pv}}\nstatus: {attached: true}',
    ['n', 'a', 'pv', 'm', true, '60m'],
  ],
  ['VolumeAttachment', 'spec: {attacher: a, nodeName: m, source: {}}\nstatus: {attached: false}', ['', false], ['PV', 'Attached']],
  [
    'MutatingWebhookConfiguration',
    'webhooks: [{name: a.b.c, clientConfig: {url: "https://x"}, sideEffects: None, admissionReviewVersions: [v1]}]',
    ['n', 1, '60m'],
  ],
  ['ValidatingWebhookConfiguration', '', ['n', 0, '60m']],
  [
    'ValidatingAdmissionPolicy',
    'spec: {paramKind: {apiVersion: v1, kind: K}, validations: [{expression: "true"}, {expression: "true"}]}',
    ['n', 2, 'v1/K', '60m'],
  ],
  ['ValidatingAdmissionPolicy', 'spec: {}', [0, '<unset>'], ['Validations', 'ParamKind']],
  ['ValidatingAdmissionPolicyBinding', 'spec: {policyName: p, paramRef: {namespace: a, name: b}}', ['n', 'p', 'a/b', '60m']],
  ['ValidatingAdmissionPolicyBinding', 'spec: {policyName: p, paramRef: {name: b}}', ['*/b'], ['ParamRef']],
  ['MutatingAdmissionPolicy', 'spec: {mutations: [{patchType: JSONPatch}]}', ['n', 1, '<unset>', '60m']],
  ['MutatingAdmissionPolicyBinding', 'spec: {policyName: p}', ['n', 'p', '<unset>', '60m']],
  ['Namespace', 'status: {phase: Terminating}', ['n', 'Terminating', '60m']],
  ['Secret', 'type: Opaque\ndata: {a: YQ==, b: YQ==}', ['n', 'Opaque', 2, '60m']],
  ['ConfigMap', 'data: {a: b}\nbinaryData: {c: YQ==}', ['n', 2, '60m']],
  ['ServiceAccount', 'secrets: [{name: a}]', ['n', 1, '60m']],
  [
    'Node',
    'spec: {unschedulable: true}\nstatus: {conditions: [{type: Ready, status: Unknown}]}',
    ['n', 'NotReady,SchedulingDisabled', '<none>', '60m', '', '<none>', '<none>', '<unknown>', '<unknown>', '<unknown>'],
  ],
  ['Node', 'status: {conditions: [{type: Odd, status: "True"}]}', ['Unknown'], ['Status']],
  [
    'PersistentVolumeClaim',
    'spec: {volumeName: v, accessModes: [ReadOnlyMany], storageClassName: s, resources: {requests: {storage: 5Gi}}}\nstatus: {phase: Bound, accessModes: [ReadWriteMany, ReadOnlyMany, ReadWriteOnce, ReadWriteOncePod], capacity: {storage: 4Gi}}',
    ['n', 'Bound', 'v', '4Gi', 'RWO,ROX,RWX,RWOP', 's', '<unset>', '60m', 'Filesystem'],
  ],
  [
    'PersistentVolumeClaim',
    'spec: {accessModes: [ReadOnlyMany], volumeMode: Block, volumeAttributesClassName: a, resources: {requests: {storage: 5Gi}}}\nstatus: {phase: Pending}',
    ['n', 'Pending', '', '', '', '', 'a', '60m', 'Block'],
  ],
  ['PersistentVolumeClaim', 'spec: {volumeName: v}\nstatus: {phase: Lost}', ['Lost', '0'], ['Status', 'Capacity']],
  [
    'PersistentVolume',
    'spec: {accessModes: [ReadWriteOnce], capacity: {storage: 4Gi}, claimRef: {namespace: a, name: b}, volumeAttributesClassName: c}\nstatus: {phase: Failed, reason: Why}',
    ['n', '4Gi', 'RWO', 'Retain', 'Failed', 'a/b', '', 'c', 'Why', '60m', 'Filesystem'],
  ],
  [
    'Event',
    'involvedObject: {kind: Pod, name: p, fieldPath: "spec.containers{foo}"}\nsource: {component: kubelet, host: h}\ntype: Warning\nreason: Killing\nmessage: "  Told  "\nfirstTimestamp: "2026-01-01T00:58:00Z"\nlastTimestamp: "2026-01-01T00:59:57Z"\ncount: 6',
    ['3s', 'Warning', 'Killing', 'pod/p', 'spec.containers{foo}', 'kubelet, h', 'Told', '2m', 6, 'n'],
  ],
  [
    'Event',
    'involvedObject: {kind: Pod}\neventTime: "2026-01-01T00:58:00.000000Z"\nreportingComponent: c\nreportingInstance: i',
    ['2m', 'pod', 'c, i', '2m', 1],
    ['Last Seen', 'Object', 'Source', 'First Seen', 'Count'],
  ],
  [
    'Event',
    'involvedObject: {kind: Pod, name: p}\neventTime: "2026-01-01T00:58:00.000000Z"\nreportingComponent: c\nseries: {count: 4, lastObservedTime: "2026-01-01T00:59:00.000000Z"}',
    ['60s', 'c', '2m', 4],
    ['Last Seen', 'Source', 'First Seen', 'Count'],
  ],
  [
    'HorizontalPodAutoscaler v2',
    'spec: {maxReplicas: 10, scaleTargetRef: {kind: D, name: d}}',
    ['n', 'D/d', 'cpu: <unknown>/80%', '1', 10, 0, '60m'],
  ],
  [
    'HorizontalPodAutoscaler v2',
    'spec: {minReplicas: 2, maxReplicas: 10, scaleTargetRef: {kind: D, name: d}, metrics: [{type: External, external: {metric: {name: a}, target: {type: AverageValue, averageValue: 100m}}}, {type: External, external: {metric: {name: b}, target: {type: Value, value: 5}}}]}\nstatus: {currentReplicas: 4, desiredReplicas: 5, currentMetrics: [{type: External, external: {metric: {name: a}, current: {averageValue: 50m}}}, {type: External, external: {metric: {name: b}, current: {value: 7}}}]}',
    ['n', 'D/d', '50m/100m (avg), 7/5', '2', 10, 4, '60m'],
  ],
  [
    'HorizontalPodAutoscaler v2',
    'spec: {maxReplicas: 10, scaleTargetRef: {kind: D, name: d}, metrics: [{type: Pods, pods: {metric: {name: a}, target: {type: AverageValue, averageValue: 100m}}}, {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}, {type: Odd}]}\nstatus: {currentReplicas: 4, desiredReplicas: 5, currentMetrics: [{type: Pods, pods: {metric: {name: a}, current: {averageValue: 50m}}}, {type: Resource, resource: {name: cpu, current: {averageUtilization: 50, averageValue: 40m}}}]}',
    ['50m/100m, cpu: 50%/80% + 1 more...'],
    ['Targets'],
  ],
  [
    'HorizontalPodAutoscaler v2',
    'spec: {maxReplicas: 10, scaleTargetRef: {kind: D, name: d}, metrics: [{type: Object, object: {describedObject: {kind: a, name: b}, metric: {name: a}, target: {type: AverageValue, averageValue: 100m}}}, {type: ContainerResource, containerResource: {name: memory, container: c, target: {type: AverageValue, averageValue: 1Gi}}}]}\nstatus: {currentReplicas: 4, desiredReplicas: 5}',
    ['<unknown>/100m (avg), memory: <unknown>/1Gi'],
    ['Targets'],
  ],
  [
    'RoleBinding',
    'roleRef: {apiGroup: g, kind: Role, name: r}\nsubjects: [{kind: User, name: u1}, {kind: Group, name: g1}, {kind: User, name: u2}, {kind: ServiceAccount, namespace: x, name: s}, {kind: ServiceAccount, namespace: x, name: t}]',
    ['n', 'Role/r', '60m', 'u1, u2', 'g1', 'x/s, x/t'],
  ],
  ['ClusterRoleBinding', 'roleRef: {apiGroup: g, kind: ClusterRole, name: r}', ['n', 'ClusterRole/r', '60m', '', '', '']],
  [
    'CertificateSigningRequest',
    'spec: {request: YQ==, signerName: s/t, username: u, expirationSeconds: 7200}\nstatus: {certificate: YQ==, conditions: [{type: Approved, status: "True"}, {type: Failed, status: "True"}]}',
    ['n', '60m', 's/t', 'u', '120m', 'Approved,Failed,Issued'],
  ],
  [
    'CertificateSigningRequest',
    'spec: {request: YQ==, signerName: "", username: u}\nstatus: {conditions: [{type: Approved, status: "True"}, {type: Denied, status: "True"}]}',
    ['<none>', '<none>', 'Denied'],
    ['SignerName', 'RequestedDuration', 'Condition'],
  ],
  ['CertificateSigningRequest', 'spec: {request: YQ==, signerName: s/t}', ['Pending'], ['Condition']],
  ['ComponentStatus', 'conditions: [{type: Healthy, status: "False", message: m, error: e}]', ['n', 'Unhealthy', 'm', 'e']],
  ['ComponentStatus', '', ['n', 'Unknown', '', '']],
  ['Lease', 'spec: {holderIdentity: h}', ['n', 'h', '60m']],
  ['Lease', '', ['n', '', '60m']],
  ['RuntimeClass', 'handler: h', ['n', 'h', '60m']],
  ['PriorityClass', 'value: 7\nglobalDefault: true', ['n', 7, true, '60m', 'PreemptLowerPriority']],
  ['ControllerRevision', 'revision: 3\ndata: {}', ['n', '<none>', 3, '60m']],
  [
    'FlowSchema',
    'spec: {matchingPrecedence: 900, priorityLevelConfiguration: {name: p}, distinguisherMethod: {type: ByUser}}\nstatus: {conditions: [{type: Dangling, status: "True"}]}',
    ['n', 'p', 900, 'ByUser', '60m', 'True'],
  ],
  [
    'FlowSchema',
    'spec: {priorityLevelConfiguration: {name: p}}',
    [1000, '<none>', '?'],
    ['MatchingPrecedence', 'DistinguisherMethod', 'MissingPL'],
  ],
  [
    'PriorityLevelConfiguration',
    'spec: {type: Limited, limited: {nominalConcurrencyShares: 47, limitResponse: {type: Queue, queuing: {queues: 9, handSize: 3, queueLengthLimit: 6}}}}',
    ['n', 'Limited', 47, 9, 3, 6, '60m'],
  ],
  [
    'PriorityLevelConfiguration',
    'spec: {type: Limited, limited: {nominalConcurrencyShares: 5, limitResponse: {type: Reject}}}',
    [5, '<none>', '<none>', '<none>'],
    ['NominalConcurrencyShares', 'Queues', 'HandSize', 'QueueLengthLimit'],
  ],
  [
    'PriorityLevelConfiguration',
    'spec: {type: Exempt, exempt: {nominalConcurrencyShares: 3}}',
    ['Exempt', '<none>', '<none>'],
    ['Type', 'NominalConcurrencyShares', 'Queues'],
  ],
  [
    'ResourceQuota',
    'spec: {hard: {requests.cpu: 1, limits.cpu: 2, pods: 3}}\nstatus: {hard: {requests.cpu: 1, limits.cpu: 2, pods: 3}, used: {requests.cpu: 500m, limits.cpu: 0, pods: 1}}',
    ['n', 'pods: 1/3, requests.cpu: 500m/1', 'limits.cpu: 0/2', '60m'],
  ],
  ['ServiceCIDR', 'spec: {cidrs: [10.0.0.0/16, "fd00::/112"]}', ['n', '10.0.0.0/16,fd00::/112', '60m']],
  ['DeviceClass', 'spec: {}', ['n', '60m']],
  ['ResourceClaimTemplate', 'spec: {spec: {}}', ['n', '60m']],
  ['ResourceSlice', 'spec: {driver: d, nodeName: m, pool: {name: p, resourceSliceCount: 1, generation: 1}}', ['n', 'm', 'd', 'p', '60m']],
])('%s: %s', (name, yaml, expected, only = []) => {
  expect(cells(name, yaml, only)).toEqual(expected);
});
