// What priority and fairness begins with in every cluster: the mandatory objects, which the server keeps exactly as they are, and the
// suggested ones, which users may change (apiserver/pkg/apis/flowcontrol/bootstrap/default.go).
import type {
  FlowcontrolV1Subject,
  V1FlowSchemaSpec,
  V1LimitedPriorityLevelConfiguration,
  V1PolicyRulesWithSubjects,
  V1PriorityLevelConfigurationSpec,
  V1ResourcePolicyRule,
} from '#api/generated/types.ts';

/** Specs by name. */
export type Specs<T> = Readonly<Record<string, T>>;

/** `true` on objects that the server may bring up to date. */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec';

const rejecting: V1LimitedPriorityLevelConfiguration = {
  nominalConcurrencyShares: 5,
  limitResponse: { type: 'Reject' },
  lendablePercent: 0,
};

export const mandatoryPriorityLevels: Specs<V1PriorityLevelConfigurationSpec> = {
  exempt: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  'catch-all': { type: 'Limited', limited: rejecting },
};

export const suggestedPriorityLevels: Specs<V1PriorityLevelConfigurationSpec> = {
  system: queuing({ shares: 30, lendable: 33, queues: 64, handSize: 6 }),
  'node-high': queuing({ shares: 40, lendable: 25, queues: 64, handSize: 6 }),
  'leader-election': queuing({ shares: 10, lendable: 0, queues: 16, handSize: 4 }),
  'workload-high': queuing({ shares: 40, lendable: 50, queues: 128, handSize: 6 }),
  'workload-low': queuing({ shares: 100, lendable: 90, queues: 128, handSize: 6 }),
  'global-default': queuing({ shares: 20, lendable: 50, queues: 128, handSize: 6 }),
};

const everybody = groups('system:unauthenticated', 'system:authenticated');
const controllers = users('system:kube-controller-manager');
const kubeSystem = (name: string): FlowcontrolV1Subject => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: 'kube-system' } });
const locks = ['get', 'create', 'update'];
const leases: V1ResourcePolicyRule = {
  verbs: locks,
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  namespaces: ['*'],
};

export const mandatoryFlowSchemas: Specs<V1FlowSchemaSpec> = {
  exempt: schema('exempt', 1, '', everything(groups('system:masters'))),
  'catch-all': schema('catch-all', 10_000, 'ByUser', everything(everybody)),
};

export const suggestedFlowSchemas: Specs<V1FlowSchemaSpec> = {
  'system-nodes': schema('system', 500, 'ByUser', everything(groups('system:nodes'))),
  'system-node-high': schema('node-high', 400, 'ByUser', {
    subjects: groups('system:nodes'),
    resourceRules: [
      { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ['*'] },
      { ...leases, verbs: ['*'] },
    ],
  }),
  probes: schema('exempt', 2, '', {
    subjects: everybody,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  'system-leader-election': schema('leader-election', 100, 'ByUser', {
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), kubeSystem('*')],
    resourceRules: [leases],
  }),
  'endpoint-controller': schema('workload-high', 150, 'ByUser', {
    subjects: [...controllers, kubeSystem('endpoint-controller'), kubeSystem('endpointslicemirroring-controller')],
    resourceRules: [{ verbs: locks, apiGroups: [''], resources: ['endpoints'], namespaces: ['*'] }],
  }),
  'workload-leader-election': schema('leader-election', 200, 'ByUser', {
    subjects: [kubeSystem('*')],
    resourceRules: [{ verbs: locks, apiGroups: [''], resources: ['endpoints', 'configmaps'], namespaces: ['*'] }, leases],
  }),
  'kube-controller-manager': schema('workload-high', 800, 'ByNamespace', everything(controllers)),
  'kube-scheduler': schema('workload-high', 800, 'ByNamespace', everything(users('system:kube-scheduler'))),
  'kube-system-service-accounts': schema('workload-high', 900, 'ByNamespace', everything([kubeSystem('*')])),
  'service-accounts': schema('workload-low', 9_000, 'ByUser', everything(groups('system:serviceaccounts'))),
  'global-default': schema('global-default', 9_900, 'ByUser', everything(everybody)),
};

interface Queuing {
  readonly shares: number;
  readonly lendable: number;
  readonly queues: number;
  readonly handSize: number;
}

function queuing({ shares, lendable, queues, handSize }: Queuing): V1PriorityLevelConfigurationSpec {
  return {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
      lendablePercent: lendable,
    },
  };
}

function schema(
  level: string,
  matchingPrecedence: number,
  method: '' | 'ByUser' | 'ByNamespace',
  rules: V1PolicyRulesWithSubjects,
): V1FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence,
    ...(method === '' ? {} : { distinguisherMethod: { type: method } }),
    rules: [rules],
  };
}

function everything(subjects: FlowcontrolV1Subject[]): V1PolicyRulesWithSubjects {
  return {
    subjects,
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  };
}

function groups(...names: string[]): FlowcontrolV1Subject[] {
  return names.map((name) => ({ kind: 'Group', group: { name } }));
}

function users(...names: string[]): FlowcontrolV1Subject[] {
  return names.map((name) => ({ kind: 'User', user: { name } }));
}
