import type { Auditor } from '../../audit/auditor.ts';
import type { RequestRecord } from '../../audit/request-record.ts';
import type { AuditMetrics } from '../../metrics/audit-metrics.ts';
import type { Exchange } from '../exchange.ts';
import { sendText } from '../respond.ts';
import type { Filter, Next } from './filter.ts';
import { refusalFor } from './recovery.ts';

/** Audits what the policy asks for. A request that cannot be recorded, where that is mandatory, is rejected. */
export function audit(auditor: Auditor, metrics: Pick<AuditMetrics, 'rejected'>): Filter {
  return (exchange, next) => {
    const record = auditor.begin(exchange, true);
    if (record === undefined) return next(exchange);
    const go = (isKept: boolean): Promise<void> | void => {
      if (isKept) return watched(record, exchange, next);
      metrics.rejected();
      record.drop();
      const text = `Internal Server Error: ${JSON.stringify(exchange.uri)}: failed to store audit event\n`;
      return sendText(exchange, 500, text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
    };
    const kept = record.received();
    return kept instanceof Promise ? kept.then(go) : go(kept);
  };
}

/** Continues, and records unexpected errors. */
function watched(record: RequestRecord, exchange: Exchange, next: Next): Promise<void> | void {
  const failed = (error: unknown): never => {
    if (refusalFor(error) === undefined && !exchange.isOver) record.panicked(error);
    throw error;
  };
  try {
    const done = next(exchange);
    return done === undefined ? undefined : done.catch(failed);
  } catch (error) {
    return failed(error);
  }
}
