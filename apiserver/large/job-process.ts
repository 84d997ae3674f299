// The process for large requests, as the server sees it.
//
// How it works: jobs wait in a bounded queue; the process does one at a time. It is started with the first job and ended when it has had
// nothing to do for a while, for it takes some 50 MB. A job that takes too long, or more memory than there is, costs the process its
// life: that job alone fails, and the next one starts another process. A thread would not do: when its heap is full while native code
// fills it (JSON.parse does), V8 ends all of the server.
// INVARIANT: `#current` is set while the process works, and only then; whatever happens to the process settles it.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { KindDefinition } from '#api/kind.ts';
import { ApiError } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Body } from '../registry/contract.ts';
import { compilesMuch, hasManyValues, isLargeBody } from './many-values.ts';
import type { Job, LargeWork, Order, Outcome, Result } from './contract.ts';
import { decodedError } from './encoded-error.ts';

export interface JobProcessLimits {
  /** Jobs that wait. */
  readonly jobs: number;
  /** Their bytes together. */
  readonly bytes: number;
  /** How long one may take. */
  readonly jobMs: number;
  /** How long the process lives without work. */
  readonly idleMs: number;
  /** Of the process' heap. */
  readonly heapMegabytes: number;
}

/** What a machine of a few gigabytes bears. */
const defaultLimits: JobProcessLimits = { jobs: 100, bytes: 64 * 1_024 * 1_024, jobMs: 30_000, idleMs: 30_000, heapMegabytes: 768 };

interface JobProcessDeps {
  /** Those that the process knows, too. */
  readonly kinds: readonly KindDefinition[];
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<JobProcessLimits> | undefined;
  /** What the process runs; default: `worker-main.ts`, or its bundle. */
  readonly entry?: URL | undefined;
}

/** How a process ended, or why it never was. */
interface Death {
  readonly code?: number | null;
  readonly killedBy?: NodeJS.Signals | null;
  /** The last that it said. */
  readonly said?: string;
  readonly error?: Error;
}

/** What a shell makes of SIGABRT, which V8 sends itself when the heap is full. */
const abortCode = 134;
const keptOutput = 2_000;

interface Waiting {
  readonly job: Job;
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly resolve: (result: Result<Job>) => void;
  readonly reject: (error: unknown) => void;
}

export class JobProcess implements LargeWork, Service {
  readonly name = 'large-requests';
  readonly #kinds: ReadonlySet<KindDefinition>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: JobProcessLimits;
  readonly #entry: URL;
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #current: (Waiting & { readonly deadline: Disposable }) | undefined;
  #process: ChildProcess | undefined;
  #idle: AbortController | undefined;
  #isStopped = false;

  constructor({ kinds, clock, log, limits, entry }: JobProcessDeps) {
    this.#kinds = new Set(kinds);
    this.#clock = clock;
    this.#log = log;
    this.#limits = { ...defaultLimits, ...limits };
    this.#entry = entry ?? entryBeside(import.meta.url);
  }

  /** Ends the process when the server stops. Jobs may come before it runs. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await aborted(signal);
    this.#isStopped = true;
    for (const { reject } of this.#queue.splice(0)) reject(shuttingDown());
    this.#queuedBytes = 0;
    this.#end(shuttingDown());
  }

  knows(kind: KindDefinition): boolean {
    return this.#kinds.has(kind);
  }

  takes(kind: KindDefinition, body: Body | undefined, previous: Uint8Array | undefined): boolean {
    const isLarge = (body !== undefined && isLargeBody(body)) || (previous !== undefined && hasManyValues(previous));
    return (isLarge || compilesMuch(kind, body, previous)) && this.knows(kind);
  }

  /** Whether there is a process now. */
  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  do<J extends Job>(job: J, signal: AbortSignal): Promise<Result<J>> {
    return this.#enqueue(job, signal) as Promise<Result<J>>;
  }

