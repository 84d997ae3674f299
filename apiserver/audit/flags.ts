// `--audit-*`: what to audit, and where the events go.
import { boolFlag, durationFlag, type FlagValues, intFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { readFlagFile } from '../authn/flags.ts';
import type { BatchOptions } from './batching-sink.ts';
import { apiVersion } from './event-text.ts';
import { type LogFormat, logFormats } from './log-sink.ts';
import type { PolicyDocument } from './policy.ts';
import { readPolicy } from './policy-file.ts';
import type { TruncateOptions } from './truncating-sink.ts';

const sendingModes = ['batch', 'blocking', 'blocking-strict'] as const;
export type SendingMode = (typeof sendingModes)[number];

/** How events come to one place. */
export interface Delivery {
  readonly mode: SendingMode;
  readonly batch: BatchOptions;
  readonly truncate: TruncateOptions | undefined;
}

export interface AuditSettings {
  readonly policy: PolicyDocument;
  readonly log:
    | {
        /** `-` is the standard output. */
        readonly path: string;
        readonly maxAgeDays: number;
        readonly maxBackups: number;
        readonly maxMegabytes: number;
        readonly compress: boolean;
        readonly format: LogFormat;
        readonly delivery: Delivery;
      }
    | undefined;
  readonly webhook: { readonly endpoint: ApiEndpoint; readonly initialBackoffMs: number; readonly delivery: Delivery } | undefined;
}

const logFlags = {
  'audit-log-path': stringFlag('', 'Writes the audit events of requests to this file; - is the standard output', { valueName: 'file' }),
  'audit-log-maxage': intFlag(0, 'Days that old audit logs are kept; 0: for ever'),
  'audit-log-maxbackup': intFlag(0, 'Old audit logs that are kept; 0: all'),
  'audit-log-maxsize': intFlag(0, 'Megabytes from which on a new audit log is begun; 0: a hundred'),
  'audit-log-compress': boolFlag(false, 'Packs old audit logs with gzip'),
  'audit-log-format': stringFlag('json', 'json, or legacy: a line of text for each event'),
  'audit-log-version': stringFlag(apiVersion, 'API group and version of the events in the log'),
  'audit-log-mode': stringFlag(
    'blocking',
    'batch: events are written later; blocking: before requests go on; blocking-strict: or not at all',
  ),
  'audit-log-batch-buffer-size': intFlag(10_000, 'Events that may wait to be written. Only in batch mode'),
  'audit-log-batch-max-size': intFlag(1, 'Events that are written at a time. Only in batch mode'),
  'audit-log-batch-max-wait': durationFlag(0, 'How long events wait for others. Only in batch mode'),
  'audit-log-batch-throttle-enable': boolFlag(false, 'Limits how many batches are written a second. Only in batch mode'),
  'audit-log-batch-throttle-qps': stringFlag('0', 'Batches that are written a second', { valueName: 'float' }),
  'audit-log-batch-throttle-burst': intFlag(0, 'Batches that are written at once after a quiet time'),
  'audit-log-truncate-enabled': boolFlag(false, 'Takes objects out of events that are too large'),
  'audit-log-truncate-max-batch-size': intFlag(10 * 1024 * 1024, 'Bytes that are written at a time'),
  'audit-log-truncate-max-event-size': intFlag(100 * 1024, 'Bytes that an event may have'),
} as const;

const webhookFlags = {
  'audit-webhook-config-file': stringFlag('', 'A kubeconfig with the server that audit events are sent to', { valueName: 'file' }),
  'audit-webhook-initial-backoff': durationFlag(10_000, 'How long to wait before the second attempt to send events'),
  'audit-webhook-version': stringFlag(apiVersion, 'API group and version of the events for the webhook'),
  'audit-webhook-mode': stringFlag('batch', 'batch, blocking or blocking-strict, as --audit-log-mode'),
  'audit-webhook-batch-buffer-size': intFlag(10_000, 'Events that may wait to be sent. Only in batch mode'),
  'audit-webhook-batch-max-size': intFlag(400, 'Events that are sent at a time. Only in batch mode'),
  'audit-webhook-batch-max-wait': durationFlag(30_000, 'How long events wait for others. Only in batch mode'),
  'audit-webhook-batch-throttle-enable': boolFlag(true, 'Limits how many batches are sent a second. Only in batch mode'),
  'audit-webhook-batch-throttle-qps': stringFlag('10', 'Batches that are sent a second', { valueName: 'float' }),
  'audit-webhook-batch-throttle-burst': intFlag(15, 'Batches that are sent at once after a quiet time'),
  'audit-webhook-truncate-enabled': boolFlag(false, 'Takes objects out of events that are too large'),
  'audit-webhook-truncate-max-batch-size': intFlag(10 * 1024 * 1024, 'Bytes that are sent at a time'),
  'audit-webhook-truncate-max-event-size': intFlag(100 * 1024, 'Bytes that an event may have'),
} as const;

export const auditFlags = {
  'audit-policy-file': stringFlag('', 'A Policy: which requests are audited, and how much of them', { valueName: 'file' }),
  ...logFlags,
  ...webhookFlags,
} as const;

type Values = FlagValues<typeof auditFlags>;

/** Undefined where nothing is audited. Throws UsageError in upstream's words. */
export function readAudit(values: Values): AuditSettings | undefined {
  const log = values['audit-log-path'] === '' ? undefined : readLog(values);
  const webhook = values['audit-webhook-config-file'] === '' ? undefined : readWebhook(values);
  const path = values['audit-policy-file'];
  if (path === '') return undefined;
  const policy = readPolicy(readFlagFile(path, 'audit-policy-file'), path);
  return log === undefined && webhook === undefined ? undefined : { policy, log, webhook };
}

function readLog(values: Values): AuditSettings['log'] {
  const format = logFormats.find((one) => one === values['audit-log-format']);
  for (const name of ['audit-log-maxage', 'audit-log-maxbackup', 'audit-log-maxsize'] as const) {
    if (values[name] < 0) throw new UsageError(`--${name} ${values[name]} can't be a negative number`);
  }
  if (format === undefined) {
    throw new UsageError(`invalid audit log format ${values['audit-log-format']}, allowed formats are "${logFormats.join(',')}"`);
  }
  return {
    path: values['audit-log-path'],
    maxAgeDays: values['audit-log-maxage'],
    maxBackups: values['audit-log-maxbackup'],
    maxMegabytes: values['audit-log-maxsize'],
    compress: values['audit-log-compress'],
    format,
    delivery: readDelivery(values, 'log'),
  };
}

function readWebhook(values: Values): AuditSettings['webhook'] {
  const path = values['audit-webhook-config-file'];
  try {
    const endpoint = findEndpoint({ path, env: {} });
    return { endpoint, initialBackoffMs: values['audit-webhook-initial-backoff'], delivery: readDelivery(values, 'webhook') };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`initializing audit webhook: ${error.message}`, { exitCode: 1, cause: error });
  }
}

