import type { V1IngressClass, V1IngressClassParametersReference, V1IngressClassSpec } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { domainPrefixedPath, invalidEach, oneOf } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, required, tooLong } from '../meta/field-problem.ts';
import { byteLength, nameIsDnsLabel } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateLocalReference } from './local-reference.ts';

export interface IngressClass extends V1IngressClass {
  metadata: ObjectMeta;
  spec: V1IngressClassSpec;
}

/** Marks the class of Ingresses that name none; its value must be `true`. */
export const defaultIngressClassAnnotation = 'ingressclass.kubernetes.io/is-default-class';

const maxControllerBytes = 250;

export const ingressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  scope: 'cluster',
  names: { plural: 'ingressclasses' },
  schema: 'io.k8s.api.networking.v1.IngressClass',
  hasGeneration: true,
  defaults: [
    (object) => {
      object.spec ??= {};
      if (object.spec.parameters !== undefined) object.spec.parameters.scope ??= 'Cluster';
    },
  ],
  validate: validateIngressClass,
  validateUpdate: (next, prev) => validateImmutable(next.spec.controller ?? '', prev.spec.controller ?? '', 'spec.controller'),
  columns: [
    { ...nameColumn, value: ({ metadata }) => `${metadata.name ?? ''}${isDefault(metadata) ? ' (default)' : ''}` },
    {
      name: 'Controller',
      description: 'Controller that is responsible for handling this class',
      value: ({ spec }) => spec.controller ?? '',
    },
    {
      name: 'Parameters',
      description: 'A reference to a resource with additional parameters',
      value: ({ spec: { parameters } }) => (parameters === undefined ? '<none>' : referenceText(parameters)),
    },
    ageColumn,
  ],
});

function isDefault({ annotations }: ObjectMeta): boolean {
  return annotations?.[defaultIngressClassAnnotation] === 'true';
}

function referenceText({ kind, apiGroup, name }: V1IngressClassParametersReference): string {
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

function validateIngressClass({ spec: { controller = '', parameters } }: IngressClass): FieldProblem[] {
  const problems = byteLength(controller) > maxControllerBytes ? [tooLong('spec.controller', maxControllerBytes)] : [];
  problems.push(...domainPrefixedPath('spec.controller', controller));
  if (parameters !== undefined) problems.push(...validateParameters(parameters, 'spec.parameters'));
  return problems;
}

function validateParameters(parameters: Unchecked<V1IngressClassParametersReference>, path: string): FieldProblem[] {
  const { scope, namespace } = parameters;
  const problems = validateLocalReference(parameters, path);
  problems.push(...oneOf(`${path}.scope`, scope, ['Cluster', 'Namespace']));
  const field = `${path}.namespace`;
  if (scope === 'Namespace') {
    if (namespace === undefined) problems.push(required(field, "`parameters.scope` is set to 'Namespace'"));
    else problems.push(...invalidEach(field, namespace, nameIsDnsLabel(namespace, false)));
  } else if (scope === 'Cluster' && namespace !== undefined) {
    problems.push(forbiddenField(field, "`parameters.scope` is set to 'Cluster'"));
  }
  return problems;
}
