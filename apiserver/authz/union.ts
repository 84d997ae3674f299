import type { Authorizer, AuthorizationRequest, Decision } from './contract.ts';

/** Asks authorizers in order until one has an opinion. The reasons of those without one end up in the refusal. */
export function firstOpinion(authorizers: readonly Authorizer[]): Authorizer {
  const ask = (request: AuthorizationRequest, start: number, before: readonly string[]): Decision | Promise<Decision> => {
    let reasons = before;
    for (let at = start; at < authorizers.length; at++) {
      const decision = (authorizers[at] as Authorizer).authorize(request);
      if (decision instanceof Promise) {
        return decision.then((late) => (late.verdict === 'none' ? ask(request, at + 1, withReason(reasons, late)) : late));
      }
      if (decision.verdict !== 'none') return decision;
      reasons = withReason(reasons, decision);
    }
    return { verdict: 'none', reason: reasons.join(', ') };
  };
  return {
    authorize: (request) => ask(request, 0, []),
    rightsOf: (user, namespace) => {
      const all = authorizers.map((authorizer) => authorizer.rightsOf(user, namespace));
      return {
        resourceRules: all.flatMap(({ resourceRules }) => resourceRules),
        nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
        isIncomplete: all.some(({ isIncomplete }) => isIncomplete),
        errors: all.flatMap(({ errors }) => errors),
      };
    },
  };
}

function withReason(reasons: readonly string[], { reason }: Decision): readonly string[] {
  return reason === '' ? reasons : [...reasons, reason];
}
