import { badRequest } from '#api/meta/status.ts';
import { timeText } from '#api/meta/time-text.ts';
import type { TokenVerifier } from '../authn/bearer-tokens.ts';
import { sendValue } from '../http/respond.ts';
import type { UserInfo } from '../registry/contract.ts';
import { actOwner } from './act-owner.ts';
import { actBody, member, text } from './body.ts';
import type { SubresourceHandler } from './contract.ts';

const apiVersion = 'authentication.k8s.io/v1';

/** `selfsubjectreviews`: who the asker is. */
export const selfSubjectReview: SubresourceHandler = {
  verbs: ['create'],
  serve: async (exchange, kind, deps) => {
    const wanted = deps.negotiator.negotiate(exchange.request.headers.accept, 'no-table');
    await actBody(exchange, kind, deps);
    const status = { userInfo: userInfo(exchange.requireUser) };
    const metadata = { creationTimestamp: timeText(deps.clock.nowMs()) };
    sendValue(exchange, wanted, 201, { kind: 'SelfSubjectReview', apiVersion, metadata, status });
  },
};

/** `tokenreviews`: whom a token stands for. */
export function tokenReview(tokens: TokenVerifier, ours: readonly string[]): SubresourceHandler {
  const own = actOwner();
  return {
    verbs: ['create'],
    serve: async (exchange, kind, deps) => {
      const wanted = deps.negotiator.negotiate(exchange.request.headers.accept, 'no-table');
      const { body, context } = await actBody(exchange, kind, deps);
      own(body, kind, context, deps);
      const spec = member(body, 'spec');
      const token = text(spec, 'token');
      if (token === '') throw badRequest('token is required for TokenReview in authentication');
      const asked = Array.isArray(spec['audiences']) ? spec['audiences'].map(String) : [];
      const verdict = await tokens.verify(token, asked.length === 0 ? ours : asked, exchange.signal);
      const status =
        verdict.kind === 'user'
          ? { authenticated: true, user: userInfo(verdict.user), audiences: verdict.audiences }
          : { user: {}, ...(verdict.kind === 'refused' ? { error: verdict.why } : {}) };
      sendValue(exchange, wanted, 201, { kind: 'TokenReview', apiVersion, metadata: member(body, 'metadata'), spec, status });
    },
  };
}

function userInfo({ name, uid, groups, extra = {} }: UserInfo): object {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
