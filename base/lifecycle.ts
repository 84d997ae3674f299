// How the parts of a process live and die together.
// A process is an array of services. They start top to bottom, each once the one before is ready, and stop bottom to top.
// Life comes by signal: the first SIGTERM or SIGINT aborts, the second ends the process at once. A service that fails stops all.
import { createLog, type Log, type LogLevel, type LogLevelSwitch, verbosityLevel } from './log.ts';

/** One long-running part of a process. */
export interface Service {
  readonly name: string;
  /**
   * Works until `signal` aborts, then cleans up and ends. Calls `ready` once, when it can serve.
   * Rejecting before the abort stops the whole process, so retry what is retryable inside.
   */
  run(signal: AbortSignal, ready: () => void): Promise<void>;
}

interface Running {
  readonly service: Service;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Starts services in order, keeps them until `signal` aborts or one of them ends, then stops them in reverse order.
 * Rejects with the first failure; resolves when all ended because of the abort. `onReady` is called when all are ready.
 */
export async function runServices(signal: AbortSignal, services: readonly Service[], onReady?: () => void): Promise<void> {
  const running: Running[] = [];
  let failure: { error: unknown } | undefined;
  const over = Promise.withResolvers<void>();
  const onAbort = (): void => over.resolve();
  if (signal.aborted) over.resolve();
  signal.addEventListener('abort', onAbort, { once: true });

  for (const service of services) {
    if (signal.aborted || failure !== undefined) break;
    const stop = new AbortController();
    const ready = Promise.withResolvers<void>();
    const ended = service
      .run(stop.signal, () => ready.resolve())
      .then(
        () => {
          if (!stop.signal.aborted) failure ??= { error: new Error(`${service.name} ended on its own`) };
        },
        (error: unknown) => {
          if (!stop.signal.aborted || !isAbort(error, stop.signal)) failure ??= { error };
        },
      );
    running.push({ service, stop, ended: ended.then(() => over.resolve()) });
    await Promise.race([ready.promise, over.promise]);
  }
  if (!signal.aborted && failure === undefined) onReady?.();
  await over.promise;
  signal.removeEventListener('abort', onAbort);
  for (const { stop, ended } of running.toReversed()) {
    stop.abort(signal.aborted ? signal.reason : new Error('a service of this process ended'));
    await ended;
  }
  if (failure !== undefined) throw failure.error;
}

/** True when `error` only says that `signal` aborted: neither logged nor wrapped, a normal end. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'));
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A failure that the user caused or can mend: printed as one sentence without a stack. `exitCode` as in the README. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? 2;
  }
}

export interface MainContext {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** How much the log says. */
  readonly logLevel: LogLevelSwitch;
}

/** The frame of every `main.ts`: the only place that reads argv, env and process signals. Sets the exit code. */
export async function runMain(name: string, main: (context: MainContext) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const argv = process.argv.slice(2);
  const level: LogLevelSwitch = { level: logLevel(process.env['COXSWAIN_LOG_LEVEL'], argv) };
  const log = createLog(name, level);
  let signals = 0;
  for (const kind of ['SIGTERM', 'SIGINT'] as const) {
    process.on(kind, () => {
      signals++;
      if (signals > 1) process.exit(1);
      controller.abort(new Error(`received ${kind}`));
    });
  }
  // Who reads our answers may stop reading (`| head`): an end like any other.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await main({ argv, env: process.env, signal: controller.signal, log, logLevel: level });
    process.exitCode ??= 0;
  } catch (error) {
    if (isAbort(error, controller.signal)) return;
    if (error instanceof UsageError) {
      if ('text' in error && typeof error.text === 'string') process.stdout.write(error.text);
      else process.stderr.write(`${name}: ${error.message}\n`);
      process.exitCode = error.exitCode;
    } else {
      log.error({ err: error }, 'stopped by a failure');
      process.exitCode = 1;
    }
    process.exit();
  }
}

/** What the environment says, else what `-v` asks for. */
function logLevel(text: string | undefined, argv: readonly string[]): LogLevel {
  const levels: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];
  return text !== undefined && levels.includes(text) ? (text as LogLevel) : verbosityLevel(verbosityOf(argv));
}

/** Flags are read by each program; how much the log says has to be known before. */
function verbosityOf(argv: readonly string[]): number {
  const at = argv.findLastIndex((word) => /^--?v(=\d+)?$/.test(word));
  const text = argv[at]?.split('=')[1] ?? argv[at + 1] ?? '';
  return at >= 0 && /^\d+$/.test(text) ? Number(text) : 0;
}
