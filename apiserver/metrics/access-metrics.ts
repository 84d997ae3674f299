// Metrics of authentication and authorization under upstream's names. Every series is looked up once, when it is first counted.
import { type CounterCell, CounterCells, type HistogramCell, HistogramCells } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';

/** From 1 ms to 16 s, doubling. */
const secondsBuckets = Array.from({ length: 15 }, (_, step) => 2 ** step / 1_000);
/** From expired to four months. */
const lifetimeBuckets = [0, 0.5, 1, 2, 6, 12, 24, 48, 96, 168, 720, 2_160, 4_320, 8_640].map((hours) => hours * 3_600);
/** User names with a series of their own, as upstream; all others share one, which bounds the cardinality. */
const namedUsers = new Set(['admin', 'client', 'kube_proxy', 'kubelet', 'system:serviceaccount:kube-system:default']);

/** Counts outcomes and observes their duration. */
interface Outcomes<R extends string> {
  took(result: R, seconds: number): void;
}

export interface AuthenticationMetrics extends Outcomes<'success' | 'failure' | 'error'> {
  /** A user was authenticated. */
  authenticated(user: string): void;
  /** By a client certificate that expires in so many seconds. */
  certificate(leftSeconds: number): void;
  /** By a pod's token; `stale`: past its requested expiry, accepted for its extended one. */
  podToken(state: 'valid' | 'stale'): void;
}

export type AuthorizationMetrics = Outcomes<'allowed' | 'denied' | 'no-opinion' | 'error'>;

export function authenticationMetrics(metrics: Metrics): AuthenticationMetrics {
  const users = metrics.add(
    new CounterCells('authenticated_user_requests', '[ALPHA] Counter of authenticated requests broken out by username.', ['username']),
  );
  const byName = new Map<string, CounterCell>();
  const lifetimes = metrics.add(
    new HistogramCells(
      'apiserver_client_certificate_expiration_seconds',
      '[ALPHA] Distribution of the remaining lifetime on the certificate used to authenticate a request.',
      lifetimeBuckets,
      [],
    ),
  );
  const lifetime = lifetimes.cell([]);
  const podTokens = {
    valid: podTokenCell(metrics, 'valid'),
    stale: podTokenCell(metrics, 'stale'),
  };
  return {
    took: outcomes(metrics, {
      total: ['authentication_attempts', '[ALPHA] Counter of authenticated attempts.'],
      seconds: ['authentication_duration_seconds', '[ALPHA] Authentication duration in seconds broken out by result.'],
    }),
    authenticated: (user) => {
      const name = seriesOf(user);
      let cell = byName.get(name);
      if (cell === undefined) byName.set(name, (cell = users.cell([name])));
      cell.value++;
    },
    certificate: (leftSeconds) => lifetime.observe(leftSeconds),
    podToken: (state) => void podTokens[state].value++,
  };
}

function podTokenCell(metrics: Metrics, state: 'valid' | 'stale'): CounterCell {
  const help = `[ALPHA] Cumulative ${state} projected service account tokens used`;
  return metrics.add(new CounterCells(`serviceaccount_${state}_tokens_total`, help, [])).cell([]);
}

export function authorizationMetrics(metrics: Metrics): AuthorizationMetrics {
  return {
    took: outcomes(metrics, {
      total: [
        'authorization_attempts_total',
        "[ALPHA] Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
      ],
      seconds: ['authorization_duration_seconds', '[ALPHA] Authorization duration in seconds broken out by result.'],
    }),
  };
}

/** Counts what single authorizers decide: those without an opinion decide nothing. */
export function decisionCounter(metrics: Metrics): (type: string) => { readonly allowed: () => void; readonly denied: () => void } {
  const decisions = metrics.add(
    new CounterCells(
      'apiserver_authorization_decisions_total',
      '[ALPHA] Total number of terminal decisions made by an authorizer split by authorizer type, name, and decision.',
      ['decision', 'name', 'type'],
    ),
  );
  return (type) => {
    const count = (decision: string): (() => void) => {
      let cell: CounterCell | undefined;
      return () => {
        cell ??= decisions.cell([decision, type.toLowerCase(), type]);
        cell.value++;
      };
    };
    return { allowed: count('allowed'), denied: count('denied') };
  };
}

type Named = readonly [name: string, help: string];

function outcomes<R extends string>(metrics: Metrics, names: { readonly total: Named; readonly seconds: Named }): Outcomes<R>['took'] {
  const total = metrics.add(new CounterCells(...names.total, ['result']));
  const seconds = metrics.add(new HistogramCells(...names.seconds, secondsBuckets, ['result']));
  const cells = new Map<R, { readonly total: CounterCell; readonly seconds: HistogramCell }>();
  return (result, took) => {
    let found = cells.get(result);
    if (found === undefined) cells.set(result, (found = { total: total.cell([result]), seconds: seconds.cell([result]) }));
    found.total.value++;
    found.seconds.observe(took);
  };
}

function seriesOf(user: string): string {
  if (namedUsers.has(user)) return user;
  return user.includes('@') ? 'email_id' : 'other';
}
