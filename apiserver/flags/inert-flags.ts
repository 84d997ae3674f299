// Upstream's flags that change nothing here. Those that are met anyway, or concern what upstream alone has, are accepted; one that
// cannot be honoured is rejected, with the reason. README.md says the same as a table.
import { boolFlag, durationFlag, type FlagValues, intFlag, listFlag, partsFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';

const accepted = 'Accepted for compatibility';
const notYet = 'Not supported yet';

export const inertFlags = {
  'aggregator-reject-forwarding-redirect': boolFlag(true, `${accepted}: no requests are passed to other API servers yet`),
  'apiserver-count': intFlag(1, `${accepted}: API servers count themselves by their leases`),
  'coordinated-leadership-lease-duration': durationFlag(15_000, `${accepted}: nothing coordinates leaders`),
  'coordinated-leadership-renew-deadline': durationFlag(10_000, `${accepted}: nothing coordinates leaders`),
  'coordinated-leadership-retry-period': durationFlag(2_000, `${accepted}: nothing coordinates leaders`),
  'delete-collection-workers': intFlag(1, `${accepted}: objects of a collection are deleted 50 at a time`),
  'disable-http2-serving': boolFlag(false, 'Only false is supported: clients choose HTTP/1.1 by themselves'),
  'enable-aggregator-routing': boolFlag(false, `${accepted}: no requests are passed to other API servers yet`),
  'enable-garbage-collector': boolFlag(true, 'Only true is supported'),
  'endpoint-reconciler-type': stringFlag('lease', 'Only lease is supported'),
  'etcd-count-metric-poll-period': durationFlag(60_000, `${accepted}: objects are counted as they come and go`),
  'etcd-db-metric-poll-interval': durationFlag(30_000, `${accepted}: the size is read when the metric is scraped`),
  'etcd-servers-overrides': listFlag([], 'Not supported: all objects are kept in one store'),
  'kubelet-timeout': durationFlag(5_000, `${accepted}: a request to a kubelet lasts as long as the client's, as upstream's`),
  'kubernetes-service-node-port': intFlag(0, 'Only 0 is supported: the Service `kubernetes` is of type ClusterIP'),
  'lease-reuse-duration-seconds': intFlag(60, `${accepted}: leases of etcd are shared for up to 60 seconds, and by up to 1,000 objects`),
  'log-flush-frequency': durationFlag(5_000, `${accepted}: lines are written at once`),
  'log-text-info-buffer-size': stringFlag('0', `${accepted}: lines are written at once`),
  'log-text-split-stream': boolFlag(false, 'Only false is supported: the log is one stream'),
  'logging-format': stringFlag('text', `${accepted}: the log is JSON, a line each`),
  'max-connection-bytes-per-sec': intFlag(0, 'Only 0 is supported: no connection is slowed down'),
  'peer-advertise-ip': stringFlag('', 'Not supported: no requests are passed to other API servers'),
  'peer-advertise-port': stringFlag('', 'Not supported, as --peer-advertise-ip'),
  'peer-ca-file': stringFlag('', 'Not supported, as --peer-advertise-ip', { valueName: 'file' }),
  'permit-address-sharing': boolFlag(false, `${accepted}: SO_REUSEADDR is always set`),
  'permit-port-sharing': boolFlag(false, 'Only false is supported: a port is taken by one server'),
  'storage-backend': stringFlag('', 'etcd3, or nothing'),
  'storage-initialization-timeout': durationFlag(60_000, `${accepted}: readyz says when the store has been read`),
  'storage-media-type': stringFlag('application/vnd.kubernetes.protobuf', `${accepted}: objects are stored as JSON`),
  'tls-sni-cert-key': partsFlag('Not supported yet: the server shows one certificate'),
  vmodule: stringFlag('', `${accepted}: the level of the log is COXSWAIN_LOG_LEVEL`),
  'watch-cache': boolFlag(true, 'Only true is supported: everything is read from the watch cache'),
  'watch-cache-sizes': listFlag([], `${accepted}: the cache grows and shrinks by itself`),
  ...notSupported(
    'authentication-token-webhook-cache-ttl',
    'authentication-token-webhook-version',
    'authorization-config',
    'authorization-policy-file',
    'authorization-webhook-cache-authorized-ttl',
    'authorization-webhook-cache-unauthorized-ttl',
    'authorization-webhook-config-file',
    'authorization-webhook-version',
    'egress-selector-config-file',
    'oidc-ca-file',
    'oidc-client-id',
    'oidc-groups-claim',
    'oidc-groups-prefix',
    'oidc-required-claim',
    'oidc-signing-algs',
    'oidc-username-claim',
    'oidc-username-prefix',
    'service-account-signing-endpoint',
    'tracing-config-file',
  ),
} as const;

type Values = FlagValues<typeof inertFlags>;

/** Why a value cannot be had; undefined where it can. */
type Judge<K extends keyof Values> = (value: Values[K]) => string | undefined;

const isNot =
  <T>(only: T, why: string) =>
  (value: T) =>
    value === only ? undefined : why;

/** Those that are refused for some values, in words that follow `--flag=value is not supported: `. */
const reasons: { readonly [K in keyof Values]?: Judge<K> } = {
  'disable-http2-serving': isNot(false, 'HTTP/2 is always offered, and clients that want HTTP/1.1 get it'),
  'enable-garbage-collector': isNot(true, 'whoever deletes decides what becomes of dependents'),
  'endpoint-reconciler-type': isNot('lease', 'servers keep the endpoints of the Service `kubernetes` by leases'),
  'etcd-servers-overrides': (value) => (value.length === 0 ? undefined : 'all objects are kept in one store'),
  'kubernetes-service-node-port': isNot(0, 'the Service `kubernetes` is of type ClusterIP'),
  'log-text-split-stream': isNot(false, 'the log is one stream'),
  'max-connection-bytes-per-sec': isNot(0, 'no connection is slowed down'),
  'peer-advertise-ip': isNot('', 'no requests are passed to other API servers'),
  'peer-advertise-port': isNot('', 'no requests are passed to other API servers'),
  'peer-ca-file': isNot('', 'no requests are passed to other API servers'),
  'permit-port-sharing': isNot(false, 'a port is taken by one server'),
  'tls-sni-cert-key': (value) => (value.length === 0 ? undefined : 'the server shows one certificate'),
  'watch-cache': isNot(true, 'everything is read from the watch cache'),
};

/** Throws UsageError: in upstream's words for what it refuses as well, else with the reason. */
export function checkInert(values: Values, given: ReadonlySet<string>): void {
  for (const [name, flag] of Object.entries(inertFlags)) {
    if (flag.help === notYet && given.has(name)) throw new UsageError(`--${name} is not supported yet`);
    const value = values[name as keyof Values];
    const why = (reasons[name as keyof Values] as ((value: unknown) => string | undefined) | undefined)?.(value);
    if (why !== undefined)
      throw new UsageError(`--${name}=${Array.isArray(value) ? value.join(',') : String(value)} is not supported: ${why}`);
  }
  if (values['apiserver-count'] <= 0) {
    throw new UsageError(`--apiserver-count should be a positive number, but value '${values['apiserver-count']}' provided`);
  }
  if (values['storage-backend'] !== '' && values['storage-backend'] !== 'etcd3') {
    throw new UsageError("--storage-backend invalid, allowed values: etcd3. If not specified, it will default to 'etcd3'");
  }
  const media = values['storage-media-type'];
  if (!mediaTypes.includes(media)) {
    throw new UsageError(`--storage-media-type ${JSON.stringify(media)} invalid, allowed values: ${mediaTypes.join(', ')}`);
  }
  for (const size of values['watch-cache-sizes']) checkCacheSize(size);
}

const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

function checkCacheSize(text: string): void {
  const [, size] = /^[^#]*#([^#]*)$/.exec(text) ?? [];
  if (size === undefined) throw new UsageError(`invalid value of watch cache size: ${text}`);
  if (!/^[+-]?\d+$/.test(size)) throw new UsageError(`could not parse size of watch cache size: ${text}`);
  if (Number(size) < 0) throw new UsageError(`watch cache size cannot be negative: ${text}`);
  if (Number(size) === 0) throw new UsageError(`--watch-cache-sizes=${text} is not supported: everything is read from the watch cache`);
}

function notSupported<const N extends string>(...names: N[]): { readonly [K in N]: ReturnType<typeof stringFlag> } {
  return Object.fromEntries(names.map((name) => [name, stringFlag('', notYet)])) as { [K in N]: ReturnType<typeof stringFlag> };
}
