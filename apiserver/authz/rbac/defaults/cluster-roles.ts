// Upstream's default cluster roles with the feature gates of v1.36 at their defaults
// (plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go). The lines are read by ruleOf.

/** One default role: its rules, or the labels by whose roles it is filled. */
export interface DefaultClusterRole {
  readonly rules?: readonly string[];
  /** The label that roles carry whose rules this one gathers. */
  readonly gathers?: string;
  /** The label by which this role's rules are gathered. */
  readonly gatheredBy?: string;
}

const toAdmin = 'rbac.authorization.k8s.io/aggregate-to-admin';
const toEdit = 'rbac.authorization.k8s.io/aggregate-to-edit';
const toView = 'rbac.authorization.k8s.io/aggregate-to-view';

export const eventsLine = 'create patch update | core events.k8s.io | events';
const allVerbs = 'create delete deletecollection get list patch update watch';
const reads = 'get list watch';
const writes = 'create delete deletecollection patch update';
const signers = (verb: string, ...names: string[]): string =>
  `${verb} | certificates.k8s.io | signers | ${names.map((name) => `kubernetes.io/${name}`).join(' ')}`;
const delegation = ['create | authentication.k8s.io | tokenreviews', 'create | authorization.k8s.io | subjectaccessreviews'];

/** What a node may do as far as that does not depend on which node it is. The Node authorizer holds nodes to it. */
export const nodeRules: readonly string[] = [
  'create | authentication.k8s.io | tokenreviews',
  'create | authorization.k8s.io | localsubjectaccessreviews subjectaccessreviews',
  `${reads} | core | services`,
  'create get list watch | core | nodes',
  'patch update | core | nodes/status',
  'patch update | core | nodes',
  'create patch update | core | events',
  `${reads} | core | pods`,
  'create delete | core | pods',
  'patch update | core | pods/status',
  'create | core | pods/eviction',
  `${reads} | core | configmaps secrets`,
  'get | core | persistentvolumeclaims persistentvolumes',
  'get | core | endpoints',
  'create get list watch | certificates.k8s.io | certificatesigningrequests',
  'create delete get patch update | coordination.k8s.io | leases',
  'get | storage.k8s.io | volumeattachments',
  'create | core | serviceaccounts/token',
  'get patch update | core | persistentvolumeclaims/status',
  `${reads} | storage.k8s.io | csidrivers`,
  'create delete get patch update | storage.k8s.io | csinodes',
  `${reads} | node.k8s.io | runtimeclasses`,
  'get | resource.k8s.io | resourceclaims',
  'deletecollection | resource.k8s.io | resourceslices',
  'get | core | serviceaccounts',
];

/** Roles for people. */
const userRoles: Readonly<Record<string, DefaultClusterRole>> = {
  'cluster-admin': { rules: ['* | * | *', '* | URLs | *'] },
  'system:discovery': {
    rules: ['get | URLs | /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'],
  },
  'system:monitoring': {
    rules: [
      'get | URLs | /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*',
      'get | URLs | /flagz',
      'get | URLs | /statusz',
    ],
  },
  'system:basic-user': {
    rules: [
      'create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews',
      'create | authentication.k8s.io | selfsubjectreviews',
    ],
  },
  'system:public-info-viewer': { rules: ['get | URLs | /healthz /livez /readyz /version /version/'] },
  admin: { gathers: toAdmin },
  edit: { gathers: toEdit, gatheredBy: toAdmin },
  view: { gathers: toView, gatheredBy: toEdit },
  'system:aggregate-to-admin': {
    gatheredBy: toAdmin,
    rules: ['create | authorization.k8s.io | localsubjectaccessreviews', `${allVerbs} | rbac.authorization.k8s.io | rolebindings roles`],
  },
  'system:aggregate-to-edit': {
    gatheredBy: toEdit,
    rules: [
      `${reads} | core | pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy`,
      'impersonate | core | serviceaccounts',
      `${writes} | core | pods pods/attach pods/exec pods/portforward pods/proxy`,
      'create | core | pods/eviction',
      `${writes} | core | configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy`,
      'create | core | serviceaccounts/token',
      `${writes} | apps | daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale`,
      `${writes} | autoscaling | horizontalpodautoscalers`,
      `${writes} | batch | cronjobs jobs`,
      `${writes} | extensions | daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale`,
      `${writes} | policy | poddisruptionbudgets`,
      `${writes} | networking.k8s.io | ingresses networkpolicies`,
      `${allVerbs} | coordination.k8s.io | leases`,
      `${writes} | resource.k8s.io | resourceclaims resourceclaimtemplates`,
    ],
  },
  'system:aggregate-to-view': {
    gatheredBy: toView,
    rules: [
      `${reads} | core | configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status`,
      `${reads} | core | bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status`,
      `${reads} | core | namespaces`,
      `${reads} | discovery.k8s.io | endpointslices`,
      `${reads} | apps | controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status`,
      `${reads} | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status`,
      `${reads} | batch | cronjobs cronjobs/status jobs jobs/status`,
      `${reads} | extensions | daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale`,
      `${reads} | policy | poddisruptionbudgets poddisruptionbudgets/status`,
      `${reads} | networking.k8s.io | ingresses ingresses/status networkpolicies`,
      `${reads} | resource.k8s.io | resourceclaims resourceclaims/status resourceclaimtemplates`,
    ],
  },
};

