// The way to an etcd cluster: one gRPC client for each member, one member in use at a time.
//
// How it works: every call goes to the member in use. A call that finds it unreachable, silent or without a leader for longer than an election
// takes leaves it: the next member is in use from then on, and whatever is under way at the one that was left ends, so that its owners ask
// again. A member is silent when a call is late and nothing else came from it meanwhile: a write that was lost with a leader is no fault of
// the member that passed it on. Calls ask that the member knows a leader (`hasleader`), or a member cut off from the others would let
// watches wait for ever. gRPC itself pings a silent peer; etcd cuts off who does so more often than every five seconds. gRPC is loaded with
// the first connection: who keeps objects in an embedded store pays nothing for it.
//
// Where one server is given, as kubeadm does on a control plane, the others that it knows stand in for it while it is gone: it is asked for them
// now and then, and is used again once it answers.
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type * as grpcJs from '@grpc/grpc-js';
import type { ChannelCredentials, Client, ClientDuplexStream, Metadata, ServiceError } from '@grpc/grpc-js';
import { type Clock, DeadlineExceeded } from '#base/clock.ts';
import { FileWatch } from '#base/file-watch.ts';
import type { Log } from '#base/log.ts';
import { StoreError } from '../contract.ts';
import { type EtcdCredentials, type EtcdTlsFiles, readCredentials } from './credentials.ts';
import { EtcdFailure, etcdFailure } from './failures.ts';
import { decodeMembers, methods } from './messages.ts';

const channelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 6_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 250,
  // Trying again is ours, since only we know which calls may be made twice.
  'grpc.enable_retries': 0,
  // What others in this process do with gRPC is no business of ours, and no proxy stands between an API server and etcd.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
};

/** TLS knows names only: gRPC would tell the server an address as one, which Node warns of. */
const namelessOptions = { 'grpc.ssl_target_name_override': 'etcd' };

/** An election takes milliseconds once somebody stands. A member that knows no leader for longer is cut off from the others. */
const leaderlessMs = 300;
/** How often the one server that is given is asked for the other members. */
const membersEveryMs = 15_000;
const membersTimeoutMs = 2_000;

export interface EtcdConnectionOptions {
  /** `https://HOST:PORT`, or http. At least one. */
  readonly servers: readonly string[];
  /** For https; read again when they change. */
  readonly tls: EtcdTlsFiles;
  readonly clock: Clock;
  readonly log: Log;
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

type Grpc = typeof grpcJs;

interface Member {
  readonly server: string;
  /** Nobody named it but another member. */
  readonly isStandIn: boolean;
  client: Client;
  /** Aborts when the member is left. */
  use: AbortController;
  /** Monotonic: when something last came from it. */
  heardMs: number;
  /** Monotonic: since when it knows no leader; undefined: it knows one. */
  leaderlessMs: number | undefined;
}

export class EtcdConnection implements AsyncDisposable {
  readonly #grpc: Grpc;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tls: EtcdTlsFiles;
  #credentials: EtcdCredentials;
  readonly #metadata: Metadata;
  #members: readonly Member[];
  #inUse = 0;
  #membersDueMs = 0;
  readonly #closing = new AbortController();
  readonly #renewing: Promise<void>;

