import type { Clock } from '#base/clock.ts';
import type { ClientMetrics } from '../client-metrics.ts';
import type { Client } from '../client.ts';
import type { ApiEndpoint } from '../endpoint.ts';
import { connect, type RestClient } from '../rest.ts';
import { accountOf } from './account-names.ts';
import { AccountToken } from './account-token.ts';

interface AccountClientsOptions {
  readonly api: ApiEndpoint;
  /** The process's name, with which every client's user agent begins. */
  readonly component: string;
  /** The process's own: it makes the accounts and asks for their tokens. */
  readonly client: Client;
  readonly clock: Clock;
  readonly version?: string | undefined;
  readonly metrics?: ClientMetrics | undefined;
}

/** One client for each account that controllers work as; connects when first used. */
export class AccountClients implements AsyncDisposable {
  readonly #options: AccountClientsOptions;
  readonly #clients = new Map<string, RestClient>();
  readonly #over = new AbortController();

  constructor(options: AccountClientsOptions) {
    this.#options = options;
  }

  clientFor(controller: string): Client {
    const name = accountOf(controller);
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const { api, component, client, clock, version, metrics } = this.#options;
    const token = new AccountToken({ client, name, clock, signal: this.#over.signal });
    const endpoint: ApiEndpoint = { ...api, credentials: { kind: 'token-source', source: token } };
    const made = connect(endpoint, { clock, component: `${component}/${name}`, version, metrics });
    this.#clients.set(name, made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error('the controllers end'));
    await Promise.all([...this.#clients.values()].map((client) => client[Symbol.asyncDispose]()));
  }
}
