// All roles and bindings, kept so that a decision looks only at the bindings of the asking user and groups. Changed by whoever feeds it,
// synchronously; read between.
import type { RbacV1Subject, V1PolicyRule, V1RoleRef } from '#api/generated/types.ts';
import type { AnyBinding } from '#api/rbac/bindings.ts';
import { keyOf, keyText, type KubeObject } from '#api/meta/object.ts';
import type { UserInfo } from '../../registry/contract.ts';
import { compileRules, type Matcher } from './compiled-rules.ts';

/** The kinds that make up the policy, by their plurals. */
export const policyKinds = ['clusterroles', 'roles', 'clusterrolebindings', 'rolebindings'] as const;
export type PolicyKind = (typeof policyKinds)[number];

/** A binding with the subject that matched. */
export interface Grant {
  readonly binding: AnyBinding;
  readonly subject: RbacV1Subject;
  /** Undefined where the role does not exist. */
  readonly role: HeldRole | undefined;
}

/** One version of a role. */
class HeldRole {
  readonly rules: readonly V1PolicyRule[];
  #allows: Matcher | undefined;

  constructor(rules: readonly V1PolicyRule[]) {
    this.rules = rules;
  }

  /** Compiled on first use: most roles are never asked. */
  get allows(): Matcher {
    this.#allows ??= compileRules(this.rules);
    return this.#allows;
  }
}

interface Entry {
  readonly binding: AnyBinding;
  readonly subject: RbacV1Subject;
}

const accountPrefix = 'system:serviceaccount:';

export class RbacPolicy {
  readonly #roles = new Map<string, HeldRole>();
  readonly #bindings = new Map<string, AnyBinding>();
  /** Namespace ('' for cluster bindings) and subject → key of the binding → entry. */
  readonly #bySubject = new Map<string, Map<string, Entry>>();

  /** Takes the newest form of an object. */
  set(kind: PolicyKind, object: KubeObject): void {
    const key = `${kind}/${keyText(keyOf(object))}`;
    if (kind === 'roles' || kind === 'clusterroles') {
      this.#roles.set(key, new HeldRole((object as KubeObject & { rules?: V1PolicyRule[] }).rules ?? []));
      return;
    }
    this.#removeBinding(key);
    const binding = object as AnyBinding;
    this.#bindings.set(key, binding);
    for (const [index, subject] of subjectsOf(binding)) {
      const entries = this.#bySubject.get(index) ?? new Map<string, Entry>();
      if (!entries.has(key)) entries.set(key, { binding, subject });
      this.#bySubject.set(index, entries);
    }
  }

  remove(kind: PolicyKind, object: KubeObject): void {
    const key = `${kind}/${keyText(keyOf(object))}`;
    this.#roles.delete(key);
    this.#removeBinding(key);
  }

  /** Forgets all objects of a kind but these, by `keyText`. */
  retain(kind: PolicyKind, keys: ReadonlySet<string>): void {
    const isGone = (key: string): boolean => key.startsWith(`${kind}/`) && !keys.has(key.slice(kind.length + 1));
    for (const key of this.#roles.keys()) if (isGone(key)) this.#roles.delete(key);
    for (const key of this.#bindings.keys()) if (isGone(key)) this.#removeBinding(key);
  }

  /** What bindings give to a user: those of the cluster first, then those of a namespace ('' has none). */
  *grantsOf(user: UserInfo, namespace: string): Generator<Grant> {
    const subjects = [`User/${user.name}`, ...user.groups.map((group) => `Group/${group}`)];
    for (const place of namespace === '' ? [''] : ['', namespace]) {
      for (const subject of subjects) {
        for (const entry of this.#bySubject.get(`${place}/${subject}`)?.values() ?? []) {
          yield { ...entry, role: this.roleOf(entry.binding.roleRef, place) };
        }
      }
    }
  }

  /** Undefined where there is no such role. */
  roleOf({ kind, name }: V1RoleRef, namespace: string): HeldRole | undefined {
    return this.#roles.get(kind === 'Role' ? `roles/${namespace}/${name}` : `clusterroles/${name}`);
  }

  #removeBinding(key: string): void {
    const binding = this.#bindings.get(key);
    if (binding === undefined) return;
    this.#bindings.delete(key);
    for (const [index] of subjectsOf(binding)) {
      const entries = this.#bySubject.get(index);
      entries?.delete(key);
      if (entries?.size === 0) this.#bySubject.delete(index);
    }
  }
}

/** The subjects of a binding under the keys by which users are looked up; a service account is a user of a certain name. */
function subjectsOf({ metadata, subjects = [] }: AnyBinding): [string, RbacV1Subject][] {
  const place = metadata.namespace ?? '';
  return subjects.map((subject) => {
    const { kind, name, namespace = place } = subject;
    const who = kind === 'ServiceAccount' ? `User/${accountPrefix}${namespace}:${name}` : `${kind}/${name}`;
    return [`${place}/${who}`, subject];
  });
}
