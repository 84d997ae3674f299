// A node that belongs to no cluster: it runs static pods and reports to its log only (upstream's standalone mode).
import type { Pod } from '#api/core/pod/pod.ts';
import type { Log } from '#base/log.ts';
import { type Client, TransportError } from '#client/client.ts';
import type { ReferenceRecorder } from '#client/events.ts';
import type { ApiPods } from './pods/node-pods.ts';

/** Pods of an API server that there is not: none, and that is known at once. */
export const noApiPods: ApiPods = {
  hasSynced: true,
  synced: Promise.resolve(),
  list: (): readonly Pod[] => [],
  get: () => undefined,
  subscribe: () => () => undefined,
};

/** For what a pod asks of the API (a ConfigMap, a token): every question fails with words that say why. */
export function absentClient(): Client {
  const refuse = (): Promise<never> => Promise.reject(new TransportError('this node runs without an API server'));
  return {
    get: refuse,
    list: refuse,
    create: refuse,
    createSub: refuse,
    update: refuse,
    patch: refuse,
    delete: refuse,
    deleteCollection: refuse,
    raw: refuse,
    watch: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
  };
}

/** Events go into the log. */
export function loggedEvents(log: Log): ReferenceRecorder {
  const about: ReferenceRecorder['about'] = ({ kind, namespace, name }, type, reason, message) =>
    log[type === 'Warning' ? 'warn' : 'debug']({ kind, object: namespace === undefined ? name : `${namespace}/${name}`, reason }, message);
  return {
    about,
    event: ({ kind, metadata }, type, reason, message) =>
      about(
        { kind: kind ?? '', name: metadata.name ?? '', ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) },
        type,
        reason,
        message,
      ),
  };
}
