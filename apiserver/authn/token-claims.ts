import type { UserInfo } from '../registry/contract.ts';
import { authenticatedGroup } from './contract.ts';

/** An object that a token names: it lives only as long as that does. */
export interface ClaimedObject {
  readonly name: string;
  readonly uid: string;
}

/** The private claims of a service-account token, under `kubernetes.io`. */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: ClaimedObject;
  readonly pod?: ClaimedObject;
  readonly secret?: ClaimedObject;
  readonly node?: ClaimedObject;
  /** Seconds since the epoch from which on use of the token is worth a warning. */
  readonly warnafter?: number;
}

const extraPrefix = 'authentication.kubernetes.io/';

/** The user name of a service account. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The service account that a user is; undefined for other users. */
export function accountOfUser(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const prefix = 'system:serviceaccount:';
  if (!user.startsWith(prefix)) return undefined;
  const [namespace = '', name = '', ...rest] = user.slice(prefix.length).split(':');
  return namespace === '' || name === '' || rest.length > 0 ? undefined : { namespace, name };
}

/** Who a verified token stands for. */
export function userOf(claims: KubernetesClaims, jti: string | undefined): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims;
  const extra: Record<string, readonly string[]> = {};
  if (jti !== undefined) extra[`${extraPrefix}credential-id`] = [`JTI=${jti}`];
  if (node !== undefined) {
    extra[`${extraPrefix}node-name`] = [node.name];
    if (node.uid !== '') extra[`${extraPrefix}node-uid`] = [node.uid];
  }
  if (pod !== undefined) {
    extra[`${extraPrefix}pod-name`] = [pod.name];
    extra[`${extraPrefix}pod-uid`] = [pod.uid];
  }
  return {
    name: serviceAccountUser(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticatedGroup],
    extra,
  };
}

/** Reads the private claims; undefined where the token is of another kind. */
export function readClaims(value: unknown): KubernetesClaims | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { namespace, serviceaccount, pod, secret, node, warnafter } = value as Record<string, unknown>;
  const account = claimedObject(serviceaccount);
  if (typeof namespace !== 'string' || namespace === '' || account === undefined) return undefined;
  return {
    namespace,
    serviceaccount: account,
    ...optional('pod', claimedObject(pod)),
    ...optional('secret', claimedObject(secret)),
    ...optional('node', claimedObject(node)),
    ...optional('warnafter', typeof warnafter === 'number' ? warnafter : undefined),
  };
}

function claimedObject(value: unknown): ClaimedObject | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, uid } = value as Record<string, unknown>;
  if (typeof name !== 'string' || name === '') return undefined;
  return { name, uid: typeof uid === 'string' ? uid : '' };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
