import type { CoreV1Event } from '#api/generated/types.ts';
import { ApiError } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../../registry/contract.ts';
import { concerns } from '../refusal.ts';
import { Buckets, type Rate } from './buckets.ts';

export const limitTypes = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const;
export type LimitType = (typeof limitTypes)[number];

export interface EventLimit extends Rate {
  readonly type: LimitType;
  /** How many namespaces, users or objects to remember. */
  readonly cacheSize: number;
}

/** What shares a bucket. */
const keys: Readonly<Record<LimitType, (request: AdmissionRequest) => string>> = {
  Server: () => '',
  Namespace: ({ context }) => context.namespace,
  User: ({ context }) => context.user.name,
  SourceAndObject: ({ object }) => {
    const { source = {}, involvedObject } = object as unknown as CoreV1Event;
    const { kind, namespace, name, uid, apiVersion } = involvedObject;
    return [source.component, source.host, kind, namespace, name, uid, apiVersion].map((part) => part ?? '').join('');
  },
};

/** EventRateLimit: refuses events of the core group that come too fast. Each limit is asked each time, whatever the others say. */
export function eventRateLimit(limits: readonly EventLimit[], clock: Clock): AdmissionPlugin {
  const kept = limits.map(({ type, cacheSize, ...rate }) => ({ type, buckets: new Buckets(rate, cacheSize, clock) }));
  return {
    name: 'EventRateLimit',
    validate: (request) => {
      const { operation } = request;
      if (!concerns(request, 'events') || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      const reached = kept.flatMap(({ type, buckets }) => {
        const key = keys[type](request);
        return buckets.take(key) ? [] : [`limit reached on type ${type} for key ${key}`];
      });
      if (reached.length === 0) return;
      const text = reached.length === 1 ? reached[0] : `[${reached.join(', ')}]`;
      throw new ApiError({ reason: 'TooManyRequests', message: `Too many requests: ${text}` });
    },
  };
}
