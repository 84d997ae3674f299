import { request } from 'node:http';
import type { Clock } from '#base/clock.ts';
import type { PeerState } from './plan.ts';

/** Whether the proxy at an address says that its node takes traffic. Never rejects but for the signal. */
export type Probe = (address: string, signal: AbortSignal) => Promise<boolean>;

/** So many questions in a row without a good answer, and a node counts as dead. */
const patience = 3;

/** What is known of other nodes' proxies: only of those that were asked in the last round. */
export class Peers {
  readonly #probe: Probe;
  #known = new Map<string, { readonly hasAnswered: boolean; readonly failures: number }>();

  constructor(probe: Probe) {
    this.#probe = probe;
  }

  stateOf(name: string): PeerState {
    const known = this.#known.get(name);
    if (known === undefined) return 'unknown';
    if (known.failures >= patience) return 'dead';
    return known.hasAnswered ? 'alive' : 'unknown';
  }

  /** Asks each once, all at a time. @param peers addresses by name. */
  async ask(peers: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    const answers = await Promise.all(
      [...peers].map(async ([name, address]) => {
        const before = this.#known.get(name) ?? { hasAnswered: false, failures: 0 };
        const isAlive = await this.#probe(address, signal);
        return [name, isAlive ? { hasAnswered: true, failures: 0 } : { ...before, failures: before.failures + 1 }] as const;
      }),
    );
    this.#known = new Map(answers);
  }
}

/** Asks `/healthz` at the port where kube-proxies serve it, as load balancers do. */
export function healthProbe(port: number, limitMs: number, clock: Clock): Probe {
  return async (host, signal) => {
    using deadline = clock.deadline(signal, limitMs);
    const isGood = await new Promise<boolean>((resolve) => {
      const asking = request({ host, port, path: '/healthz', agent: false, signal: deadline.signal }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asking.on('error', () => resolve(false));
      asking.end();
    });
    signal.throwIfAborted();
    return isGood;
  };
}
