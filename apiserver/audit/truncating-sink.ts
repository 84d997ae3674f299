import { allKept } from './all-kept.ts';
import type { AuditEvent, AuditSink } from './contract.ts';
import { jsonText } from './event-text.ts';
import type { PluginFailure } from './plugin-failure.ts';

export interface TruncateOptions {
  readonly maxBatchBytes: number;
  readonly maxEventBytes: number;
}

/** Takes the objects out of events that are too large, drops what is still too large, and hands on no more at a time than wanted. */
export function truncatingSink(sink: AuditSink, { maxBatchBytes, maxEventBytes }: TruncateOptions, failed: PluginFailure): AuditSink {
  const fitted = (event: AuditEvent): { readonly event: AuditEvent; readonly bytes: number } => {
    const bytes = sizeOf(event);
    if (bytes <= maxEventBytes || event.level === 'Metadata') return { event, bytes };
    const small = truncated(event);
    return { event: small, bytes: sizeOf(small) };
  };
  return {
    process: (events) => {
      const batches: AuditEvent[][] = [];
      const tooLarge: AuditEvent[] = [];
      let filled = Infinity;
      for (const { event, bytes } of events.map(fitted)) {
        if (bytes > maxEventBytes) {
          tooLarge.push(event);
          continue;
        }
        if (filled + bytes > maxBatchBytes) {
          batches.push([]);
          filled = 0;
        }
        batches.at(-1)?.push(event);
        filled += bytes;
      }
      const results = batches.map((batch) => sink.process(batch));
      if (tooLarge.length > 0) failed('truncate', new Error('event is too large even after truncating'), tooLarge);
      return allKept(results);
    },
  };
}

function sizeOf(event: AuditEvent): number {
  return Buffer.byteLength(jsonText(event)) + 1;
}

function truncated(event: AuditEvent): AuditEvent {
  const annotations = { ...event.annotations, 'audit.k8s.io/truncated': 'true' };
  return { ...event, requestObject: undefined, responseObject: undefined, annotations };
}
