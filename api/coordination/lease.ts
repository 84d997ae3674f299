import type { V1Lease } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { notNegative } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';

export interface Lease extends V1Lease {
  metadata: ObjectMeta;
}

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  scope: 'namespaced',
  names: { plural: 'leases' },
  schema: 'io.k8s.api.coordination.v1.Lease',
  createOnUpdate: true,
  unconditionalUpdate: false,
  prepareCreate: (created) => dropCoordination(created, undefined),
  prepareUpdate: dropCoordination,
  validate: validateLease,
  columns: [nameColumn, { name: 'Holder', value: ({ spec }) => spec?.holderIdentity ?? '' }, ageColumn],
});

/** Leaders are not coordinated here, as by default upstream, so it cannot be requested: it is kept only where it was set before. */
function dropCoordination({ spec }: Lease, prev: Lease | undefined): void {
  if (spec === undefined) return;
  if (prev?.spec?.strategy === undefined) delete spec.strategy;
  if (prev?.spec?.preferredHolder === undefined) delete spec.preferredHolder;
}

function validateLease({ spec = {} }: Lease): FieldProblem[] {
  const { leaseDurationSeconds, leaseTransitions, preferredHolder, strategy } = spec;
  const problems: FieldProblem[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    problems.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  problems.push(...notNegative('spec.leaseTransitions', leaseTransitions));
  if (preferredHolder && !strategy) {
    problems.push(forbiddenField('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  }
  return problems;
}
