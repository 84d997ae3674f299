import { type FieldProblem, invalid, notSupported } from '#api/meta/field-problem.ts';
import { type EventLimit, type LimitType, limitTypes } from '../event-rate-limit/plugin.ts';
import { checkDocument, type ConfigurationDocument, refuseProblems } from './document.ts';

const type = {
  kind: 'Configuration',
  versions: ['eventratelimit.admission.k8s.io/v1alpha1'],
  shape: { limits: [{ type: 'string', qps: 'number', burst: 'number', cacheSize: 'number' }] },
} as const;

const defaultCacheSize = 4_096;

interface Limit {
  readonly type?: string;
  readonly qps?: number;
  readonly burst?: number;
  readonly cacheSize?: number;
}

/** Throws UsageError. */
export function readEventLimits(document: ConfigurationDocument): readonly EventLimit[] {
  const { limits = [] } = checkDocument<{ limits?: readonly Limit[] }>(document, type);
  const problems = limits.length === 0 ? [invalid('limits', limits, 'must not be empty')] : limits.flatMap(limitProblems);
  refuseProblems(document.place, problems);
  return limits.map((limit) => ({
    type: limit.type as LimitType,
    perSecond: limit.qps ?? 0,
    burst: limit.burst ?? 0,
    cacheSize: limit.type === 'Server' ? 1 : limit.cacheSize || defaultCacheSize,
  }));
}

function limitProblems({ type: limitType = '', qps = 0, burst = 0, cacheSize = 0 }: Limit, at: number): FieldProblem[] {
  const path = `limits[${at}]`;
  const problems: FieldProblem[] = [];
  if (!(limitTypes as readonly string[]).includes(limitType)) problems.push(notSupported(`${path}.type`, limitType, limitTypes));
  for (const [name, count] of Object.entries({ burst, qps })) {
    if (count <= 0) problems.push(invalid(`${path}.${name}`, count, 'must be positive'));
  }
  if (limitType !== 'Server' && cacheSize < 0) problems.push(invalid(`${path}.cacheSize`, cacheSize, 'must not be negative'));
  for (const [name, count] of Object.entries({ burst, qps, cacheSize })) {
    if (!Number.isInteger(count)) problems.push(invalid(`${path}.${name}`, count, 'must be a whole number'));
  }
  return problems;
}
