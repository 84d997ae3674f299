import type { AdmissionPlugin, AdmissionRequest, AttemptEnd } from '../../registry/contract.ts';
import type { Measure } from '#api/core/quota/measure.ts';
import { checkRequest, measureFor, refusalOf } from './check.ts';
import { type LedgerDeps, QuotaLedger } from './ledger.ts';

/** ResourceQuota: counts what is written against the quotas of its namespace, last of all, and gives back what comes to nothing. */
export function resourceQuotaPlugin(deps: LedgerDeps): AdmissionPlugin {
  const ledger = new QuotaLedger(deps);
  const charge = async (request: AdmissionRequest, measure: Measure): Promise<AttemptEnd> => {
    const charges = await ledger.charge(request, measure);
    return (outcome) => {
      if (outcome === 'dropped') ledger.refund(request.context.namespace, charges);
      return undefined;
    };
  };
  return {
    name: 'ResourceQuota',
    charge: (request) => {
      const { namespace, dryRun } = request.context;
      if (namespace === '') return undefined;
      const measure = measureFor(request);
      if (measure === undefined || (deps.limited.length === 0 && !ledger.has(namespace))) return undefined;
      const verdict = checkRequest(ledger.quotas(namespace), { request, measure, limited: deps.limited, view: ledger.view() });
      // What costs nothing need not wait in line, and a dry run only wants to know.
      if ('charges' in verdict && (dryRun || verdict.charges.size === 0)) return undefined;
      if (dryRun && 'refused' in verdict) throw refusalOf(request, verdict);
      return charge(request, measure);
    },
  };
}
