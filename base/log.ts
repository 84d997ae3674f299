import { type Logger, pino } from 'pino';

/** Structured log: a constant message, the varying parts as fields. Errors go in the field `err`. */
export interface Log {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log whose every line carries `fields` too. */
  child(fields: Record<string, unknown>): Log;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** How much a log and all its children say; may change at any time. */
export interface LogLevelSwitch {
  level: LogLevel;
}

const ranks: Readonly<Record<LogLevel, number>> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, silent: 5 };

/** The level that stands for upstream's `-v`: details from 4 on, everything from 6 on. */
export function verbosityLevel(verbosity: number): LogLevel {
  return verbosity >= 6 ? 'trace' : verbosity >= 4 ? 'debug' : 'info';
}

/** Lines that cannot be written are tried again with the next; beyond this, new ones are dropped. */
const heldBytes = 256 * 1024;

/** JSON lines on standard error (file descriptor 2), written at once. A full disk does not end the process. */
export function createLog(name: string, level: LogLevel | LogLevelSwitch = 'info'): Log {
  const destination = pino.destination({ fd: 2, sync: true, maxLength: heldBytes });
  destination.on('error', () => undefined);
  const lines = pino({ name, level: 'trace', timestamp: pino.stdTimeFunctions.isoTime, base: { name } }, destination);
  return new SwitchedLog(lines, typeof level === 'string' ? { level } : level);
}

/** Pino's children keep the level that their parent had when they were made; these do not. */
class SwitchedLog implements Log {
  readonly #lines: Logger;
  readonly #switch: LogLevelSwitch;

  constructor(lines: Logger, own: LogLevelSwitch) {
    this.#lines = lines;
    this.#switch = own;
  }

  trace(fields: object, message: string): void {
    if (this.#says('trace')) this.#lines.trace(fields, message);
  }

  debug(fields: object, message: string): void {
    if (this.#says('debug')) this.#lines.debug(fields, message);
  }

  info(fields: object, message: string): void {
    if (this.#says('info')) this.#lines.info(fields, message);
  }

  warn(fields: object, message: string): void {
    if (this.#says('warn')) this.#lines.warn(fields, message);
  }

  error(fields: object, message: string): void {
    if (this.#says('error')) this.#lines.error(fields, message);
  }

  child(fields: Record<string, unknown>): Log {
    return new SwitchedLog(this.#lines.child(fields), this.#switch);
  }

  #says(level: LogLevel): boolean {
    return ranks[level] >= ranks[this.#switch.level];
  }
}

/** Says nothing; for tests and for library use. */
export const silentLog: Log = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
