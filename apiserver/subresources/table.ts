import type { Clock } from '#base/clock.ts';
import type { TokenVerifier } from '../authn/bearer-tokens.ts';
import type { Authorizer } from '../authz/contract.ts';
import { selfSubjectAccessReview, subjectAccessReview } from './access-reviews.ts';
import { bindings, podBinding } from './binding.ts';
import { type Component, componentStatuses } from './component-status.ts';
import { SubresourceTable } from './contract.ts';
import { podEviction } from './eviction.ts';
import { selfSubjectReview, tokenReview } from './identity-reviews.ts';
import type { KubeletConnection } from './kubelet-connection.ts';
import { podLog } from './log.ts';
import { podAttach, podExec, podPortForward } from './pod-streams.ts';
import { nodeProxy, podProxy, serviceProxy } from './proxy.ts';
import type { MayReach } from './proxy-target.ts';
import { selfSubjectRulesReview } from './rules-review.ts';
import { tokenRequest, type TokenRequestDeps } from './token-request.ts';

interface SubresourceDeps {
  readonly kubelets: KubeletConnection;
  /** Which addresses the proxy may dial. */
  readonly mayReach: MayReach;
  /** Undefined where no signing key is given: then no tokens are made. */
  readonly tokens: TokenRequestDeps | undefined;
  readonly authorizer: Authorizer;
  readonly tokenAuthenticator: TokenVerifier;
  readonly audiences: readonly string[];
  /** What `componentstatuses` asks. */
  readonly components: readonly Component[];
  readonly clock: Clock;
}

/** Who serves what. */
export function subresourceTable({
  kubelets,
  mayReach,
  tokens,
  authorizer,
  tokenAuthenticator,
  audiences,
  components,
  clock,
}: SubresourceDeps): SubresourceTable {
  return new SubresourceTable(
    {
      'bindings/': bindings,
      'componentstatuses/': componentStatuses(components, clock),
      'selfsubjectreviews.authentication.k8s.io/': selfSubjectReview,
      'tokenreviews.authentication.k8s.io/': tokenReview(tokenAuthenticator, audiences),
      'selfsubjectaccessreviews.authorization.k8s.io/': selfSubjectAccessReview(authorizer),
      'selfsubjectrulesreviews.authorization.k8s.io/': selfSubjectRulesReview(authorizer),
      'subjectaccessreviews.authorization.k8s.io/': subjectAccessReview(authorizer),
      'localsubjectaccessreviews.authorization.k8s.io/': subjectAccessReview(authorizer),
      'nodes/proxy': nodeProxy({ kubelets, mayReach }),
      'services/proxy': serviceProxy({ kubelets, mayReach }),
      'pods/proxy': podProxy({ kubelets, mayReach }),
      'pods/binding': podBinding,
      'pods/eviction': podEviction,
      'pods/log': podLog(kubelets),
      'pods/exec': podExec({ kubelets, authorizer }),
      'pods/attach': podAttach({ kubelets, authorizer }),
      'pods/portforward': podPortForward({ kubelets, authorizer }),
      ...(tokens === undefined ? {} : { 'serviceaccounts/token': tokenRequest(tokens) }),
    },
    tokens === undefined ? ['serviceaccounts/token'] : [],
  );
}
