// The way to a KMS plugin: gRPC over a socket of this host. gRPC is loaded with the first plugin that a configuration names.
import { randomUUID } from 'node:crypto';
import type { Client, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import {
  decodeDecryptResponse,
  decodeEncryptResponse,
  decodeStatus,
  encodeDecryptRequest,
  encodeEncryptRequest,
  kmsMethods,
  type PluginStatus,
  type Wrapped,
} from './messages.ts';

const channelOptions = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
};

interface PluginAddress {
  /** `unix:///run/kms.sock`. */
  readonly endpoint: string;
  /** How long a call may take. */
  readonly timeoutMs: number;
}

/** Called after every call with its gRPC code, spelled as by Go's library. */
type OnCall = (call: { readonly method: string; readonly code: string; readonly seconds: number }) => void;

export class PluginClient implements Disposable {
  readonly #address: PluginAddress;
  readonly #clock: Clock;
  readonly #onCall: OnCall;
  #client: Promise<Client> | undefined;

  constructor(address: PluginAddress, clock: Clock, onCall: OnCall = () => undefined) {
    this.#address = address;
    this.#clock = clock;
    this.#onCall = onCall;
  }

  async status(signal: AbortSignal): Promise<PluginStatus> {
    return decodeStatus(await this.#call(kmsMethods.status, Buffer.alloc(0), signal));
  }

  async encrypt(plaintext: Uint8Array, signal: AbortSignal): Promise<Wrapped> {
    return decodeEncryptResponse(await this.#call(kmsMethods.encrypt, encodeEncryptRequest(plaintext, randomUUID()), signal));
  }

  async decrypt(wrapped: Wrapped, signal: AbortSignal): Promise<Uint8Array> {
    return decodeDecryptResponse(await this.#call(kmsMethods.decrypt, encodeDecryptRequest(wrapped, randomUUID()), signal));
  }

  [Symbol.dispose](): void {
    void this.#client?.then((client) => client.close());
  }

  /** One call, tried once. Rejects with an Error whose message is the plugin's, or with the signal's reason. */
  async #call(method: string, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    this.#client ??= this.#connect();
    const client = await this.#client;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const startMs = this.#clock.monotonicMs();
    const over = (code: string): void => this.#onCall({ method, code, seconds: (this.#clock.monotonicMs() - startMs) / 1_000 });
    using deadline = this.#clock.deadline(signal, this.#address.timeoutMs);
    const call = client.makeUnaryRequest(method, asIs, asIs, request as Buffer, (error, answer) => {
      if (error === null && answer !== undefined) resolve(answer);
      else reject(failure(error));
    });
    const cancel = (): void => call.cancel();
    deadline.signal.addEventListener('abort', cancel, { once: true });
    try {
      const answer = await promise;
      over('OK');
      return answer;
    } catch (error) {
      over(deadline.signal.aborted && !signal.aborted ? 'DeadlineExceeded' : codeOf(error));
      signal.throwIfAborted();
      if (deadline.signal.aborted) throw new Error('rpc error: code = DeadlineExceeded desc = context deadline exceeded', { cause: error });
      throw error;
    }
  }

  async #connect(): Promise<Client> {
    const { Client: GrpcClient, credentials } = await import('@grpc/grpc-js');
    return new GrpcClient(this.#address.endpoint, credentials.createInsecure(), channelOptions);
  }
}

function failure(error: ServiceError | null): Error {
  if (error === null) return new Error('the plugin gave an empty answer');
  return new Error(`rpc error: code = ${codeNames[error.code] ?? error.code} desc = ${error.details}`, { cause: error });
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as Partial<ServiceError> | undefined) : undefined;
  return codeNames[cause?.code ?? -1] ?? 'unknown-non-grpc';
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

/** As Go spells them. */
const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];
