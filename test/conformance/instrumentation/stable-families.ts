// Every metric that Kubernetes v1.36 calls stable or beta (its test/instrumentation/testdata/stable-metrics-list.yaml), by the process that
// shows it. Facts to hold ours against.

export type MetricProcess = 'kube-apiserver' | 'kube-scheduler' | 'kube-controller-manager' | 'kubelet' | 'every process';

/** `shown`: after the work that the test does; `rare`: known, but what it counts does not happen in the test. */
type Standing = 'shown' | 'rare' | { readonly absent: string };

export interface StableFamily {
  readonly name: string;
  readonly process: MetricProcess;
  readonly stability: 'STABLE' | 'BETA';
  readonly type: 'counter' | 'gauge' | 'histogram' | 'custom';
  readonly labels: readonly string[];
  readonly standing: Standing;
  /** Where it is read; default /metrics. */
  readonly path?: string;
}

type Row = readonly [name: string, type: StableFamily['type'], labels: string, standing?: Standing, path?: string];

const noFlowControl = { absent: 'requests are limited by number, not by priority and fairness' };
const noCel = { absent: 'no expressions are evaluated' };
const noJobs = { absent: 'Jobs have no controller' };
const noReload = { absent: 'there are no such configurations to read again' };

const apiServer: readonly Row[] = [
  ['apiserver_admission_controller_admission_duration_seconds', 'histogram', 'name operation rejected type'],
  ['apiserver_admission_step_admission_duration_seconds', 'histogram', 'operation rejected type'],
  [
    'apiserver_admission_webhook_admission_duration_seconds',
    'histogram',
    'name operation rejected type',
    { absent: 'there are no webhooks' },
  ],
  ['apiserver_current_inflight_requests', 'gauge', 'request_kind'],
  ['apiserver_longrunning_requests', 'gauge', 'component group resource scope subresource verb version'],
  ['apiserver_request_duration_seconds', 'histogram', 'component dry_run group resource scope subresource verb version'],
  ['apiserver_request_total', 'counter', 'code component dry_run group resource scope subresource verb version'],
  ['apiserver_requested_deprecated_apis', 'gauge', 'group removed_release resource subresource version'],
  ['apiserver_response_sizes', 'histogram', 'component group resource scope subresource verb version'],
  ['apiserver_storage_objects', 'gauge', 'resource'],
  ['apiserver_storage_size_bytes', 'custom', 'storage_cluster_id', 'rare'],
];
const apiServerBeta: readonly Row[] = [
  ['apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds', 'gauge', 'apiserver_id_hash status', noReload],
  ['apiserver_authentication_config_controller_automatic_reloads_total', 'counter', 'apiserver_id_hash status', noReload],
  ['apiserver_authorization_config_controller_automatic_reload_last_timestamp_seconds', 'gauge', 'apiserver_id_hash status', noReload],
  ['apiserver_authorization_config_controller_automatic_reloads_total', 'counter', 'apiserver_id_hash status', noReload],
  ['apiserver_cel_compilation_duration_seconds', 'histogram', '', noCel],
  ['apiserver_cel_evaluation_duration_seconds', 'histogram', '', noCel],
  ['apiserver_flowcontrol_current_executing_requests', 'gauge', 'flow_schema priority_level', noFlowControl],
  ['apiserver_flowcontrol_current_executing_seats', 'gauge', 'flow_schema priority_level', noFlowControl],
  ['apiserver_flowcontrol_current_inqueue_requests', 'gauge', 'flow_schema priority_level', noFlowControl],
  ['apiserver_flowcontrol_dispatched_requests_total', 'counter', 'flow_schema priority_level', noFlowControl],
  ['apiserver_flowcontrol_nominal_limit_seats', 'gauge', 'priority_level', noFlowControl],
  ['apiserver_flowcontrol_rejected_requests_total', 'counter', 'flow_schema priority_level reason', noFlowControl],
  ['apiserver_flowcontrol_request_wait_duration_seconds', 'histogram', 'execute flow_schema priority_level', noFlowControl],
  [
    'apiserver_validating_admission_policy_check_duration_seconds',
    'histogram',
    'enforcement_action error_type policy policy_binding',
    noCel,
  ],
  ['apiserver_validating_admission_policy_check_total', 'counter', 'enforcement_action error_type policy policy_binding', noCel],
  ['apiserver_validation_declarative_validation_mismatch_total', 'counter', '', { absent: 'there is one validation only' }],
  ['apiserver_validation_declarative_validation_panic_total', 'counter', '', { absent: 'there is one validation only' }],
];
const scheduler: readonly Row[] = [
  ['kube_pod_resource_limit', 'custom', 'namespace node pod priority resource scheduler unit', 'shown', '/metrics/resources'],
  ['kube_pod_resource_request', 'custom', 'namespace node pod priority resource scheduler unit', 'shown', '/metrics/resources'],
  ['scheduler_framework_extension_point_duration_seconds', 'histogram', 'extension_point profile status'],
  ['scheduler_pending_pods', 'gauge', 'queue'],
  ['scheduler_pod_scheduling_attempts', 'histogram', ''],
  ['scheduler_preemption_attempts_total', 'counter', ''],
  ['scheduler_preemption_victims', 'histogram', ''],
  ['scheduler_queue_incoming_pods_total', 'counter', 'event queue'],
  ['scheduler_schedule_attempts_total', 'counter', 'profile result'],
  ['scheduler_scheduling_attempt_duration_seconds', 'histogram', 'profile result'],
];
const schedulerBeta: readonly Row[] = [['scheduler_pod_scheduling_sli_duration_seconds', 'histogram', 'attempts']];
const controllerManager: readonly Row[] = [
  ['cronjob_controller_job_creation_skew_duration_seconds', 'histogram', '', noJobs],
  ['job_controller_job_pods_finished_total', 'counter', 'completion_mode result', noJobs],
  ['job_controller_job_sync_duration_seconds', 'histogram', 'action completion_mode result', noJobs],
  ['job_controller_job_syncs_total', 'counter', 'action completion_mode result', noJobs],
  ['job_controller_jobs_finished_total', 'counter', 'completion_mode reason result', noJobs],
  ['node_collector_evictions_total', 'counter', 'zone'],
];
const noStatefulSets = { absent: 'StatefulSets have no controller' };
const statefulSet = 'pod_management_policy statefulset_name statefulset_namespace';
const controllerManagerBeta: readonly Row[] = [
  ['statefulset_controller_statefulset_max_unavailable', 'gauge', statefulSet, noStatefulSets],
  ['statefulset_controller_statefulset_unavailable_replicas', 'gauge', statefulSet, noStatefulSets],
];
const resource = '/metrics/resource';
const kubelet: readonly Row[] = [
  ['container_cpu_usage_seconds_total', 'custom', 'container namespace pod', 'shown', resource],
  ['container_memory_working_set_bytes', 'custom', 'container namespace pod', 'shown', resource],
  ['container_start_time_seconds', 'custom', 'container namespace pod', 'rare', resource],
  ['node_cpu_usage_seconds_total', 'custom', '', 'shown', resource],
  ['node_memory_working_set_bytes', 'custom', '', 'shown', resource],
  ['pod_cpu_usage_seconds_total', 'custom', 'namespace pod', 'shown', resource],
  ['pod_memory_working_set_bytes', 'custom', 'namespace pod', 'shown', resource],
  ['resource_scrape_error', 'custom', '', 'shown', resource],
];
const kubeletBeta: readonly Row[] = [
  ['prober_probe_total', 'counter', 'container namespace pod pod_uid probe_type result', 'shown', '/metrics/probes'],
];
const everyProcess: readonly Row[] = [
  ['kubernetes_healthcheck', 'gauge', 'name type', 'shown', '/metrics/slis'],
  ['kubernetes_healthchecks_total', 'counter', 'name status type', 'shown', '/metrics/slis'],
];
const everyProcessBeta: readonly Row[] = [
  ['disabled_metrics_total', 'counter', ''],
  ['hidden_metrics_total', 'counter', ''],
  ['kubernetes_feature_enabled', 'gauge', 'name stage'],
  ['registered_metrics_total', 'counter', 'deprecated_version stability_level'],
];

const rows = (process: MetricProcess, stability: StableFamily['stability'], list: readonly Row[]): StableFamily[] =>
  list.map(([name, type, labels, standing = 'shown', path]) => ({
    name,
    process,
    stability,
    type,
    labels: labels.split(' ').filter((label) => label !== ''),
    standing,
    ...(path === undefined ? {} : { path }),
  }));

export const stableFamilies: readonly StableFamily[] = [
  ...rows('kube-apiserver', 'STABLE', apiServer),
  ...rows('kube-apiserver', 'BETA', apiServerBeta),
  ...rows('kube-scheduler', 'STABLE', scheduler),
  ...rows('kube-scheduler', 'BETA', schedulerBeta),
  ...rows('kube-controller-manager', 'STABLE', controllerManager),
  ...rows('kube-controller-manager', 'BETA', controllerManagerBeta),
  ...rows('kubelet', 'STABLE', kubelet),
  ...rows('kubelet', 'BETA', kubeletBeta),
  ...rows('every process', 'STABLE', everyProcess),
  ...rows('every process', 'BETA', everyProcessBeta),
];
