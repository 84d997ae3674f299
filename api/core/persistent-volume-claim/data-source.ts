// What a claim's volume is filled with. The old field (dataSource) and the new one (dataSourceRef) say the same where both are set.
import type { V1PersistentVolumeClaimSpec, V1TypedLocalObjectReference, V1TypedObjectReference } from '#api/generated/types.ts';
import { invalidEach } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid } from '../../meta/field-problem.ts';
import { dnsSubdomainProblems, nameIsDnsLabel } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { requireMembers } from '../volume/source-rules.ts';

type Reference = Unchecked<V1TypedObjectReference>;
type Spec = V1PersistentVolumeClaimSpec;

/**
 * Brings both fields in line before a claim is judged. As ever, the old field alone may name claims and snapshots and nothing else,
 * unless the claim had a source before; references to other namespaces are behind a gate that is off.
 */
export function alignDataSources(next: Spec, prev: Spec | undefined): void {
  if (namesOtherNamespace(next) && prev?.dataSourceRef === undefined) delete next.dataSourceRef;
  const hadSource = prev?.dataSource !== undefined || prev?.dataSourceRef !== undefined;
  if (!hadSource && next.dataSourceRef === undefined && !isClaimOrSnapshot(next.dataSource)) delete next.dataSource;
  const { dataSource, dataSourceRef } = next;
  if (dataSource !== undefined && dataSourceRef === undefined) next.dataSourceRef = copyOf(dataSource);
  else if (dataSourceRef !== undefined && dataSource === undefined && !namesOtherNamespace(next)) next.dataSource = copyOf(dataSourceRef);
}

function namesOtherNamespace({ dataSourceRef }: Unchecked<Spec>): boolean {
  return (dataSourceRef?.namespace ?? '') !== '';
}

function isClaimOrSnapshot(source: V1TypedLocalObjectReference | undefined): boolean {
  const { kind, apiGroup = '' } = source ?? {};
  if (kind === 'PersistentVolumeClaim') return apiGroup === '';
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}

function copyOf({ apiGroup, kind, name }: V1TypedLocalObjectReference): V1TypedLocalObjectReference {
  return { ...(apiGroup === undefined ? {} : { apiGroup }), kind, name };
}

/** `anyGroup` lets stay what an older claim says. */
export function validateDataSources(spec: Unchecked<Spec>, anyGroup: boolean, path: string): FieldProblem[] {
  const { dataSource, dataSourceRef } = spec;
  const problems: FieldProblem[] = [];
  if (dataSource !== undefined) problems.push(...validateReference(dataSource, anyGroup, `${path}.dataSource`));
  if (dataSourceRef !== undefined) {
    problems.push(...validateReference(dataSourceRef, anyGroup, `${path}.dataSourceRef`));
    const { namespace = '' } = dataSourceRef;
    if (namespace !== '') problems.push(...invalidEach(`${path}.dataSourceRef.namespace`, namespace, nameIsDnsLabel(namespace, false)));
  }
  if (dataSource === undefined || dataSourceRef === undefined) return problems;
  // Upstream shows a path where the value belongs, which prints as an empty object.
  if (namesOtherNamespace(spec)) problems.push(invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'));
  else if (!isSame(dataSource, dataSourceRef)) problems.push(invalid(path, {}, 'must match dataSourceRef'));
  return problems;
}

function isSame(one: Reference, other: Reference): boolean {
  return one.apiGroup === other.apiGroup && one.kind === other.kind && one.name === other.name;
}

function validateReference(reference: Reference, anyGroup: boolean, path: string): FieldProblem[] {
  const { kind = '', apiGroup = '' } = reference;
  const problems = requireMembers(reference, path, ['name', 'kind']);
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    problems.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (apiGroup !== '' && !anyGroup) problems.push(...invalidEach(`${path}.apiGroup`, apiGroup, dnsSubdomainProblems(apiGroup)));
  return problems;
}
