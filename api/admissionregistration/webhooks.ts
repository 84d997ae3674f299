// What both kinds of webhook configuration have in common (pkg/apis/admissionregistration/validation/validation.go).
import type { V1MutatingWebhook, V1ValidatingWebhook } from '#api/generated/types.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import type { Column, KindDefinition } from '../kind.ts';
import { oneOfIfSet, validateLabelSelector } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import { dnsSubdomainProblems } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { defaultServicePort, validateClientConfig, validateReviewVersions } from '../meta/webhook-address.ts';
import { defaultRules, failurePolicies, reinvocationPolicies, validateMatchConditions, validateRule, warnOfStaticName } from './rules.ts';

const reviewVersions = ['v1', 'v1beta1'];
const sideEffectClasses = ['None', 'NoneOnDryRun'];
const maxTimeoutSeconds = 30;

type Webhook = V1ValidatingWebhook & Pick<V1MutatingWebhook, 'reinvocationPolicy'>;

interface WebhookConfiguration extends KubeObject {
  webhooks?: Webhook[];
}

/** Everything of such a kind but its names. */
export const webhookConfiguration = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'cluster',
  hasGeneration: true,
  unconditionalUpdate: false,
  validate: ({ webhooks = [] }) => webhooks.flatMap((hook, at) => validateWebhook(hook, webhooks, at)),
  notYet: ({ webhooks = [] }) => (webhooks.length > 0 ? 'admission webhooks are not called' : undefined),
  warnings: warnOfStaticName,
  columns: [
    nameColumn,
    {
      name: 'Webhooks',
      type: 'integer',
      description: 'Webhooks indicates the number of webhooks registered in this configuration',
      value: ({ webhooks = [] }) => webhooks.length,
    },
    ageColumn,
  ] satisfies Column<WebhookConfiguration>[],
} as const satisfies Partial<KindDefinition<WebhookConfiguration>>;

/** What webhooks do where a configuration does not say. */
export function defaultWebhooks(webhooks: readonly Webhook[] | undefined): void {
  for (const hook of webhooks ?? []) {
    hook.failurePolicy ??= 'Fail';
    hook.matchPolicy ??= 'Equivalent';
    hook.namespaceSelector ??= {};
    hook.objectSelector ??= {};
    hook.timeoutSeconds ??= 10;
    defaultServicePort(hook.clientConfig);
    defaultRules(hook.rules);
  }
}

function validateWebhook(hook: Unchecked<Webhook>, all: readonly Unchecked<Webhook>[], at: number): FieldProblem[] {
  const path = `webhooks[${at}]`;
  const { name = '', rules = [], failurePolicy, matchPolicy, reinvocationPolicy, timeoutSeconds, clientConfig = {} } = hook;
  const problems = validateName(name, `${path}.name`);
  rules.forEach((rule, index) => problems.push(...validateRule(rule, `${path}.rules[${index}]`)));
  problems.push(
    ...oneOfIfSet(`${path}.failurePolicy`, failurePolicy, failurePolicies),
    ...oneOfIfSet(`${path}.matchPolicy`, matchPolicy, ['Equivalent', 'Exact']),
    ...validateSideEffects(hook.sideEffects, `${path}.sideEffects`),
  );
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > maxTimeoutSeconds)) {
    problems.push(invalid(`${path}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
  }
  const versionsField = `${path}.admissionReviewVersions`;
  const ifNone = `must specify one of ${reviewVersions.join(', ')}`;
  problems.push(
    ...validateLabelSelector(hook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(hook.objectSelector, `${path}.objectSelector`),
    ...oneOfIfSet(`${path}.reinvocationPolicy`, reinvocationPolicy, reinvocationPolicies),
    ...validateClientConfig(clientConfig, `${path}.clientConfig`),
    ...validateMatchConditions(hook.matchConditions, `${path}.matchConditions`),
    ...validateReviewVersions(hook.admissionReviewVersions ?? [], reviewVersions, versionsField, ifNone),
  );
  const isRepeated = name !== '' && all.findIndex((other) => other.name === name) < at;
  return isRepeated ? [...problems, duplicate(`${path}.name`, name)] : problems;
}

/** Webhooks must be named as fully qualified domain names. */
function validateName(name: string, field: string): FieldProblem[] {
  if (name === '') return [required(field)];
  const texts = dnsSubdomainProblems(name);
  if (texts.length > 0) return [invalid(field, name, texts.join(','))];
  if (name.split('.').length >= 3) return [];
  return [invalid(field, name, 'should be a domain with at least three segments separated by dots')];
}

function validateSideEffects(value: string | undefined, field: string): FieldProblem[] {
  if (value === undefined) return [required(field, `must specify one of ${sideEffectClasses.join(', ')}`)];
  return sideEffectClasses.includes(value) ? [] : [notSupported(field, value, sideEffectClasses)];
}
