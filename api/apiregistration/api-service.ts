import type { V1APIService, V1APIServiceCondition } from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { findCondition, withCondition } from '../meta/conditions.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import { dns1035LabelProblems, dnsSubdomainProblems, nameIsPathSegment } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { keepMetaInStatus } from '../meta/object-meta.ts';
import { timeText } from '../meta/time-text.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export interface ApiService extends V1APIService {
  metadata: ObjectMeta;
}

const maxGroupPriority = 20_000;
const maxVersionPriority = 1_000;

export const apiService = defineKind<ApiService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  scope: 'cluster',
  names: { plural: 'apiservices', categories: ['api-extensions'] },
  schema: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  unconditionalUpdate: false,
  // The last word on names is `validate`'s, which sees what they must be.
  validateName: nameIsPathSegment,
  defaults: [
    ({ spec }) => {
      if (spec?.service !== undefined) spec.service.port ??= 443;
    },
  ],
  prepareCreate: (created, { nowMs }) => {
    created.status = created.spec?.service === undefined ? { conditions: [localIsAvailable(nowMs)] } : {};
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource === 'status') keepMetaInStatus(next.metadata, prev.metadata);
  },
  validate: validateApiService,
  notYet: ({ spec }) => (spec?.service === undefined ? undefined : 'requests are not handed on to other API servers'),
  resetFields: { status: ['metadata', 'spec'] },
  subresources: { status: true },
  columns: [
    nameColumn,
    {
      name: 'Service',
      description: 'The reference to the service that hosts this API endpoint.',
      value: ({ spec }) => (spec?.service === undefined ? 'Local' : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`),
    },
    { name: 'Available', description: 'Whether this service is available.', value: availableText },
    ageColumn,
  ],
});

/** What an API has that this server answers itself. */
function localIsAvailable(nowMs: number): V1APIServiceCondition {
  return {
    type: 'Available',
    status: 'True',
    lastTransitionTime: timeText(nowMs),
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
}

/** A copy that says so; the time stays where it was said before. */
export function withLocalAvailable(service: ApiService, nowMs: number): ApiService {
  return { ...service, status: { ...service.status, conditions: withCondition(service.status?.conditions, localIsAvailable(nowMs)) } };
}

function availableText({ status }: ApiService): string {
  const condition = findCondition(status?.conditions, 'Available');
  if (condition === undefined) return 'Unknown';
  return condition.status !== 'True' && condition.reason ? `${condition.status} (${condition.reason})` : condition.status;
}

function validateApiService(service: Unchecked<ApiService>, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return validateStatus(service.status?.conditions ?? []);
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = service.spec ?? {};
  const problems = validateOwnName(service.metadata ?? {}, `${version}.${group}`);
  if (group === '' && version !== 'v1') {
    problems.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  if (group !== '') problems.push(...invalidEach('spec.group', group, dnsSubdomainProblems(group)));
  problems.push(...invalidEach('spec.version', version, dns1035LabelProblems(version)));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > maxGroupPriority) {
    problems.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  }
  if (versionPriority <= 0 || versionPriority > maxVersionPriority) {
    problems.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  }
  return [...problems, ...validateTarget(service.spec ?? {})];
}

/** Whether it is given or made, there is one name that an APIService can have. */
function validateOwnName({ name = '', generateName = '' }: Unchecked<ObjectMeta>, wanted: string): FieldProblem[] {
  return Object.entries({ generateName, name }).flatMap(([field, value]) => {
    if (value === '' || value === wanted || nameIsPathSegment(value, false).length > 0) return [];
    return [invalid(`metadata.${field}`, value, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`)];
  });
}

/** Another server, or none: then nothing about how to reach it. */
function validateTarget({
  service,
  caBundle = '',
  insecureSkipTLSVerify = false,
}: Unchecked<NonNullable<ApiService['spec']>>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const skipField = 'spec.insecureSkipTLSVerify';
  if (service === undefined) {
    const bytes = `${Buffer.from(caBundle, 'base64').length} bytes`;
    if (caBundle !== '') problems.push(invalid('spec.caBundle', bytes, 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify) problems.push(invalid(skipField, true, 'local APIServices may not have insecureSkipTLSVerify'));
    return problems;
  }
  if (!service.namespace) problems.push(required('spec.service.namespace'));
  if (!service.name) problems.push(required('spec.service.name'));
  if (insecureSkipTLSVerify && caBundle !== '') problems.push(invalid(skipField, true, 'may not be true if caBundle is present'));
  return problems;
}

function validateStatus(conditions: readonly Unchecked<V1APIServiceCondition>[]): FieldProblem[] {
  const statuses = ['True', 'False', 'Unknown'];
  return conditions.flatMap(({ status = '' }, at) =>
    statuses.includes(status) ? [] : [notSupported(`status.conditions[${at}].status`, status, statuses)],
  );
}
