// What Kubernetes v1.36 publishes of these families: type, stability, labels, and the buckets of histograms. Facts to hold ours against.
interface UpstreamFamily {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly stability: 'STABLE' | 'BETA' | 'ALPHA' | '';
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const request = ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'];
const dryRun = ['component', 'dry_run', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'];
const resource = ['group', 'resource'];
const durations = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const doubling = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];
const admission = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const watchLists = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60];
const lifetimes = [0, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000];
const bodies = Array.from({ length: 31 }, (_, step) => 50_000 + step * 100_000);
const build = ['build_date', 'compiler', 'git_commit', 'git_tree_state', 'git_version', 'go_version', 'major', 'minor', 'platform'];

const counter = (stability: UpstreamFamily['stability'], ...labels: string[]): UpstreamFamily => ({ type: 'counter', stability, labels });
const gauge = (stability: UpstreamFamily['stability'], ...labels: string[]): UpstreamFamily => ({ type: 'gauge', stability, labels });
const histogram = (stability: UpstreamFamily['stability'], buckets: readonly number[], ...labels: string[]): UpstreamFamily => ({
  type: 'histogram',
  stability,
  labels,
  buckets,
});

/** By name, for the API server. */
export const upstreamFamilies: Readonly<Record<string, UpstreamFamily>> = {
  apiserver_admission_controller_admission_duration_seconds: histogram('STABLE', admission, 'name', 'operation', 'rejected', 'type'),
  apiserver_admission_step_admission_duration_seconds: histogram('STABLE', admission, 'operation', 'rejected', 'type'),
  apiserver_audit_error_total: counter('ALPHA', 'plugin'),
  apiserver_audit_event_total: counter('ALPHA'),
  apiserver_audit_level_total: counter('ALPHA', 'level'),
  apiserver_audit_requests_rejected_total: counter('ALPHA'),
  apiserver_authorization_decisions_total: counter('ALPHA', 'decision', 'name', 'type'),
  apiserver_cache_list_fetched_objects_total: counter('ALPHA', 'group', 'index', 'resource'),
  apiserver_cache_list_returned_objects_total: counter('ALPHA', ...resource),
  apiserver_cache_list_total: counter('ALPHA', 'group', 'index', 'resource'),
  apiserver_client_certificate_expiration_seconds: histogram('ALPHA', lifetimes),
  apiserver_current_inflight_requests: gauge('STABLE', 'request_kind'),
  apiserver_impersonation_attempts_duration_seconds: histogram('ALPHA', doubling, 'decision', 'mode'),
  apiserver_impersonation_attempts_total: counter('ALPHA', 'decision', 'mode'),
  apiserver_impersonation_authorization_attempts_duration_seconds: histogram('ALPHA', doubling, 'decision', 'mode'),
  apiserver_impersonation_authorization_attempts_total: counter('ALPHA', 'decision', 'mode'),
  apiserver_init_events_total: counter('ALPHA', ...resource),
  apiserver_longrunning_requests: gauge('STABLE', ...request),
  apiserver_request_body_size_bytes: histogram('ALPHA', bodies, 'group', 'resource', 'verb'),
  apiserver_request_duration_seconds: histogram('STABLE', durations, ...dryRun),
  apiserver_request_sli_duration_seconds: histogram('ALPHA', durations.slice(2), ...request),
  apiserver_request_terminations_total: counter('ALPHA', 'code', ...request),
  apiserver_request_total: counter('STABLE', 'code', ...dryRun),
  apiserver_requested_deprecated_apis: gauge('STABLE', 'group', 'removed_release', 'resource', 'subresource', 'version'),
  apiserver_resource_objects: gauge('ALPHA', ...resource),
  apiserver_resource_size_estimate_bytes: gauge('ALPHA', ...resource),
  apiserver_response_sizes: histogram('STABLE', [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9], ...request),
  apiserver_storage_events_received_total: counter('BETA', ...resource),
  apiserver_storage_objects: gauge('STABLE', 'resource'),
  apiserver_storage_size_bytes: gauge('STABLE', 'storage_cluster_id'),
  apiserver_storage_transformation_duration_seconds: histogram(
    'ALPHA',
    Array.from({ length: 25 }, (_, step) => 5e-6 * 2 ** step),
    'transformation_type',
    'transformer_prefix',
  ),
  apiserver_storage_transformation_operations_total: counter('ALPHA', 'resource', 'status', 'transformation_type', 'transformer_prefix'),
  apiserver_terminated_watchers_total: counter('ALPHA', ...resource),
  apiserver_tls_handshake_errors_total: counter('ALPHA'),
  apiserver_watch_cache_consistent_read_total: counter('ALPHA', 'fallback', 'group', 'resource', 'success'),
  apiserver_watch_cache_events_dispatched_total: counter('ALPHA', ...resource),
  apiserver_watch_cache_events_received_total: counter('ALPHA', ...resource),
  apiserver_watch_cache_initializations_total: counter('ALPHA', ...resource),
  apiserver_watch_cache_read_wait_seconds: histogram('ALPHA', durations.slice(0, 13), ...resource),
  apiserver_watch_cache_resource_version: gauge('ALPHA', ...resource),
  apiserver_watch_events_sizes: histogram(
    'ALPHA',
    [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072],
    'group',
    'resource',
    'version',
  ),
  apiserver_watch_events_total: counter('ALPHA', 'group', 'resource', 'version'),
  apiserver_watch_list_duration_seconds: histogram('BETA', watchLists, 'group', 'resource', 'scope', 'version'),
  authenticated_user_requests: counter('ALPHA', 'username'),
  authentication_attempts: counter('ALPHA', 'result'),
  authentication_duration_seconds: histogram('ALPHA', doubling, 'result'),
  authorization_attempts_total: counter('ALPHA', 'result'),
  authorization_duration_seconds: histogram('ALPHA', doubling, 'result'),
  serviceaccount_stale_tokens_total: counter('ALPHA'),
  serviceaccount_valid_tokens_total: counter('ALPHA'),
  disabled_metrics_total: counter('BETA'),
  etcd_request_duration_seconds: histogram('ALPHA', durations, 'group', 'operation', 'resource'),
  etcd_request_errors_total: counter('ALPHA', 'group', 'operation', 'resource'),
  etcd_requests_total: counter('ALPHA', 'group', 'operation', 'resource'),
  hidden_metrics_total: counter('BETA'),
  kubernetes_build_info: gauge('BETA', ...build),
  kubernetes_feature_enabled: gauge('BETA', 'name', 'stage'),
  process_cpu_seconds_total: counter(''),
  process_max_fds: gauge(''),
  process_open_fds: gauge(''),
  process_resident_memory_bytes: gauge(''),
  process_start_time_seconds: gauge(''),
  process_virtual_memory_bytes: gauge(''),
  process_virtual_memory_max_bytes: gauge(''),
  registered_metrics_total: counter('BETA', 'deprecated_version', 'stability_level'),
};
