import { type Service as KubeService, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';

export interface PublisherOptions {
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
const refreshMs = 60_000;

/**
 * Keeps the Service `kube-dns` and its one EndpointSlice as they must be, so that kube-proxy leads the well-known address here.
 * The Service has no selector: this process is no pod.
 */
export class Publisher implements Service {
  readonly name = 'dns publisher';
  readonly #options: PublisherOptions;

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
        await client.patch(endpointSlice, key, this.#slice(), { type: 'apply', force: true, fieldManager: manager }, signal);
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
    const { address, port } = this.#options;
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        ...key,
        labels: { 'kubernetes.io/service-name': key.name, 'endpointslice.kubernetes.io/managed-by': manager },
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