/** Roles for the cluster's components and add-ons. */
const componentRoles: Readonly<Record<string, DefaultClusterRole>> = {
  'system:heapster': { rules: [`${reads} | core | events namespaces nodes pods`, `${reads} | extensions | deployments`] },
  'system:node': { rules: nodeRules },
  'system:node-problem-detector': { rules: ['get | core | nodes', 'patch | core | nodes/status', eventsLine] },
  'system:kubelet-api-admin': {
    rules: [
      `${reads} | core | nodes`,
      'proxy | core | nodes',
      '* | core | nodes/log nodes/metrics nodes/proxy nodes/stats',
      '* | core | nodes/configz nodes/healthz nodes/pods',
    ],
  },
  'system:node-bootstrapper': { rules: ['create get list watch | certificates.k8s.io | certificatesigningrequests'] },
  'system:auth-delegator': { rules: delegation },
  'system:kube-aggregator': { rules: [`${reads} | core | endpoints services`] },
  'system:kube-controller-manager': {
    rules: [
      eventsLine,
      'create | coordination.k8s.io | leases',
      'get update | coordination.k8s.io | leases | kube-controller-manager',
      'create | core | secrets serviceaccounts',
      'delete | core | secrets',
      'get | core | configmaps namespaces secrets serviceaccounts',
      'update | core | secrets serviceaccounts',
      ...delegation,
      'list watch | * | *',
      'create | core | serviceaccounts/token',
    ],
  },
  'system:kube-dns': { rules: ['list watch | core | endpoints services'] },
  'system:persistent-volume-provisioner': {
    rules: [
      'create delete get list watch | core | persistentvolumes',
      'get list update watch | core | persistentvolumeclaims',
      `${reads} | storage.k8s.io | storageclasses`,
      'watch | core | events',
      eventsLine,
    ],
  },
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': {
    rules: ['create | certificates.k8s.io | certificatesigningrequests/nodeclient'],
  },
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': {
    rules: ['create | certificates.k8s.io | certificatesigningrequests/selfnodeclient'],
  },
  'system:volume-scheduler': {
    rules: [
      'get list patch update watch | core | persistentvolumes',
      `${reads} | storage.k8s.io | storageclasses`,
      'get list patch update watch | core | persistentvolumeclaims',
    ],
  },
  'system:certificates.k8s.io:legacy-unknown-approver': { rules: [signers('approve', 'legacy-unknown')] },
  'system:certificates.k8s.io:kubelet-serving-approver': { rules: [signers('approve', 'kubelet-serving')] },
  'system:certificates.k8s.io:kube-apiserver-client-approver': { rules: [signers('approve', 'kube-apiserver-client')] },
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': { rules: [signers('approve', 'kube-apiserver-client-kubelet')] },
  'system:service-account-issuer-discovery': {
    rules: ['get | URLs | /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/'],
  },
  'system:node-proxier': {
    rules: [
      'list watch | core | endpoints services',
      `${reads} | core | nodes`,
      eventsLine,
      'list watch | networking.k8s.io | servicecidrs',
      'list watch | discovery.k8s.io | endpointslices',
    ],
  },
  'system:kube-scheduler': {
    rules: [
      eventsLine,
      'create | coordination.k8s.io | leases',
      'get update | coordination.k8s.io | leases | kube-scheduler',
      `${reads} | core | nodes`,
      'delete get list watch | core | pods',
      'create | core | bindings pods/binding',
      'patch update | core | pods/status',
      `${reads} | core | replicationcontrollers services`,
      `${reads} | apps extensions | replicasets`,
      `${reads} | apps | statefulsets`,
      `${reads} | policy | poddisruptionbudgets`,
      `${reads} | core | persistentvolumeclaims persistentvolumes`,
      ...delegation,
      `${reads} | storage.k8s.io | csinodes`,
      `${reads} | storage.k8s.io | volumeattachments`,
      `${reads} | core | namespaces`,
      `${reads} | storage.k8s.io | csidrivers`,
      `${reads} | storage.k8s.io | csistoragecapacities`,
      `${reads} | resource.k8s.io | deviceclasses`,
      'get list patch update watch | resource.k8s.io | resourceclaims',
      'get list patch update watch | resource.k8s.io | resourceclaims/status',
      'get list patch update watch | core | pods/finalizers',
      `${reads} | resource.k8s.io | resourceslices`,
      'patch update | resource.k8s.io | resourceclaims/binding',
    ],
  },
};

export const defaultClusterRoles: Readonly<Record<string, DefaultClusterRole>> = { ...userRoles, ...componentRoles };

/** Subjects of the default cluster bindings, by the role that each binding has its name from. */
export const defaultClusterBindings: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['Group system:masters'],
  'system:monitoring': ['Group system:monitoring'],
  'system:discovery': ['Group system:authenticated'],
  'system:basic-user': ['Group system:authenticated'],
  'system:public-info-viewer': ['Group system:authenticated', 'Group system:unauthenticated'],
  'system:node-proxier': ['User system:kube-proxy'],
  'system:kube-controller-manager': ['User system:kube-controller-manager'],
  'system:kube-dns': ['ServiceAccount kube-dns'],
  'system:kube-scheduler': ['User system:kube-scheduler'],
  'system:volume-scheduler': ['User system:kube-scheduler'],
  // Nodes get their rights from the Node authorizer; the binding without subjects undoes older ones.
  'system:node': [],
  'system:service-account-issuer-discovery': ['Group system:serviceaccounts'],
};
