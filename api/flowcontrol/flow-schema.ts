import type { V1FlowSchema, V1FlowSchemaSpec, V1FlowSchemaStatus } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import { goTree } from '../meta/go-form.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { keepMetaInStatus } from '../meta/object-meta.ts';
import { flowSchemaShape } from './go-shapes.ts';
import { mandatoryFlowSchemas } from './initial-objects.ts';
import { validateFlowRules } from './rules.ts';
import { validateConditionTypes } from './status.ts';

export interface FlowSchema extends V1FlowSchema {
  metadata: ObjectMeta;
  spec: V1FlowSchemaSpec;
  status: V1FlowSchemaStatus;
}

const maxPrecedence = 10_000;
const methods = ['ByNamespace', 'ByUser'];

/** Which requests belong to which priority level. */
export const flowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  scope: 'cluster',
  names: { plural: 'flowschemas' },
  schema: 'io.k8s.api.flowcontrol.v1.FlowSchema',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [
    (object) => {
      object.spec ??= {} as V1FlowSchemaSpec;
      object.spec.priorityLevelConfiguration ??= { name: '' };
      if (!object.spec.matchingPrecedence) object.spec.matchingPrecedence = 1_000;
      object.status ??= {};
    },
  ],
  prepareCreate: (created) => {
    created.status = {};
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource === 'status') keepMetaInStatus(next.metadata, prev.metadata);
  },
  validate: validateFlowSchema,
  columns: [
    nameColumn,
    { name: 'PriorityLevel', value: ({ spec }) => spec.priorityLevelConfiguration.name },
    { name: 'MatchingPrecedence', value: ({ spec }) => spec.matchingPrecedence ?? 0 },
    { name: 'DistinguisherMethod', value: ({ spec }) => spec.distinguisherMethod?.type ?? '<none>' },
    ageColumn,
    {
      name: 'MissingPL',
      description: 'references a broken or non-existent PriorityLevelConfiguration',
      value: ({ status }) => status.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    },
  ],
  resetFields: { status: ['metadata', 'spec'] },
  subresources: { status: true },
});

function validateFlowSchema({ metadata, spec, status }: FlowSchema, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return validateConditionTypes(status.conditions ?? []);
  const name = metadata.name ?? '';
  const problems = validateSpec(name, spec);
  const fixed = Object.hasOwn(mandatoryFlowSchemas, name) ? mandatoryFlowSchemas[name] : undefined;
  if (fixed !== undefined && !equalValues(spec, fixed)) {
    problems.push(invalid('spec', goTree(spec, flowSchemaShape), `spec of '${name}' must equal the fixed value`));
  }
  return [...problems, ...validateConditionTypes(status.conditions ?? [])];
}

function validateSpec(name: string, spec: V1FlowSchemaSpec): FieldProblem[] {
  const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec;
  const problems: FieldProblem[] = [];
  const precedence = (text: string): number => problems.push(invalid('spec.matchingPrecedence', matchingPrecedence, text));
  if (matchingPrecedence <= 0) precedence('must be a positive value');
  if (matchingPrecedence > maxPrecedence) precedence(`must not be greater than ${maxPrecedence}`);
  if (matchingPrecedence === 1 && name !== 'exempt') precedence("only the schema named 'exempt' may have matchingPrecedence 1");
  if (distinguisherMethod !== undefined && !methods.includes(distinguisherMethod.type)) {
    problems.push(notSupported('spec.distinguisherMethod.type', { Type: distinguisherMethod.type }, methods));
  }
  const field = 'spec.priorityLevelConfiguration.name';
  const level = priorityLevelConfiguration.name ?? '';
  if (level === '') problems.push(required(field, 'must reference a priority level'));
  else problems.push(...invalidEach(field, level, nameIsDnsSubdomain(level, false)));
  return [...problems, ...validateFlowRules(rules, 'spec.rules')];
}
