import type { KindDefinition } from '#api/kind.ts';
import { type FieldProblem, invalid, invalidObject } from '#api/meta/field-problem.ts';
import { goTree } from '#api/meta/go-form.ts';
import { apiVersionOf, type JsonObject, type ObjectMeta } from '#api/meta/object.ts';
import type { AuthorizationRequest, Authorizer } from '../authz/contract.ts';
import type { Exchange } from '../http/exchange.ts';
import { sendValue } from '../http/respond.ts';
import type { UserInfo } from '../registry/contract.ts';
import { setNamespace } from '../registry/prepare.ts';
import { actOwner } from './act-owner.ts';
import { actBody, member, text } from './body.ts';
import { checkSelectors, readSelectors } from './review-selectors.ts';
import type { SubresourceHandler } from './contract.ts';

/** `selfsubjectaccessreviews`: what the asker may do. */
export function selfSubjectAccessReview(authorizer: Authorizer): SubresourceHandler {
  return review(authorizer, (exchange) => exchange.requireUser);
}

/** `subjectaccessreviews` and `localsubjectaccessreviews`: what the user in the question may do. */
export function subjectAccessReview(authorizer: Authorizer): SubresourceHandler {
  return review(authorizer, (_exchange, spec) => {
    const groups = Array.isArray(spec['groups']) ? spec['groups'].map(String) : [];
    const name = text(spec, 'user');
    const extra = member(spec, 'extra') as Record<string, string[]>;
    return name === '' && groups.length === 0 ? undefined : { name, uid: text(spec, 'uid'), groups, extra };
  });
}

type UserOf = (exchange: Exchange, spec: JsonObject) => UserInfo | undefined;

function review(authorizer: Authorizer, userOf: UserOf): SubresourceHandler {
  const own = actOwner();
  return {
    verbs: ['create'],
    serve: async (exchange, kind, deps) => {
      const wanted = deps.negotiator.negotiate(exchange.request.headers.accept, 'no-table');
      const { body, context } = await actBody(exchange, kind, deps);
      own(body, kind, context, deps);
      setNamespace(kind, member(body, 'metadata') as ObjectMeta, exchange.info.namespace);
      const spec = member(body, 'spec');
      const user = userOf(exchange, spec);
      check(kind, exchange, body, user);
      const { verdict, reason } = await authorizer.authorize(question(user ?? exchange.requireUser, spec));
      const { evaluationError } = readSelectors(member(spec, 'resourceAttributes'));
      const status = {
        allowed: verdict === 'allow',
        ...(verdict === 'deny' ? { denied: true } : {}),
        ...(reason === '' ? {} : { reason }),
        ...(evaluationError === '' ? {} : { evaluationError }),
      };
      const metadata = member(body, 'metadata');
      sendValue(exchange, wanted, 201, { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata, spec, status });
    },
  };
}

function check(kind: KindDefinition, exchange: Exchange, body: JsonObject, user: UserInfo | undefined): void {
  const spec = member(body, 'spec');
  const resource = spec['resourceAttributes'] ?? undefined;
  const plain = spec['nonResourceAttributes'] ?? undefined;
  // As upstream's inner type shows it.
  const shown = goTree(member(spec, 'nonResourceAttributes'), { Path: '', Verb: '' });
  const problems: FieldProblem[] = [];
  if (resource !== undefined && plain !== undefined) {
    problems.push(invalid('spec.nonResourceAttributes', shown, 'cannot be specified in combination with resourceAttributes'));
  }
  if (resource === undefined && plain === undefined) {
    problems.push(
      invalid('spec.resourceAttributes', undefined, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'),
    );
  }
  if (user === undefined) problems.push(invalid('spec.user', '', 'at least one of user or group must be specified'));
  problems.push(...checkSelectors(member(spec, 'resourceAttributes')));
  const isLocal = kind.scope === 'namespaced';
  const { managedFields: _managed, namespace: _own, ...metadata } = member(body, 'metadata');
  if (Object.keys(metadata).length > 0)
    problems.push(invalid('metadata', body['metadata'], `must be empty${isLocal ? ' except for namespace' : ''}`));
  const namespace = text(member(spec, 'resourceAttributes'), 'namespace');
  if (isLocal && resource !== undefined && namespace !== exchange.info.namespace) {
    problems.push(invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace'));
  }
  if (isLocal && plain !== undefined) problems.push(invalid('spec.nonResourceAttributes', shown, 'disallowed on this kind of request'));
  // Upstream has forgotten the kind by then.
  if (problems.length > 0) throw invalidObject({ group: kind.group, kind: '' }, '', problems);
}

function question(user: UserInfo, spec: JsonObject): AuthorizationRequest {
  const resource = member(spec, 'resourceAttributes');
  const plain = member(spec, 'nonResourceAttributes');
  const isResource = spec['resourceAttributes'] !== undefined && spec['resourceAttributes'] !== null;
  return {
    user,
    isResource,
    verb: text(isResource ? resource : plain, 'verb'),
    path: text(plain, 'path'),
    group: text(resource, 'group'),
    version: text(resource, 'version') || '*',
    resource: text(resource, 'resource'),
    subresource: text(resource, 'subresource'),
    namespace: text(resource, 'namespace'),
    name: text(resource, 'name'),
    fieldSelector: readSelectors(resource).fieldSelector,
  };
}
