import { request } from 'node:http';
import type { Clock } from '#base/clock.ts';
import type { PeerState } from './plan.ts';

/** What the proxy at an address says: that its node takes traffic, that it is about to go, or nothing that helps. */
export type Word = 'serves' | 'leaves' | 'silent';
/** Never rejects but for the signal. */
export type Probe = (address: string, signal: AbortSignal) => Promise<Word>;

/** So many questions in a row without a good answer, and a node counts as dead. */
const patience = 3;
const longestText = 1_000;

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
        const word = await this.#probe(address, signal);
        // Who says that it goes hands over at once, and goes on meanwhile.
        const after = { serves: { hasAnswered: true, failures: 0 }, leaves: { hasAnswered: true, failures: patience } };
        return [name, word === 'silent' ? { ...before, failures: before.failures + 1 } : after[word]] as const;
      }),
    );
    this.#known = new Map(answers);
  }
}

/** Asks `/healthz` at the port where kube-proxies serve it, as load balancers do. */
export function healthProbe(port: number, limitMs: number, clock: Clock): Probe {
  return async (host, signal) => {
    using deadline = clock.deadline(signal, limitMs);
    const word = await new Promise<Word>((resolve) => {
      const asking = request({ host, port, path: '/healthz', agent: false, signal: deadline.signal }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text = `${text}${chunk.toString()}`.slice(0, longestText)));
        response.on('error', () => resolve('silent'));
        response.on('end', () =>
          resolve(response.statusCode === 200 ? 'serves' : /"nodeEligible": ?false/.test(text) ? 'leaves' : 'silent'),
        );
      });
      asking.on('error', () => resolve('silent'));
      asking.end();
    });
    signal.throwIfAborted();
    return word;
  };
}
