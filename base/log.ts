import { pino } from 'pino';

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

/** JSON lines on standard error (file descriptor 2), written at once. */
export function createLog(name: string, level: LogLevel = 'info'): Log {
  return pino({ name, level, timestamp: pino.stdTimeFunctions.isoTime, base: { name } }, pino.destination({ fd: 2, sync: true }));
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