  #enqueue(job: Job, signal: AbortSignal): Promise<Result<Job>> {
    if (this.#isStopped) return Promise.reject(shuttingDown());
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const bytes = bytesOf(job);
    const { jobs, bytes: most } = this.#limits;
    if (this.#queue.length >= jobs || (this.#queue.length > 0 && this.#queuedBytes + bytes > most)) return Promise.reject(tooMany());
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, bytes, signal, resolve, reject });
      this.#queuedBytes += bytes;
      this.#next();
    });
  }

  /** Gives the process something to do, or lets it wait for its end. */
  #next(): void {
    if (this.#current !== undefined) return;
    this.#idle?.abort();
    this.#idle = undefined;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return this.#rest();
    this.#queuedBytes -= waiting.bytes;
    if (waiting.signal.aborted) {
      waiting.reject(waiting.signal.reason);
      return this.#next();
    }
    this.#current = { ...waiting, deadline: this.#deadline() };
    this.#process ??= this.#start();
    this.#process.send({ job: waiting.job } satisfies Order);
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(this.#entry), [], {
      execArgv: [`--max-old-space-size=${this.#limits.heapMegabytes}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-keptOutput)));
    child.on('message', (outcome: Outcome) => {
      if (this.#process === child) this.#settle(outcome);
    });
    child.on('error', (error) => this.#crashed(child, { error }));
    child.on('exit', (code, killedBy) => this.#crashed(child, { code, killedBy, said }));
    return child;
  }

  #settle(outcome: Outcome): void {
    const current = this.#take();
    if (outcome.ok) current?.resolve(outcome.result);
    else current?.reject('status' in outcome ? decodedError(outcome.status, outcome) : new Error(outcome.failure));
    this.#next();
  }

  #take(): Waiting | undefined {
    const current = this.#current;
    this.#current = undefined;
    current?.deadline[Symbol.dispose]();
    return current;
  }

  /** Its end fails a job; those that wait get another process. */
  #crashed(child: ChildProcess, why: Death): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    const current = this.#take();
    this.#log.warn({ ...why, job: current?.job.do }, 'the process for large requests has ended');
    current?.reject(why.killedBy === 'SIGABRT' || why.code === abortCode ? tooMuchMemory() : internal());
    this.#next();
  }

  #deadline(): Disposable {
    const never = new AbortController().signal;
    const deadline = this.#clock.deadline(never, this.#limits.jobMs);
    const late = (): void => {
      this.#end(tooLong());
      this.#next();
    };
    deadline.signal.addEventListener('abort', late, { once: true });
    return {
      [Symbol.dispose]: () => {
        deadline.signal.removeEventListener('abort', late);
        deadline[Symbol.dispose]();
      },
    };
  }

  #end(why: ApiError): void {
    this.#idle?.abort();
    this.#idle = undefined;
    const child = this.#process;
    this.#process = undefined;
    this.#take()?.reject(why);
    // It holds nothing that is worth an orderly end.
    child?.kill('SIGKILL');
  }

  #rest(): void {
    if (this.#process === undefined || this.#isStopped) return;
    const idle = new AbortController();
    this.#idle = idle;
    this.#clock.sleep(this.#limits.idleMs, idle.signal).then(
      () => (this.#idle === idle ? this.#end(shuttingDown()) : undefined),
      (error: unknown) => {
        if (!isAbort(error, idle.signal)) throw error;
      },
    );
  }
}

/** Sources start their source, bundles their bundle. */
function entryBeside(url: string): URL {
  return new URL(url.endsWith('.ts') ? './worker-main.ts' : './kube-apiserver-worker.js', url);
}

function bytesOf(job: Job): number {
  switch (job.do) {
    case 'propose':
      return job.proposal.body.bytes.length + (job.previous?.length ?? 0);
    case 'judge':
      return job.object.parts.reduce((sum, { json }) => sum + json.length, job.object.rest.length) + (job.previous?.length ?? 0);
    case 'render':
    case 'excerpt':
    case 'split':
      return job.json.length;
  }
}

function tooMany(): ApiError {
  const message = 'too many large requests, please try again later';
  return new ApiError({ reason: 'TooManyRequests', message, details: { retryAfterSeconds: 1 } });
}

function tooLong(): ApiError {
  return new ApiError({ reason: 'Timeout', message: 'Timeout: the object is too large to be worked on within the time that there is' });
}

function tooMuchMemory(): ApiError {
  return new ApiError({
    reason: 'RequestEntityTooLarge',
    message: 'Request entity too large: working on it takes more memory than there is',
  });
}

function internal(): ApiError {
  return new ApiError({ reason: 'InternalError', message: 'Internal error occurred: the process for large requests has ended' });
}

function shuttingDown(): ApiError {
  return new ApiError({ reason: 'ServiceUnavailable', message: 'apiserver is shutting down' });
}
