import type { V1NonResourceRule, V1ResourceRule } from '#api/generated/types.ts';
import type { UserInfo } from '../registry/contract.ts';

/** The attributes of a request, as authorizers see them. */
export interface AuthorizationRequest {
  readonly user: UserInfo;
  /** False for paths such as /metrics: then only `verb` and `path` count. */
  readonly isResource: boolean;
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The text of the request's field selector, where it has one. */
  readonly fieldSelector?: string | undefined;
}

/** `none` is no opinion: the next authorizer decides, and a request that none allows is denied. */
export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'none';
  /** Ends the message of a refusal; '' where there is nothing to add. */
  readonly reason: string;
}

/** A user's permissions as far as they can be enumerated: for display, never for decisions. */
export interface Rights {
  readonly resourceRules: readonly V1ResourceRule[];
  readonly nonResourceRules: readonly V1NonResourceRule[];
  /** True where an authorizer cannot list what it allows. */
  readonly isIncomplete: boolean;
  readonly errors: readonly string[];
}

export const noRights: Rights = { resourceRules: [], nonResourceRules: [], isIncomplete: false, errors: [] };

/** Decides who may do what. Answers at once where it can. */
export interface Authorizer {
  authorize(request: AuthorizationRequest): Decision | Promise<Decision>;
  /** What a user may do in a namespace. */
  rightsOf(user: UserInfo, namespace: string): Rights;
}

/** `User "x" cannot list resource "pods" in API group "" in the namespace "default"`. */
export function forbiddenText(request: AuthorizationRequest): string {
  const user = JSON.stringify(request.user.name);
  if (!request.isResource) return escaped(`User ${user} cannot ${request.verb} path ${JSON.stringify(request.path)}`);
  const resource = request.subresource === '' ? request.resource : `${request.resource}/${request.subresource}`;
  const where = request.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(request.namespace)}`;
  return escaped(
    `User ${user} cannot ${request.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(request.group)} ${where}`,
  );
}

/** Such messages may end up in a browser. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
