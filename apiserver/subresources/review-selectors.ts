// Selectors of a reviewed request: as text or in parts (pkg/apis/authorization/validation/validation.go).
import type { V1FieldSelectorRequirement, V1LabelSelectorRequirement } from '#api/generated/types.ts';
import { invalidEach, qualifiedName } from '#api/meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '#api/meta/field-problem.ts';
import { escapeFieldValue, parseFieldSelector } from '#api/meta/field-selector.ts';
import { SelectorError } from '#api/meta/label-requirement.ts';
import { parseLabelSelector } from '#api/meta/label-selector.ts';
import { labelValueProblems } from '#api/meta/names.ts';
import type { JsonObject } from '#api/meta/object.ts';
import type { Unchecked } from '#api/meta/unchecked.ts';
import { member, text } from './body.ts';

type Requirement = Unchecked<V1FieldSelectorRequirement & V1LabelSelectorRequirement>;

export function checkSelectors(attributes: JsonObject): FieldProblem[] {
  return [
    ...checkSelector(attributes, 'fieldSelector', ({ key = '' }, path) =>
      key === '' ? [required(`${path}.key`, 'must be specified')] : [],
    ),
    ...checkSelector(attributes, 'labelSelector', ({ key = '', values = [] }, path) => [
      ...qualifiedName(`${path}.key`, key),
      ...values.flatMap((value, at) => invalidEach(`${path}.values[${at}]`, value, labelValueProblems(value))),
    ]),
  ];
}

function checkSelector(
  attributes: JsonObject,
  name: string,
  checkKey: (requirement: Requirement, path: string) => FieldProblem[],
): FieldProblem[] {
  if ((attributes[name] ?? undefined) === undefined) return [];
  const selector = member(attributes, name);
  const path = `spec.resourceAttributes.${name}`;
  const raw = text(selector, 'rawSelector');
  const requirements = (selector['requirements'] ?? []) as unknown as readonly Requirement[];
  const problems: FieldProblem[] = [];
  if (raw !== '' && requirements.length > 0) {
    problems.push(invalid(`${path}.rawSelector`, raw, 'may not specified at the same time as requirements'));
  }
  if (raw === '' && requirements.length === 0) {
    problems.push(required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`));
  }
  requirements.forEach((requirement, at) => {
    const own = `${path}.requirements[${at}]`;
    const values = checkValues(requirement, own);
    // Upstream names fields before it looks at their values, labels after.
    const keys = checkKey(requirement, own);
    problems.push(...(name === 'fieldSelector' ? [...keys, ...values] : [...values, ...keys]));
  });
  return problems;
}

/** Operators that are not known pass: newer clients may ask about them. */
function checkValues({ operator = '', values = [] }: Requirement, path: string): FieldProblem[] {
  const field = `${path}.values`;
  if (values.length === 0 && (operator === 'In' || operator === 'NotIn')) {
    return [required(field, "must be specified when `operator` is 'In' or 'NotIn'")];
  }
  if (values.length > 0 && (operator === 'Exists' || operator === 'DoesNotExist')) {
    return [forbiddenField(field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
  }
  return [];
}

/** The selectors for authorizers, and the warnings about parts that are dropped. */
interface ReadSelectors {
  /** As a request would have it. */
  readonly fieldSelector: string;
  /** '' where all of it could be read. */
  readonly evaluationError: string;
}

export function readSelectors(attributes: JsonObject): ReadSelectors {
  const errors: string[] = [];
  const read = (name: string, part: (requirement: Requirement) => string | undefined, parse: (raw: string) => unknown): string => {
    const selector = member(attributes, name);
    const raw = text(selector, 'rawSelector');
    if (raw !== '' && isReadable(raw, parse)) return raw;
    const requirements = (selector['requirements'] ?? []) as unknown as readonly Requirement[];
    const parts = requirements.flatMap((requirement) => part(requirement) ?? []);
    if (raw === '' && parts.length === requirements.length) return parts.join(',');
    errors.push(`spec.resourceAttributes.${name} ${parts.length > 0 ? 'partially ' : ''}ignored due to parse error`);
    return parts.join(',');
  };
  const fieldSelector = read('fieldSelector', fieldTerm, parseFieldSelector);
  read('labelSelector', ({ operator = '' }) => (labelOperators.has(operator) ? operator : undefined), parseLabelSelector);
  return { fieldSelector, evaluationError: errors.join('; ') };
}

const labelOperators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** Field selectors compare with one value, and that is all they can do. */
function fieldTerm({ key = '', operator, values = [] }: Requirement): string | undefined {
  const sign = operator === 'In' ? '=' : operator === 'NotIn' ? '!=' : undefined;
  if (sign === undefined || values.length !== 1 || /[!=,\\]/.test(key)) return undefined;
  return `${key}${sign}${escapeFieldValue(values[0] ?? '')}`;
}

function isReadable(raw: string, parse: (raw: string) => unknown): boolean {
  try {
    parse(raw);
    return true;
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}
