import { addAll } from '../meta/add-all.ts';
import type { V1LimitRange, V1LimitRangeItem, V1LimitRangeSpec } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { invalidEach } from '../meta/field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, required } from '../meta/field-problem.ts';
import { qualifiedNameProblems } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { amountOf, compareQuantities, quantityMillis, quantityValue } from '../meta/quantity.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { mayOvercommit, validateContainerResourceName, validateResourceName } from './resource-names.ts';

export interface LimitRange extends V1LimitRange {
  metadata: ObjectMeta;
  spec: V1LimitRangeSpec;
}

type Amounts = Readonly<Record<string, string>>;
type Item = Unchecked<V1LimitRangeItem>;

const standardTypes: ReadonlySet<string> = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);
/** Amounts below this are compared in thousandths: more would not fit into upstream's 64 bits. */
const largestMilliValue = Number((2n ** 63n - 1n) / 1_000n);

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  scope: 'namespaced',
  names: { plural: 'limitranges', short: ['limits'] },
  schema: 'io.k8s.api.core.v1.LimitRange',
  createOnUpdate: true,
  defaults: [
    (object) => {
      object.spec ??= { limits: [] };
      object.spec.limits.forEach(defaultItem);
    },
  ],
  prepareCreate: ({ metadata }) => {
    // A name is optional here: a unique text serves.
    if ((metadata.name ?? '') === '' && metadata.uid !== undefined) metadata.name = metadata.uid;
  },
  validate: validateLimitRange,
});

/** Containers: without a default the maximum counts, without a default request the default, then the minimum. */
function defaultItem(item: V1LimitRangeItem): void {
  if (item.type !== 'Container') return;
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
}

function validateLimitRange({ spec }: LimitRange): FieldProblem[] {
  const seen = new Set<string>();
  return spec.limits.flatMap((item: Item, at) => {
    const path = `spec.limits[${at}]`;
    const { type = '' } = item;
    const problems = validateType(type, `${path}.type`);
    if (seen.has(type)) problems.push(duplicate(`${path}.type`, type));
    seen.add(type);
    return [...problems, ...validateItem(item, type, path)];
  });
}

function validateType(type: string, path: string): FieldProblem[] {
  const problems = invalidEach(path, type, qualifiedNameProblems(type));
  if (problems.length > 0 || type.includes('/') || standardTypes.has(type)) return problems;
  return [invalid(path, type, 'must be a standard limit type or fully qualified')];
}

function validateItem(item: Item, type: string, path: string): FieldProblem[] {
  const validateName = type === 'Pod' || type === 'Container' ? validateContainerResourceName : validateResourceName;
  const namesOf = (list: 'max' | 'min' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio'): FieldProblem[] =>
    Object.keys(item[list] ?? {}).flatMap((name) => validateName(name, `${path}.${list}[${name}]`));
  const problems = [...namesOf('max'), ...namesOf('min')];
  for (const list of ['default', 'defaultRequest'] as const) {
    if (type !== 'Pod') addAll(problems, namesOf(list));
    else if (Object.keys(item[list] ?? {}).length > 0) {
      problems.push(forbiddenField(`${path}.${list}`, "may not be specified when `type` is 'Pod'"));
    }
  }
  if (type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && item.max?.['storage'] === undefined) {
    const text = 'either minimum or maximum storage value is required, but neither was provided';
    problems.push(required(`${path}.limits`, text));
  }
  addAll(problems, namesOf('maxLimitRequestRatio'));
  // For whole pods there are no defaults, refused as they are above.
  const compared = type === 'Pod' ? { ...item, default: {}, defaultRequest: {} } : item;
  const { max, min, default: limit, defaultRequest, maxLimitRequestRatio } = compared;
  const names = Object.keys({ ...max, ...min, ...limit, ...defaultRequest, ...maxLimitRequestRatio });
  return [...problems, ...names.flatMap((name) => validateOrder(compared, name, path))];
}

/** Bounds and defaults of one resource must agree. */
function validateOrder(item: Item, name: string, path: string): FieldProblem[] {
  const amount = (list: Unchecked<Amounts> | undefined): string | undefined => amountOf(list as Amounts | undefined, name);
  const [min, max, limit, request] = [amount(item.min), amount(item.max), amount(item.default), amount(item.defaultRequest)];
  const problems: FieldProblem[] = [];
  /** `low` may not exceed `high`; `shown` is which of the two the message blames. */
  const order = (list: string, low: Bound, high: Bound, shown: 'low' | 'high'): void => {
    if (low.value === undefined || high.value === undefined || compareQuantities(low.value, high.value) <= 0) return;
    const text = `${low.word} value ${low.value} is greater than ${high.word} value ${high.value}`;
    problems.push(invalid(`${path}.${list}[${name}]`, shown === 'low' ? low.value : high.value, text));
  };
  order('min', { word: 'min', value: min }, { word: 'max', value: max }, 'low');
  order('defaultRequest', { word: 'min', value: min }, { word: 'default request', value: request }, 'high');
  order('defaultRequest', { word: 'default request', value: request }, { word: 'max', value: max }, 'low');
  order('defaultRequest', { word: 'default request', value: request }, { word: 'default limit', value: limit }, 'low');
  order('default', { word: 'min', value: min }, { word: 'default', value: limit }, 'low');
  order('default', { word: 'default', value: limit }, { word: 'max', value: max }, 'high');
  addAll(problems, validateRatio(amount(item.maxLimitRequestRatio), min, max, `${path}.maxLimitRequestRatio[${name}]`));
  if (!mayOvercommit(name) && limit !== undefined && request !== undefined && compareQuantities(limit, request) !== 0) {
    const text = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    problems.push(invalid(`${path}.defaultRequest[${name}]`, request, text));
  }
  return problems;
}

interface Bound {
  readonly word: string;
  readonly value: string | undefined;
}

function validateRatio(ratio: string | undefined, min: string | undefined, max: string | undefined, path: string): FieldProblem[] {
  if (ratio === undefined) return [];
  const problems = compareQuantities(ratio, 1) < 0 ? [invalid(path, ratio, `ratio ${ratio} is less than 1`)] : [];
  if (min === undefined || max === undefined) return problems;
  const isSmall = [ratio, min, max].every((value) => quantityValue(value) < largestMilliValue);
  const given = isSmall ? quantityMillis(ratio) / 1_000 : quantityValue(ratio);
  const possible = isSmall ? quantityMillis(max) / quantityMillis(min) : quantityValue(max) / quantityValue(min);
  if (given > possible) problems.push(invalid(path, ratio, `ratio ${ratio} is greater than max/min = ${fixedText(possible)}`));
  return problems;
}

/** Six decimals, as Go's %f. */
function fixedText(value: number): string {
  if (Number.isFinite(value)) return value.toFixed(6);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
