import type { V1CustomResourceConversion, V1CustomResourceDefinition, V1CustomResourceDefinitionNames } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { isConditionTrue } from '../meta/conditions.ts';
import { oneOf } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../meta/field-problem.ts';
import { dns1035LabelProblems, dnsSubdomainProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { defaultServicePort, validateClientConfig, validateReviewVersions } from '../meta/webhook-address.ts';
import { approvalOf, validateApproval } from './approval.ts';
import { everySchema } from './json-schema.ts';
import { unknownFormats } from './formats.ts';
import { validateSharedParts, validateVersions } from './versions.ts';

export interface CustomResourceDefinition extends V1CustomResourceDefinition {
  metadata: ObjectMeta;
}

type Spec = Unchecked<CustomResourceDefinition['spec']>;

const reviewVersions = ['v1', 'v1beta1'];

export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  scope: 'cluster',
  names: { plural: 'customresourcedefinitions', short: ['crd', 'crds'], categories: ['api-extensions'] },
  schema: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [defaultDefinition],
  prepareCreate: (created) => {
    created.status = {};
    keepStoredVersion(created);
  },
  prepareUpdate: (next, _prev, { subresource }) => {
    if (subresource === '') keepStoredVersion(next);
  },
  validate: validateDefinition,
  validateUpdate,
  notYet: () => 'custom resources are not served',
  warnings: (next, prev) => {
    const before = new Set(prev === undefined ? [] : formatsOf(prev));
    return formatsOf(next)
      .filter((format) => !before.has(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`);
  },
  resetFields: { status: ['metadata', 'spec'] },
  subresources: { status: true },
});

function defaultDefinition({ spec, status = {} }: CustomResourceDefinition): void {
  const { names } = spec;
  if (!names.singular) names.singular = names.kind.toLowerCase();
  if (!names.listKind && names.kind !== '') names.listKind = `${names.kind}List`;
  spec.conversion ??= { strategy: 'None' };
  defaultServicePort(spec.conversion.webhook?.clientConfig);
  const stored = spec.versions.find(({ storage }) => storage)?.name;
  if ((status.storedVersions ?? []).length === 0 && stored !== undefined) status.storedVersions = [stored];
}

/** Objects may exist in every version that was ever stored. */
function keepStoredVersion(definition: CustomResourceDefinition): void {
  const stored = definition.spec.versions.find(({ storage }) => storage)?.name;
  definition.status ??= {};
  const list = definition.status.storedVersions ?? [];
  if (stored !== undefined && !list.includes(stored)) definition.status.storedVersions = [...list, stored];
}

function formatsOf({ spec }: CustomResourceDefinition): string[] {
  const schemas = spec.versions.flatMap(({ schema }) => (schema?.openAPIV3Schema === undefined ? [] : [schema.openAPIV3Schema]));
  return [...new Set(schemas.flatMap((schema) => unknownFormats(everySchema(schema))))];
}

function validateDefinition(definition: CustomResourceDefinition, { subresource, verb }: WriteContext): FieldProblem[] {
  const { metadata, spec, status } = definition;
  const statusProblems = validateNames(status?.acceptedNames ?? {}, 'status.acceptedNames');
  if (subresource === 'status') return statusProblems;
  const problems = verb === 'create' ? validateOwnName(metadata, `${spec.names.plural}.${spec.group}`) : [];
  problems.push(...validateSpec(spec), ...statusProblems, ...validateStored(definition));
  if (verb === 'create') problems.push(...validateApproval(definition));
  return spec.preserveUnknownFields === true ? [...problems, preserveProblem] : problems;
}

/** Whether it is given or made, there is one name that a definition can have. */
function validateOwnName({ name = '', generateName = '' }: ObjectMeta, wanted: string): FieldProblem[] {
  return Object.entries({ generateName, name }).flatMap(([field, value]) =>
    value === '' || value === wanted ? [] : [invalid(`metadata.${field}`, value, 'must be spec.names.plural+"."+spec.group')],
  );
}

const preserveProblem = invalid(
  'spec.preserveUnknownFields',
  true,
  'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
);

function validateUpdate(next: CustomResourceDefinition, prev: CustomResourceDefinition, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return [];
  const problems: FieldProblem[] = [];
  if (isConditionTrue(prev.status?.conditions, 'Established')) {
    problems.push(
      ...validateImmutable(next.spec.scope, prev.spec.scope, 'spec.scope'),
      ...validateImmutable(next.spec.names.kind, prev.spec.names.kind, 'spec.names.kind'),
    );
  }
  problems.push(
    ...validateImmutable(next.spec.group, prev.spec.group, 'spec.group'),
    ...validateImmutable(next.spec.names.plural, prev.spec.names.plural, 'spec.names.plural'),
  );
  const isSame = approvalOf(next) === approvalOf(prev);
  return isSame ? problems : [...problems, ...validateApproval(next)];
}

function validateSpec(spec: Spec): FieldProblem[] {
  const { group = '', scope, versions = [], names = {}, conversion, preserveUnknownFields = false } = spec;
  const problems = validateGroup(group);
  problems.push(...oneOf('spec.scope', scope, ['Cluster', 'Namespaced']));
  if (preserveUnknownFields && versions.some(({ schema }) => hasDefaults(schema?.openAPIV3Schema))) {
    problems.push(invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'));
  }
  problems.push(...validateVersions(versions));
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names[field]) problems.push(required(`spec.names.${field}`));
  }
  problems.push(...validateNames(names, 'spec.names'), ...validateSharedParts(versions));
  if (preserveUnknownFields && conversion !== undefined && conversion.strategy !== 'None') {
    const text = 'must be None if spec.preserveUnknownFields is true';
    problems.push(invalid('spec.conversion.strategy', conversion.strategy ?? '', text));
  }
  return conversion === undefined ? problems : [...problems, ...validateConversion(conversion)];
}

function hasDefaults(schema: Parameters<typeof everySchema>[0] | undefined): boolean {
  return schema !== undefined && [...everySchema(schema)].some((one) => one.default !== undefined && one.default !== null);
}

function validateGroup(group: string): FieldProblem[] {
  const field = 'spec.group';
  if (group === '') return [required(field)];
  const texts = dnsSubdomainProblems(group);
  if (texts.length > 0) return [invalid(field, group, texts.join(','))];
  return group.includes('.') ? [] : [invalid(field, group, 'should be a domain with at least one dot')];
}

function validateNames(names: Unchecked<V1CustomResourceDefinitionNames>, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const check = (field: string, value: string, prefix = ''): void => {
    const texts = value === '' ? [] : dns1035LabelProblems(prefix === '' ? value : value.toLowerCase());
    if (texts.length > 0) problems.push(invalid(`${path}.${field}`, value, prefix + texts.join(',')));
  };
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names;
  const mixed = 'may have mixed case, but should otherwise match: ';
  check('plural', plural);
  check('singular', singular);
  check('kind', kind, mixed);
  check('listKind', listKind, mixed);
  shortNames.forEach((name, at) => check(`shortNames[${at}]`, name));
  if (kind !== '' && kind === listKind) problems.push(invalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same'));
  categories.forEach((name, at) => check(`categories[${at}]`, name));
  return problems;
}

/** Messages name the parts as upstream keeps them: without the webhook around. */
function validateConversion({ strategy, webhook }: Unchecked<V1CustomResourceConversion>): FieldProblem[] {
  const [clientField, versionsField] = ['spec.conversion.webhookClientConfig', 'spec.conversion.conversionReviewVersions'];
  const problems = oneOf('spec.conversion.strategy', strategy, ['None', 'Webhook']);
  const { clientConfig, conversionReviewVersions = [] } = webhook ?? {};
  if (strategy === 'Webhook') {
    if (clientConfig === undefined) problems.push(required(clientField, 'required when strategy is set to Webhook'));
    else problems.push(...validateClientConfig(clientConfig, clientField));
    return [...problems, ...validateReviewVersions(conversionReviewVersions, reviewVersions, versionsField, '')];
  }
  const text = 'should not be set when strategy is not set to Webhook';
  if (clientConfig !== undefined) problems.push(forbiddenField(clientField, text));
  if (conversionReviewVersions.length > 0) problems.push(forbiddenField(versionsField, text));
  return problems;
}

function validateStored({ spec, status }: CustomResourceDefinition): FieldProblem[] {
  const field = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalid(field, stored, 'must have at least one stored version')];
  const problems = spec.versions
    .filter(({ storage, name }) => storage && !stored.includes(name))
    .map(({ name }) => invalid(field, stored, `must have the storage version ${name}`));
  stored.forEach((name, at) => {
    if (spec.versions.some((version) => version.name === name)) return;
    const text = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    problems.push(invalid(`${field}[${at}]`, name, text));
  });
  return problems;
}