  private constructor(grpc: Grpc, { servers, tls, clock, log }: EtcdConnectionOptions) {
    this.#grpc = grpc;
    this.#clock = clock;
    this.#log = log;
    this.#tls = tls;
    this.#credentials = readCredentials(tls);
    this.#metadata = new grpc.Metadata();
    this.#metadata.set('hasleader', 'true');
    this.#members = servers.map((server) => this.#memberAt(server, false));
    const paths = Object.values(tls).filter((path) => path !== undefined);
    const renewal = new FileWatch({ paths, onChange: () => this.#renew(), clock, log });
    this.#renewing = renewal.run(this.#closing.signal, () => undefined).catch(() => undefined);
  }

  /** Connects when the first call is made. Throws StoreError 'unavailable' for files that cannot be read and addresses that are none. */
  static async open(options: EtcdConnectionOptions): Promise<EtcdConnection> {
    for (const server of options.servers) {
      if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
        throw new StoreError('unavailable', `${server} is no address of an etcd server: must be such as https://127.0.0.1:2379`);
      }
    }
    return new EtcdConnection(await import('@grpc/grpc-js'), options);
  }

  /** The member that calls go to. */
  get server(): string {
    return this.#member.server;
  }

  /** Those that calls may go to. */
  get servers(): readonly string[] {
    return this.#members.map(({ server }) => server);
  }

  /** One call, tried once. Rejects with EtcdFailure, or with the signal's reason. */
  async call(method: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    this.#checkOpen();
    options.signal.throwIfAborted();
    const member = this.#member;
    const answer = await this.#callAt(member, method, request, options);
    if (this.#clock.monotonicMs() >= this.#membersDueMs) void this.#learnMembers();
    return answer;
  }

  /** A stream of answers to one request, until the signal aborts. Rejects with EtcdFailure. */
  async *stream(method: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    this.#checkOpen();
    if (signal.aborted) return;
    const member = this.#member;
    const over = AbortSignal.any([signal, member.use.signal]);
    const call: ClientDuplexStream<Buffer, Buffer> = member.client.makeBidiStreamRequest(method, asIs, asIs, this.#metadata, {});
    const cancel = (): void => call.cancel();
    over.addEventListener('abort', cancel, { once: true });
    // The iterator tells of errors; one that comes when nobody iterates any more is nobody's.
    call.on('error', () => undefined);
    try {
      call.write(request as Buffer);
      for await (const answer of call) {
        if (signal.aborted) return;
        member.heardMs = this.#clock.monotonicMs();
        yield answer as Buffer;
      }
      if (!signal.aborted) throw new EtcdFailure('again', 'unavailable', 'etcd ended a stream');
    } catch (error) {
      if (!signal.aborted) throw this.#failureOf(error, member, signal);
    } finally {
      over.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(closed());
    for (const { use } of this.#members) use.abort();
    await this.#renewing;
    for (const { client } of this.#members) client.close();
  }

  get #member(): Member {
    const member = this.#members[this.#inUse];
    if (member === undefined) throw new Error('there is no etcd server');
    return member;
  }

  async #callAt(member: Member, method: string, request: Uint8Array, { timeoutMs, signal }: CallOptions): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const fromMs = this.#clock.monotonicMs();
    const { use } = member;
    using deadline = this.#clock.deadline(signal, timeoutMs);
    const call = member.client.makeUnaryRequest(method, asIs, asIs, request as Buffer, this.#metadata, {}, (error, answer) => {
      if (answer !== undefined) resolve(answer);
      else reject(error ?? new EtcdFailure('again', 'unavailable', 'etcd gave an empty answer'));
    });
    const cancel = (): void => call.cancel();
    deadline.signal.addEventListener('abort', cancel, { once: true });
    use.signal.addEventListener('abort', cancel, { once: true });
    try {
      const answer = await promise;
      member.heardMs = this.#clock.monotonicMs();
      member.leaderlessMs = undefined;
      return answer;
    } catch (error) {
      throw this.#failureOf(error, member, deadline.signal, fromMs);
    } finally {
      use.signal.removeEventListener('abort', cancel);
    }
  }

  /** `fromMs`: since when an answer was waited for; streams wait for none. */
  #failureOf(error: unknown, member: Member, signal: AbortSignal, fromMs = Number.POSITIVE_INFINITY): unknown {
    if (this.#closing.signal.aborted) return this.#closing.signal.reason;
    const isLate = signal.aborted && signal.reason instanceof DeadlineExceeded;
    if (signal.aborted && !isLate) return signal.reason;
    const failure = isLate ? new EtcdFailure('again', 'timeout', 'context deadline exceeded', { cause: error }) : judged(error);
    if (failure instanceof EtcdFailure && failure.verdict === 'again') {
      const isExcused = isLate ? member.heardMs > fromMs : failure.isElection && !this.#isLeaderless(member);
      if (!isExcused) this.#leave(member, failure);
    }
    return failure;
  }

  #isLeaderless(member: Member): boolean {
    const nowMs = this.#clock.monotonicMs();
    member.leaderlessMs ??= nowMs;
    return nowMs - member.leaderlessMs > leaderlessMs;
  }

  #leave(member: Member, reason: Error): void {
    if (member !== this.#member || this.#members.length === 1) return;
    this.#use((this.#inUse + 1) % this.#members.length);
    this.#log.warn({ err: reason, left: member.server, server: this.server }, 'left a member of etcd for another one');
  }

  #use(at: number): void {
    const { use } = this.#member;
    this.#member.use = new AbortController();
    this.#inUse = at;
    this.#member.leaderlessMs = undefined;
    use.abort();
  }

  /** Asks the one server that is given who the others are; goes back to it where it was left. */
  async #learnMembers(): Promise<void> {
    this.#membersDueMs = this.#clock.monotonicMs() + membersEveryMs;
    const [given, ...standIns] = this.#members;
    if (given === undefined || standIns.some(({ isStandIn }) => !isStandIn)) return;
    try {
      const options = { timeoutMs: membersTimeoutMs, signal: this.#closing.signal };
      const { answeredBy, members } = decodeMembers(await this.#callAt(given, methods.members, Buffer.alloc(0), options));
      const others = members.filter(({ id, isLearner }) => id !== answeredBy && !isLearner);
      const urls = others.flatMap(({ clientUrls }) => clientUrls.find((url) => isSecure(url) === isSecure(given.server)) ?? []);
      if (this.#inUse !== 0) {
        this.#log.info({ left: this.server, server: given.server }, 'the member of etcd that was given is back');
        this.#use(0);
      }
      this.#standIn(given, standIns, urls);
    } catch (error) {
      this.#log.debug({ err: error, server: given.server }, 'the members of etcd could not be learned');
    }
  }

  /** Not while a stand-in is in use. */
  #standIn(given: Member, known: readonly Member[], urls: readonly string[]): void {
    for (const { server, client } of known) if (!urls.includes(server)) client.close();
    this.#members = [given, ...urls.map((url) => known.find(({ server }) => server === url) ?? this.#memberAt(url, true))];
  }

  #memberAt(server: string, isStandIn: boolean): Member {
    const client = this.#clientOf(server);
    return { server, isStandIn, client, use: new AbortController(), heardMs: Number.NEGATIVE_INFINITY, leaderlessMs: undefined };
  }

