// What both kinds of bindings have in common (pkg/apis/rbac/validation/validation.go).
import type { V1RoleRef, RbacV1Subject } from '#api/generated/types.ts';
import type { Column } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { rbacGroup, rbacName } from './rules.ts';

/** A RoleBinding or ClusterRoleBinding. */
export interface AnyBinding extends KubeObject {
  roleRef: V1RoleRef;
  subjects?: RbacV1Subject[];
}

/** Groups that clients leave out. */
export function defaultBinding(binding: AnyBinding): void {
  binding.roleRef ??= {} as V1RoleRef;
  if (!binding.roleRef.apiGroup) binding.roleRef.apiGroup = rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = rbacGroup;
  }
}

export function validateBinding({ roleRef, subjects = [] }: Unchecked<AnyBinding>, roleKinds: readonly string[]): FieldProblem[] {
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
  const problems: FieldProblem[] = [];
  if (apiGroup !== rbacGroup) problems.push(notSupported('roleRef.apiGroup', apiGroup, [rbacGroup]));
  if (!roleKinds.includes(kind)) problems.push(notSupported('roleRef.kind', kind, roleKinds));
  if (name === '') problems.push(required('roleRef.name'));
  else problems.push(...invalidEach('roleRef.name', name, rbacName(name, false)));
  // Only a binding inside a namespace lends that namespace to service accounts which name none.
  const namespaced = roleKinds.includes('Role');
  return [...problems, ...subjects.flatMap((subject, at) => validateSubject(subject, namespaced, `subjects[${at}]`))];
}

/** A binding's role is immutable: its subjects must not get other rights by an update. */
export function validateRoleRefKept(next: AnyBinding, prev: AnyBinding): FieldProblem[] {
  return equalValues(next.roleRef, prev.roleRef) ? [] : [invalid('roleRef', upstreamForm(next.roleRef), 'cannot change roleRef')];
}

/** Columns of either kind; `kindText` ends the descriptions. */
export function bindingColumns<T extends AnyBinding>(kindText: string): readonly Column<T>[] {
  const named = (kind: string, text: (subject: RbacV1Subject) => string) => (binding: T) =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(text)
      .join(', ');
  const listed = (name: string, value: (binding: T) => string): Column<T> => ({
    name,
    priority: 1,
    description: `${name} in the ${kindText}`,
    value,
  });
  return [
    nameColumn,
    { name: 'Role', value: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
    ageColumn,
    listed(
      'Users',
      named('User', ({ name }) => name),
    ),
    listed(
      'Groups',
      named('Group', ({ name }) => name),
    ),
    listed(
      'ServiceAccounts',
      named('ServiceAccount', ({ namespace = '', name }) => `${namespace}/${name}`),
    ),
  ];
}

function validateSubject(subject: Unchecked<RbacV1Subject>, namespaced: boolean, path: string): FieldProblem[] {
  const { kind = '', name = '', apiGroup = '', namespace = '' } = subject;
  const problems: FieldProblem[] = name === '' ? [required(`${path}.name`)] : [];
  if (kind === 'ServiceAccount') {
    if (name !== '') problems.push(...invalidEach(`${path}.name`, name, nameIsDnsSubdomain(name, false)));
    if (apiGroup !== '') problems.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
    if (!namespaced && namespace === '') problems.push(required(`${path}.namespace`));
    return problems;
  }
  if (kind !== 'User' && kind !== 'Group') {
    return [...problems, notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group'])];
  }
  if (apiGroup !== rbacGroup) problems.push(notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]));
  return problems;
}

/** Upstream shows its inner form of a reference, whose members are not named as on the wire. */
function upstreamForm({ apiGroup, kind, name }: V1RoleRef): object {
  return { APIGroup: apiGroup, Kind: kind, Name: name };
}
