import { lease as leaseKind, type Lease } from '#api/coordination/lease.ts';
import type { Node } from '#api/core/node/node.ts';
import { hasReason } from '#api/meta/status.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import { microTimeText } from '#client/timestamps.ts';

interface NodeLeaseDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** How long the lease counts; it is renewed four times as often. */
  readonly durationSeconds: number;
  /** Owns the lease once it is known. */
  readonly node: () => Node | undefined;
}

const namespace = 'kube-node-lease';

/** The node's heartbeat: a Lease in kube-node-lease, renewed every 10 seconds where it counts 40. */
export class NodeLease implements Service {
  readonly name = 'node lease';
  readonly #deps: NodeLeaseDeps;
  #known: Lease | undefined;

  constructor(deps: NodeLeaseDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log, durationSeconds } = this.#deps;
    const renewMs = 250 * durationSeconds;
    const backoff = new Backoff({ initialMs: 200, maxMs: 7_000 });
    ready();
    while (!signal.aborted) {
      let waitMs = renewMs;
      try {
        await this.#renew(signal);
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        this.#known = undefined;
        waitMs = backoff.next();
        log.warn({ err: error, retryMs: waitMs }, 'could not renew the node lease');
      }
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, clock, nodeName, durationSeconds } = this.#deps;
    const key = { namespace, name: nodeName };
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: durationSeconds, renewTime: microTimeText(clock.nowMs()) };
    try {
      this.#known ??= await client.get(leaseKind, key, signal);
      this.#known = await client.update(leaseKind, { ...this.#known, spec: { ...this.#known.spec, ...spec } }, {}, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      this.#known = await client.create(leaseKind, { metadata: { ...key, ...this.#owner() }, spec }, {}, signal);
    }
  }

  #owner(): object {
    const { uid, name = '' } = this.#deps.node()?.metadata ?? {};
    return uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] };
  }
}
