// Groups of the Kubernetes community are protected: who defines a resource there says who approved it
// (apiextensions-apiserver/pkg/apihelpers).
import type { V1CustomResourceDefinition } from '#api/generated/types.ts';
import { type FieldProblem, invalid, required } from '../meta/field-problem.ts';

const annotation = 'api-approved.kubernetes.io';
const field = `metadata.annotations[${annotation}]`;
const more = 'see https://github.com/kubernetes/enhancements/pull/1111';

type Approval = 'approved' | 'bypassed' | 'missing' | 'invalid';

export function approvalOf({ metadata }: V1CustomResourceDefinition): Approval {
  const text = metadata.annotations?.[annotation] ?? '';
  if (text === '') return 'missing';
  if (text.startsWith('unapproved')) return 'bypassed';
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?\s]/.test(text) ? 'approved' : 'invalid';
}

export function validateApproval(definition: V1CustomResourceDefinition): FieldProblem[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(definition.spec.group)) return [];
  const state = approvalOf(definition);
  const text = `protected groups must have approval annotation ${JSON.stringify(annotation)}`;
  if (state === 'missing') return [required(field, `${text}, ${more}`)];
  if (state !== 'invalid') return [];
  const how = 'with either a URL or a reason starting with "unapproved"';
  return [invalid(field, definition.metadata.annotations?.[annotation], `${text} ${how}, ${more}`)];
}
