import type {
  V1LimitedPriorityLevelConfiguration,
  V1LimitResponse,
  V1PriorityLevelConfiguration,
  V1PriorityLevelConfigurationSpec,
  V1PriorityLevelConfigurationStatus,
  V1QueuingConfiguration,
} from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../meta/field-problem.ts';
import { goTree } from '../meta/go-form.ts';
import { inclusiveRangeText } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { keepMetaInStatus } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { priorityLevelShape } from './go-shapes.ts';
import { mandatoryPriorityLevels } from './initial-objects.ts';
import { validateConditionTypes } from './status.ts';

export interface PriorityLevelConfiguration extends V1PriorityLevelConfiguration {
  metadata: ObjectMeta;
  spec: V1PriorityLevelConfigurationSpec;
  status: V1PriorityLevelConfigurationStatus;
}

const maxQueues = 10_000_000;
/** As many bits of a flow's hash choose its queues. */
const maxHashBits = 60;

/** How many requests of some sort may run at a time, and what becomes of the others. */
export const priorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  scope: 'cluster',
  names: { plural: 'prioritylevelconfigurations' },
  schema: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  hasGeneration: true,
  unconditionalUpdate: false,
  defaults: [defaultLevel],
  prepareCreate: (created) => {
    created.status = {};
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource === 'status') keepMetaInStatus(next.metadata, prev.metadata);
  },
  validate: validateLevel,
  columns: [
    nameColumn,
    { name: 'Type', value: ({ spec }) => spec.type },
    { name: 'NominalConcurrencyShares', value: ({ spec }) => spec.limited?.nominalConcurrencyShares ?? '<none>' },
    { name: 'Queues', value: (level) => queuingOf(level)?.queues ?? '<none>' },
    { name: 'HandSize', value: (level) => queuingOf(level)?.handSize ?? '<none>' },
    { name: 'QueueLengthLimit', value: (level) => queuingOf(level)?.queueLengthLimit ?? '<none>' },
    ageColumn,
  ],
  resetFields: { status: ['metadata', 'spec'] },
  subresources: { status: true },
});

function queuingOf({ spec }: PriorityLevelConfiguration): V1QueuingConfiguration | undefined {
  return spec.limited?.limitResponse?.queuing;
}

function defaultLevel(object: PriorityLevelConfiguration): void {
  object.spec ??= { type: '' };
  object.status ??= {};
  const { exempt, limited } = object.spec;
  if (exempt !== undefined) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (limited === undefined) return;
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  limited.limitResponse ??= { type: '' };
  const queuing = limited.limitResponse.queuing;
  if (queuing === undefined) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

function validateLevel({ metadata, spec, status }: PriorityLevelConfiguration, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return validateConditionTypes(status.conditions ?? []);
  const name = metadata.name ?? '';
  return [...validateSpec(name, spec), ...validateFixed(name, spec), ...validateConditionTypes(status.conditions ?? [])];
}

/** The mandatory ones stay as they are, but for the shares of the exempt one. */
function validateFixed(name: string, spec: V1PriorityLevelConfigurationSpec): FieldProblem[] {
  const fixed = Object.hasOwn(mandatoryPriorityLevels, name) ? mandatoryPriorityLevels[name] : undefined;
  if (fixed === undefined) return [];
  const mayDiffer = name === 'exempt';
  if (equalValues(mayDiffer ? { ...spec, exempt: fixed.exempt } : spec, fixed)) return [];
  const which = mayDiffer ? "'exempt' except the 'spec.exempt' field" : `'${name}'`;
  return [invalid('spec', goTree(spec, priorityLevelShape), `spec of ${which} must equal the fixed value`)];
}

function validateSpec(name: string, { type, exempt, limited }: V1PriorityLevelConfigurationSpec): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if ((name === 'exempt') !== (type === 'Exempt')) {
    problems.push(invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (limited !== undefined) problems.push(forbiddenField('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt !== undefined) {
      problems.push(
        ...validateNominal('spec.exempt', exempt.nominalConcurrencyShares),
        ...validateLendable('spec.exempt', exempt.lendablePercent),
      );
    }
  } else if (type === 'Limited') {
    if (exempt !== undefined) problems.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'));
    if (limited === undefined) problems.push(required('spec.limited', 'must not be empty when type is Limited'));
    else problems.push(...validateLimited(limited, 'spec.limited'));
  } else {
    problems.push(notSupported('spec.type', type, ['Exempt', 'Limited']));
  }
  return problems;
}

function validateLimited(limited: Unchecked<V1LimitedPriorityLevelConfiguration>, path: string): FieldProblem[] {
  const { nominalConcurrencyShares, limitResponse = {}, lendablePercent, borrowingLimitPercent } = limited;
  const problems = [
    ...validateNominal(path, nominalConcurrencyShares),
    ...validateLimitResponse(limitResponse, `${path}.limitResponse`),
    ...validateLendable(path, lendablePercent),
  ];
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const text = 'if specified, must be a non-negative integer';
    problems.push(invalid(`${path}.borrowingLimitPercent`, borrowingLimitPercent, text));
  }
  return problems;
}

function validateNominal(path: string, shares = 0): FieldProblem[] {
  return shares >= 0 ? [] : [invalid(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')];
}

function validateLendable(path: string, percent = 0): FieldProblem[] {
  return percent >= 0 && percent <= 100 ? [] : [invalid(`${path}.lendablePercent`, percent, inclusiveRangeText(0, 100))];
}

function validateLimitResponse({ type = '', queuing }: Unchecked<V1LimitResponse>, path: string): FieldProblem[] {
  const field = `${path}.queuing`;
  if (type === 'Reject') {
    return queuing === undefined ? [] : [forbiddenField(field, 'must be nil if limited.limitResponse.type is not Limited')];
  }
  if (type !== 'Queue') return [notSupported(`${path}.type`, type, ['Queue', 'Reject'])];
  if (queuing === undefined) return [required(field, 'must not be empty if limited.limitResponse.type is Limited')];
  return validateQueuing(queuing, field);
}

function validateQueuing(
  { queues = 0, handSize = 0, queueLengthLimit = 0 }: Unchecked<V1QueuingConfiguration>,
  path: string,
): FieldProblem[] {
  const problems = queueLengthLimit <= 0 ? [invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive')] : [];
  if (queues <= 0) problems.push(invalid(`${path}.queues`, queues, 'must be positive'));
  else if (queues > maxQueues) problems.push(invalid(`${path}.queues`, queues, `must not be greater than ${maxQueues}`));
  const hand = handProblem(queues, handSize);
  return hand === undefined ? problems : [...problems, invalid(`${path}.handSize`, handSize, hand)];
}

function handProblem(queues: number, handSize: number): string | undefined {
  if (handSize <= 0) return 'must be positive';
  if (handSize > queues) return `should not be greater than queues (${queues})`;
  if (Math.ceil(Math.log2(queues) * handSize) <= maxHashBits) return undefined;
  return `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`;
}
