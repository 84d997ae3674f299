import type { Authorizer, AuthorizationRequest, Decision } from './contract.ts';

/** Asks authorizers in order until one has an opinion. The reasons of those without one end up in the refusal. */
export function firstOpinion(authorizers: readonly Authorizer[]): Authorizer {
  const ask = (request: AuthorizationRequest, at: number, reasons: readonly string[]): Decision | Promise<Decision> => {
    const authorizer = authorizers[at];
    if (authorizer === undefined) return { verdict: 'none', reason: reasons.join(', ') };
    const judge = (decision: Decision): Decision | Promise<Decision> => {
      if (decision.verdict !== 'none') return decision;
      return ask(request, at + 1, decision.reason === '' ? reasons : [...reasons, decision.reason]);
    };
    const decision = authorizer.authorize(request);
    return decision instanceof Promise ? decision.then(judge) : judge(decision);
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
