// A service account's token, asked for by whoever may make accounts and tokens (upstream's --use-service-account-credentials). The
// account is made where there is none. One request at a time: who comes meanwhile waits for the same answer.
import { serviceAccount } from '#api/core/service-account.ts';
import type { AuthenticationV1TokenRequest } from '#api/generated/types.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Client } from '../client.ts';
import type { TokenSource } from '../endpoint.ts';

interface AccountTokenOptions {
  /** A client that may create service accounts and their tokens. */
  readonly client: Client;
  readonly name: string;
  readonly clock: Clock;
  /** Ends requests that are on their way. */
  readonly signal: AbortSignal;
}

const namespace = 'kube-system';
const lifetimeSeconds = 3_600;
/** A token is renewed when less of its life is left. */
const renewBeforeMs = 600_000;

export class AccountToken implements TokenSource {
  readonly #options: AccountTokenOptions;
  #known: { readonly text: string; readonly untilMs: number } | undefined;
  #asking: Promise<string> | undefined;

  constructor(options: AccountTokenOptions) {
    this.#options = options;
  }

  get(): string | Promise<string> {
    if (this.#known !== undefined && this.#options.clock.nowMs() < this.#known.untilMs) return this.#known.text;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  forget(): void {
    this.#known = undefined;
  }

  async #ask(): Promise<string> {
    const { name } = this.#options;
    let text: string;
    try {
      text = await this.#request();
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      await this.#makeAccount(name);
      text = await this.#request();
    }
    this.#known = { text, untilMs: this.#options.clock.nowMs() + lifetimeSeconds * 1_000 - renewBeforeMs };
    return text;
  }

  async #request(): Promise<string> {
    const { client, name, signal } = this.#options;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: { audiences: [], expirationSeconds: lifetimeSeconds },
    };
    const answer = await client.createSub(serviceAccount, { namespace, name }, 'token', body, signal);
    return (answer as unknown as AuthenticationV1TokenRequest).status?.token ?? '';
  }

  async #makeAccount(name: string): Promise<void> {
    const { client, signal } = this.#options;
    try {
      await client.create(serviceAccount, { metadata: { name, namespace } }, {}, signal);
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
    }
  }
}
