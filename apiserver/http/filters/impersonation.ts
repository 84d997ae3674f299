// Impersonation (`kubectl --as`): whoever has the right to impersonate a user, its groups and the rest goes on as that user.
import { badRequest } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Authorizer } from '../../authz/contract.ts';
import type { ImpersonationMetrics } from '../../metrics/impersonation-metrics.ts';
import type { Exchange } from '../exchange.ts';
import { unescapedKey } from '../header-key.ts';
import { authorizationRequest } from './authorization.ts';
import type { Filter } from './filter.ts';
import { modes, type Impersonation } from './impersonation-modes.ts';

const extraPrefix = 'impersonate-extra-';
/** How many users' last impersonation modes are cached. */
const maxRemembered = 1_000;

/** Replaces the user of a request that asks for it, if that is allowed in one way or another; answers 403 otherwise. */
export function impersonation(authorizer: Authorizer, metrics: ImpersonationMetrics, clock: Pick<Clock, 'monotonicMs'>): Filter {
  const counting = counted(authorizer, metrics, clock);
  /** The mode that last worked for a user comes first, so that whoever has the old right pays for it alone. */
  const lastModes = new Map<string, number>();
  return (exchange, next) => {
    const wanted = readHeaders(exchange);
    if (wanted === undefined) return next(exchange);
    if (wanted.user === '') throw badRequest(`requested ${goText(wanted)} without impersonating a user name`);
    const startMs = clock.monotonicMs();
    const attempted = (mode: string, isAllowed: boolean): void =>
      metrics.attempted(mode, isAllowed, (clock.monotonicMs() - startMs) / 1_000);
    return become(exchange, wanted, counting, lastModes).then(
      (constraint) => {
        attempted(modeOf(constraint ?? ''), true);
        return next(exchange);
      },
      (error: unknown) => {
        attempted('', false);
        throw error;
      },
    );
  };
}

/** The authorizer, with its checks counted by mode. */
function counted(authorizer: Authorizer, metrics: ImpersonationMetrics, clock: Pick<Clock, 'monotonicMs'>): Authorizer {
  return {
    authorize: async (request) => {
      const startMs = clock.monotonicMs();
      const decision = await authorizer.authorize(request);
      metrics.checked(modeOf(request.verb), decision.verdict === 'allow', (clock.monotonicMs() - startMs) / 1_000);
      return decision;
    },
    rightsOf: (user, namespace) => authorizer.rightsOf(user, namespace),
  };
}

/** `user-info` of `impersonate:user-info` and `impersonate-on:user-info:get`; the legacy verb names no mode. */
function modeOf(verb: string): string {
  return verb.split(':')[1] ?? 'legacy';
}

/** The constraint under which the request continues; undefined: none, by the legacy verb. Throws Forbidden. */
async function become(
  exchange: Exchange,
  wanted: Impersonation,
  authorizer: Authorizer,
  lastModes: Map<string, number>,
): Promise<string | undefined> {
  const request = authorizationRequest(exchange);
  const last = lastModes.get(request.user.name);
  const order = [...modes.keys()].toSorted((a, b) => Number(b === last) - Number(a === last) || a - b);
  let firstError: Error | undefined;
  for (const at of order) {
    const outcome = await modes[at]?.({ wanted, request, authorizer });
    if (outcome === undefined) continue;
    if ('user' in outcome) {
      if (lastModes.size >= maxRemembered) lastModes.clear();
      lastModes.set(request.user.name, at);
      exchange.user = outcome.user;
      exchange.audit?.impersonated(outcome.user, outcome.constraint);
      return outcome.constraint;
    }
    firstError ??= outcome.error;
  }
  throw firstError ?? new Error('all impersonation modes failed');
}

function readHeaders({ request }: Exchange): Impersonation | undefined {
  const { headers, rawHeaders } = request;
  let isThere = false;
  for (const name in headers) isThere ||= name.startsWith('impersonate-');
  if (!isThere) return undefined;
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  let user: string | undefined;
  let uid: string | undefined;
  // Node joins what comes several times, and a group's name may hold a comma.
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    // Of these the first counts.
    if (name === 'impersonate-user') user ??= value;
    if (name === 'impersonate-uid') uid ??= value;
    if (name === 'impersonate-group') groups.push(value);
    if (!name.startsWith(extraPrefix)) continue;
    const key = unescapedKey(name.slice(extraPrefix.length));
    extra.set(key, [...(extra.get(key) ?? []), value]);
  }
  const isWish = Boolean(user) || Boolean(uid) || groups.length > 0 || extra.size > 0;
  return isWish ? { user: user ?? '', uid: uid ?? '', groups, extra: Object.fromEntries(extra) } : undefined;
}

/** An impersonation as Go formats such values. */
function goText({ user, uid, groups, extra }: Impersonation): string {
  const list = (values: readonly string[]): string =>
    values.length === 0 ? '[]string(nil)' : `[]string{${values.map((value) => JSON.stringify(value)).join(', ')}}`;
  const entries = Object.entries(extra).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const map =
    entries.length === 0
      ? 'map[string][]string(nil)'
      : `map[string][]string{${entries.map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`).join(', ')}}`;
  return `&user.DefaultInfo{Name:${JSON.stringify(user)}, UID:${JSON.stringify(uid)}, Groups:${list(groups)}, Extra:${map}}`;
}
