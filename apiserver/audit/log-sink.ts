import type { AuditEvent, AuditSink } from './contract.ts';
import { jsonText, legacyText } from './event-text.ts';
import type { PluginFailure } from './plugin-failure.ts';

export const logFormats = ['legacy', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** Writes a line for every event, before it answers. */
export function logSink(write: (text: string) => void, format: LogFormat, failed: PluginFailure): AuditSink {
  const line = format === 'json' ? jsonText : legacyText;
  const put = (event: AuditEvent): boolean => {
    try {
      write(`${line(event)}\n`);
      return true;
    } catch (error) {
      failed('log', error, [event]);
      return false;
    }
  };
  return { process: (events) => events.map(put).every(Boolean) };
}