function readDelivery(values: Values, plugin: 'log' | 'webhook'): Delivery {
  const asked = values[`audit-${plugin}-mode`];
  const mode = sendingModes.find((one) => one === asked);
  if (mode === undefined) {
    throw new UsageError(`invalid audit ${plugin} mode ${asked}, allowed modes are "${sendingModes.join(',')}"`);
  }
  const written = values[`audit-${plugin}-version`];
  if (written !== apiVersion) throw new UsageError(`invalid group version ${written}, allowed versions are "[${apiVersion}]"`);
  return { mode, batch: readBatch(values, plugin, mode), truncate: readTruncate(values, plugin) };
}

function readBatch(values: Values, plugin: 'log' | 'webhook', mode: SendingMode): BatchOptions {
  const bufferSize = values[`audit-${plugin}-batch-buffer-size`];
  const maxSize = values[`audit-${plugin}-batch-max-size`];
  const isThrottled = values[`audit-${plugin}-batch-throttle-enable`];
  const qps = Number(values[`audit-${plugin}-batch-throttle-qps`]);
  const burst = values[`audit-${plugin}-batch-throttle-burst`];
  if (mode === 'batch') {
    positive(`batch ${plugin} buffer size`, bufferSize);
    positive(`batch ${plugin} max batch size`, maxSize);
    if (isThrottled) positive(`batch ${plugin} throttle QPS`, qps);
    if (isThrottled) positive(`batch ${plugin} throttle burst`, burst);
  }
  return {
    bufferSize,
    maxSize,
    maxWaitMs: values[`audit-${plugin}-batch-max-wait`],
    throttle: isThrottled ? { qps, burst } : undefined,
    maxSending: 16,
  };
}

function readTruncate(values: Values, plugin: 'log' | 'webhook'): TruncateOptions | undefined {
  const maxEventBytes = values[`audit-${plugin}-truncate-max-event-size`];
  const maxBatchBytes = values[`audit-${plugin}-truncate-max-batch-size`];
  positive(`truncate ${plugin} max event size`, maxEventBytes);
  if (maxBatchBytes < maxEventBytes) {
    const why = `must be greater than max event size (${maxEventBytes})`;
    throw new UsageError(`invalid audit truncate ${plugin} max batch size ${maxBatchBytes}, ${why}`);
  }
  return values[`audit-${plugin}-truncate-enabled`] ? { maxBatchBytes, maxEventBytes } : undefined;
}

function positive(what: string, value: number): void {
  if (!(value > 0)) throw new UsageError(`invalid audit ${what} ${value}, must be a positive number`);
}
