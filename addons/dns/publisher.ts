import { type Service as KubeService, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { hasReason } from '#api/meta/status.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';

interface PublisherOptions {
  readonly client: Client;
  /** The Service address that pods find in their resolv.conf. */
  readonly serviceIp: string;
  /** Where this process listens, as pods can reach it. */
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
}

const key = { namespace: 'kube-system', name: 'kube-dns' };
const manager = 'coxswain-dns';
const managedBy = 'endpointslice.kubernetes.io/managed-by';
const renewedAnnotation = 'coxswain.dev/renewed';
const refreshMs = 20_000;
/** A server whose slice was not written for this long is considered gone. */
const goneMs = 70_000;

/**
 * Keeps the Service `kube-dns` and this server's own EndpointSlice as they must be, so that kube-proxy leads the well-known address here,
 * among others. The Service has no selector: this process is no pod. Servers that stopped renewing their slices lose them; whether a slice
 * changes is seen by its resourceVersion and our own clock, so the clocks of hosts need not agree.
 */
export class Publisher implements Service {
  readonly name = 'dns publisher';
  readonly #options: PublisherOptions;
  /** What was seen of other servers' slices, and since when. */
  readonly #others = new Map<string, { readonly resourceVersion: string; readonly sinceMs: number }>();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { client, clock, log } = this.#options;
    const backoff = new Backoff({ initialMs: 50, maxMs: 10_000, jitter: 0.2 });
    ready();
    for (;;) {
      try {
        await client.patch(service, key, this.#service(), { type: 'apply', force: true, fieldManager: manager }, signal);
        const slice = this.#slice();
        const place = { namespace: key.namespace, name: slice.metadata.name ?? '' };
        await client.patch(endpointSlice, place, slice, { type: 'apply', force: true, fieldManager: manager }, signal);
        await this.#removeGone(place.name, signal);
        backoff.reset();
        await clock.sleep(refreshMs, signal);
      } catch (err) {
        if (isAbort(err, signal)) return;
        const ms = backoff.next();
        log[ms > 2_000 ? 'warn' : 'debug']({ err }, 'the DNS Service could not be published yet');
        await clock.sleep(ms, signal);
      }
    }
  }

  async #removeGone(own: string, signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const labelSelector = `kubernetes.io/service-name=${key.name},${managedBy}=${manager}`;
    const { items } = await client.list(endpointSlice, { namespace: key.namespace, labelSelector }, signal);
    for (const { metadata } of items) {
      const { name = '', resourceVersion = '' } = metadata;
      if (name === own) continue;
      const seen = this.#others.get(name);
      if (seen?.resourceVersion !== resourceVersion) {
        this.#others.set(name, { resourceVersion, sinceMs: nowMs });
      } else if (nowMs - seen.sinceMs > goneMs) {
        this.#others.delete(name);
        try {
          await client.delete(endpointSlice, { namespace: key.namespace, name }, { resourceVersion }, signal);
          log.info({ slice: name }, 'a DNS server is gone');
        } catch (error) {
          // It came back, or another server was faster.
          if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
        }
      }
    }
  }

  #service(): KubeService {
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        ...key,
        labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      },
      spec: {
        clusterIP: this.#options.serviceIp,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: this.#options.port },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: this.#options.port },
        ],
      },
    };
  }

  #slice(): EndpointSlice {
    const { address, port, clock } = this.#options;
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        namespace: key.namespace,
        name: `${key.name}-${address.replaceAll(/[.:]/g, '-')}`,
        labels: { 'kubernetes.io/service-name': key.name, [managedBy]: manager },
        annotations: { [renewedAnnotation]: new Date(clock.nowMs()).toISOString() },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
      ports: [
        { name: 'dns', port, protocol: 'UDP' },
        { name: 'dns-tcp', port, protocol: 'TCP' },
      ],
    };
  }
}
