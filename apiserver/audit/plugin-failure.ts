import type { Log } from '#base/log.ts';
import type { AuditEvent } from './contract.ts';
import { legacyText } from './event-text.ts';

/** Called with events that a plugin failed to write, and the error. */
export type PluginFailure = (plugin: string, error: unknown, events: readonly AuditEvent[]) => void;

/** So many events of a failure are shown. */
const maxShown = 5;

/** Counts what is lost and says so in the log, with the events' short form. */
export function pluginFailure(count: (plugin: string, events: number) => void, log: Log): PluginFailure {
  return (plugin, error, events) => {
    count(plugin, events.length);
    const shown = events.slice(0, maxShown).map(legacyText);
    log.error({ err: error, plugin, count: events.length, events: shown }, 'audit events are lost');
  };
}
