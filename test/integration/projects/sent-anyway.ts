// Objects that kubectl calls "configured" each time, although nothing changes: what it sends always, by its own reckoning.

/** Whatever kubectl. */
const always: Readonly<Record<string, readonly string[]>> = {
  // Templates of claims are one value, which the server has filled in.
  'cassandra.yaml': ['statefulset/cassandra'],
  'postgres.yaml': ['statefulset/postgres', 'secret/postgres'],
  'prometheus.yaml': ['statefulset/prometheus-k8s', 'secret/alertmanager-main'],
  'zookeeper.yaml': ['statefulset/zk'],
  // Volumes of a pod, beside which the server has put the account's token.
  'csi-hostpath.yaml': ['pod/my-csi-app-inline'],
  'docs-pods.yaml': ['pod/environment', 'pod/volumes', 'pod/scheduling', 'pod/resources'],
  // Amounts in another form than the server's, and no for what is no anyway.
  'docs-policies.yaml': [
    'resourcequota/pods-high',
    'resourcequota/objects',
    'limitrange/limits',
    'priorityclass/high-priority-nonpreempting',
  ],
  // Lists that are one value, with defaults inside.
  'argo-cd.yaml': ['networkpolicy/argocd-repo-server-network-policy'],
  'docs-services.yaml': ['endpointslice/by-hand-1'],
  'docs-storage.yaml': ['resourceclaimtemplate/gpu-template'],
  'docs-workloads.yaml': ['statefulset/web-parallel', 'horizontalpodautoscaler/every-metric'],
  'jobs.yaml': ['job/indexed'],
  // null, nought, and what is empty.
  'cilium.yaml': ['deployment/cilium-operator'],
  'flannel.yaml': ['daemonset/kube-flannel-ds'],
  'guestbook.yaml': ['priorityclass/guestbook', 'deployment/frontend'],
  'helm-chart.yaml': ['deployment/release-example'],
  'ingress-nginx.yaml': ['configmap/ingress-nginx-controller', 'deployment/ingress-nginx-controller'],
  'longhorn.yaml': ['priorityclass/longhorn-critical', 'service/longhorn-frontend'],
  // A strategy without its type.
  'istio.yaml': ['deployment/istiod'],
  'metrics-server.yaml': ['deployment/metrics-server'],
  'nginx.yaml': ['deployment/nginx'],
};

/** A budget's selector is replaced, not merged; kubectls from before policy/v1 merge it as they merge what they do not know. */
const budgets: Readonly<Record<string, string>> = {
  'calico.yaml': 'calico-kube-controllers',
  'coredns.yaml': 'coredns',
  'istio.yaml': 'istiod',
  'nginx.yaml': 'nginx',
  'postgres.yaml': 'postgres',
  'prometheus.yaml': 'prometheus-k8s',
  'zookeeper.yaml': 'zk-pdb',
};

/** kubectls from before batch/v1 has CronJobs replace their lists, in which the server has filled in defaults. */
const cronJobs: Readonly<Record<string, string>> = { 'jobs.yaml': 'hello', 'postgres.yaml': 'postgres-backup' };

/** Of a project, for kubectl 1.`minor`. */
export function sentAnyway(project: string, minor: number): readonly string[] {
  const [kind, names] = minor >= 21 ? (['poddisruptionbudget', budgets] as const) : (['cronjob', cronJobs] as const);
  const name = names[project];
  return [...(always[project] ?? []), ...(name === undefined ? [] : [`${kind}/${name}`])];
}
