// Publishes the API servers of a cluster: each keeps a Lease in kube-system, and removes those of servers that have
// ended (upstream's pkg/controlplane/apiserver: names, labels and times are the same). Beside it, since when the use of tokens kept in
// Secrets is written down (pkg/controlplane/controller/legacytokentracking).
import { createHash, randomUUID } from 'node:crypto';
import type { V1ConfigMap, V1Lease } from '#api/generated/types.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { microTimeText } from '#client/timestamps.ts';
import { internalContext } from '../internal-context.ts';
import { everything } from '../list-everything.ts';
import type { DeleteRequest, Registry, RequestContext } from '../registry/contract.ts';
import { keepObjects } from './keep-objects.ts';

interface ServerIdentityDeps {
  readonly registry: Registry;
  /** Identifies this machine among the servers. */
  readonly hostname: string;
  readonly clock: Clock;
  readonly log: Log;
}

const leaseSeconds = 3_600;
const collectMs = 3_600_000;
const namespace = 'kube-system';
const component = 'kube-apiserver';
const identityLabel = 'apiserver.kubernetes.io/identity';
const trackingName = 'kube-apiserver-legacy-service-account-token-tracking';

/** Keeps this server's Lease, renewed every ten seconds. Ready at once. */
export function identityLease(deps: ServerIdentityDeps): Service {
  const { hostname, clock, registry } = deps;
  const name = serverId(hostname);
  const holderIdentity = `${name}_${randomUUID()}`;
  const renewed = (found?: V1Lease): V1Lease => ({
    ...found,
    metadata: {
      ...found?.metadata,
      name,
      namespace,
      labels: { ...found?.metadata.labels, [identityLabel]: component, 'kubernetes.io/hostname': hostname },
    },
    spec: { ...found?.spec, holderIdentity, leaseDurationSeconds: leaseSeconds, renewTime: microTimeText(clock.nowMs()) },
  });
  return keeper(deps, "the server's Lease", 10_000, async (context) => {
    const kind = registry.find('coordination.k8s.io', 'v1', 'leases');
    if (kind === undefined) return;
    try {
      await registry.change(kind, name, (found) => renewed(found as V1Lease) as KubeObject, context);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      await registry.createObject(kind, renewed() as KubeObject, context);
    }
  });
}

/** Removes, every hour, the Leases of servers that have not renewed them for as long as they last. */
export function endedServers(deps: ServerIdentityDeps): Service {
  const { clock, registry } = deps;
  return keeper(deps, 'the Leases of servers that ended', collectMs, async (context) => {
    const kind = registry.find('coordination.k8s.io', 'v1', 'leases');
    if (kind === undefined) return;
    const { items } = await registry.list(kind, { ...everything, labelSelector: `${identityLabel}=${component}` }, context);
    for (const item of items) {
      const { metadata, spec } = item.object() as V1Lease;
      if (hasEnded(spec, clock.nowMs())) await registry.delete(kind, metadata.name ?? '', unlessRenewed(metadata), context);
    }
  });
}

/** Keeps the day on which this began. */
export function tokenTracking(deps: ServerIdentityDeps): Service {
  const { clock, registry } = deps;
  return keeper(deps, 'the tracking of tokens', 12 * 3_600_000, async (context) => {
    const kind = registry.find('', 'v1', 'configmaps');
    if (kind === undefined) return;
    const since = new Date(clock.nowMs()).toISOString().slice(0, 10);
    try {
      const { data } = (await registry.get(kind, trackingName, '', context)).object() as V1ConfigMap;
      if (/^\d{4}-\d{2}-\d{2}$/.test(data?.['since'] ?? '')) return;
      await registry.change(
        kind,
        trackingName,
        (found) => ({ ...found, data: { ...(found as V1ConfigMap).data, since } }) as KubeObject,
        context,
      );
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      const object: V1ConfigMap = { metadata: { name: trackingName, namespace }, data: { since } };
      await registry.createObject(kind, object as KubeObject, context);
    }
  });
}

/** `apiserver-` and a hash of both names, each behind its length in two bytes. */
export function serverId(hostname: string): string {
  const hash = createHash('sha256');
  for (const part of [hostname, component]) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return `apiserver-${base32(hash.digest().subarray(0, 16))}`;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 in small letters, without padding. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

/** A server that comes back in between keeps its Lease. */
function unlessRenewed({ uid, resourceVersion }: V1Lease['metadata']): DeleteRequest {
  return { gracePeriodSeconds: undefined, propagationPolicy: undefined, orphanDependents: undefined, uid, resourceVersion };
}

function hasEnded(spec: V1Lease['spec'], nowMs: number): boolean {
  const { renewTime, leaseDurationSeconds } = spec ?? {};
  if (renewTime === undefined || leaseDurationSeconds === undefined) return true;
  return Date.parse(renewTime) + leaseDurationSeconds * 1_000 < nowMs;
}

function keeper(
  { clock, log }: ServerIdentityDeps,
  what: string,
  intervalMs: number,
  reconcile: (context: RequestContext) => Promise<void>,
): Service {
  return {
    name: what,
    run: async (signal, ready) => {
      ready();
      const look = (life: AbortSignal): Promise<void> => reconcile(internalContext({ namespace }, life));
      await keepObjects({ what, reconcile: look, intervalMs, clock, log }, signal, () => undefined);
    },
  };
}