  #clientOf(server: string): Client {
    const options = isSecure(server) && isIP(hostOf(server)) > 0 ? { ...channelOptions, ...namelessOptions } : channelOptions;
    return new this.#grpc.Client(new URL(server).host, this.#channelCredentials(server), options);
  }

  #channelCredentials(server: string): ChannelCredentials {
    const { credentials } = this.#grpc;
    const { ca, cert, key } = this.#credentials;
    if (!isSecure(server)) return credentials.createInsecure();
    // Whatever name was told to the server, its certificate must be for where it was dialled.
    return credentials.createSsl(ca, key, cert, { checkServerIdentity: (_, found) => checkServerIdentity(hostOf(server), found) });
  }

  /** Takes new certificates for new connections; those that are open stay. */
  #renew(): void {
    this.#credentials = readCredentials(this.#tls);
    const clients = this.#members.map(({ server }) => this.#clientOf(server));
    for (const [at, member] of this.#members.entries()) {
      const old = member.client;
      member.client = clients[at] ?? old;
      old.close();
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw closed();
  }
}

function judged(error: unknown): unknown {
  if (error instanceof EtcdFailure || !(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return error;
  return etcdFailure(error.code, (error as ServiceError).details, error);
}

/** Without the brackets of IPv6. */
function hostOf(server: string): string {
  return new URL(server).hostname.replace(/^\[|\]$/g, '');
}

function isSecure(server: string): boolean {
  return server.startsWith('https:');
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function closed(): StoreError {
  return new StoreError('closed', 'the store is closed');
}
