import type { V1Namespace } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { type FieldProblem, invalid } from '../meta/field-problem.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { nameIsDnsLabel, qualifiedNameProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateStandardFinalizer } from '../meta/object-meta.ts';

export interface Namespace extends V1Namespace {
  metadata: ObjectMeta;
}

/** Keeps a namespace until its contents are gone. */
export const namespaceFinalizer = 'kubernetes';
/** Every namespace carries its own name under this label. */
const namespaceNameLabel = 'kubernetes.io/metadata.name';

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  scope: 'cluster',
  names: { plural: 'namespaces', short: ['ns'] },
  schema: 'io.k8s.api.core.v1.Namespace',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  validateName: nameIsDnsLabel,
  defaults: [defaultNamespace],
  prepareCreate: (created) => {
    defaultNamespace(created);
    created.status = { phase: 'Active' };
    const finalizers = created.spec?.finalizers ?? [];
    if (!finalizers.includes(namespaceFinalizer)) created.spec = { finalizers: [...finalizers, namespaceFinalizer] };
  },
  prepareUpdate: (next, prev, { subresource }) => {
    // Only the finalize endpoint takes finalizers away.
    if (subresource !== 'finalize') next.spec = prev.spec ?? {};
  },
  validate: validateNamespace,
  validateUpdate: validateNamespaceUpdate,
  deletionHold: {
    isHeld: ({ spec }) => (spec?.finalizers?.length ?? 0) > 0,
    begin: (going) => {
      going.status = { ...going.status, phase: 'Terminating' };
    },
  },
  columns: [
    nameColumn,
    { name: 'Status', description: 'The status of the namespace', value: ({ status }) => status?.phase ?? '' },
    ageColumn,
  ],
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  resetFields: { finalize: ['status'] },
  subresources: { status: true, other: { finalize: { verbs: ['update'], kind: 'Namespace' } } },
});

function defaultNamespace(object: Namespace): void {
  const { name = '', labels } = object.metadata;
  if (name !== '' && labels?.[namespaceNameLabel] !== name) object.metadata.labels = { ...labels, [namespaceNameLabel]: name };
  object.spec ??= {};
  object.status ??= {};
  if (!object.status.phase) object.status.phase = 'Active';
}

/** Only the finalize endpoint says which of them it means. */
function validateNamespace({ spec }: Namespace, { subresource }: WriteContext): FieldProblem[] {
  return (spec?.finalizers ?? []).flatMap((finalizer, at) => {
    const field = subresource === 'finalize' ? `spec.finalizers[${at}]` : 'spec.finalizers';
    return [...invalidEach(field, finalizer, qualifiedNameProblems(finalizer)), ...validateStandardFinalizer(finalizer, field)];
  });
}

function validateNamespaceUpdate(next: Namespace, _prev: Namespace, { subresource }: WriteContext): FieldProblem[] {
  if (subresource !== 'status') return [];
  const phase = next.status?.phase ?? '';
  if (next.metadata.deletionTimestamp === undefined) {
    return phase === 'Active' ? [] : [invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  }
  return phase === 'Terminating' ? [] : [invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
}
