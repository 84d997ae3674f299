// Label selectors, from text (`app=web,tier in (a,b),!old`) and from objects (matchLabels, matchExpressions).
// Both become a list of requirements and one closure; the grammar and the errors are upstream's (apimachinery/pkg/labels).
import type { V1LabelSelector } from '#api/generated/types.ts';
import {
  compileRequirement,
  type Labels,
  type Requirement,
  requirement,
  requirementText,
  SelectorError,
  type SelectorOperator,
} from './label-requirement.ts';
import { readRequirements } from './selector-parser.ts';

/** A selector ready to match. `requirements` is undefined where nothing at all matches. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[] | undefined;
  matches(labels: Labels | undefined): boolean;
  /** The normal text form. */
  toString(): string;
}

/** Matches every object. */
const selectEverything: LabelSelector = selectorOf([]);

/** Matches no object. */
export const selectNothing: LabelSelector = { requirements: undefined, matches: () => false, toString: () => '' };

/** Reads a text selector; '' matches everything. Throws SelectorError. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === '') return selectEverything;
  return selectorOf(readRequirements(text));
}

/** A selector from a LabelSelector object: undefined matches nothing, an empty one everything. Throws SelectorError. */
export function labelSelectorOf(selector: V1LabelSelector | undefined): LabelSelector {
  if (selector === undefined) return selectNothing;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push(requirement(key, '=', [value]));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    requirements.push(requirement(key, wireOperator(operator), values ?? []));
  }
  return selectorOf(requirements);
}

/** A selector from a plain map, as Services and replication controllers have it; the values are not checked. */
export function mapSelectorOf(labels: Labels | undefined): LabelSelector {
  return selectorOf(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })));
}

function wireOperator(operator: string): SelectorOperator {
  if (operator === 'In') return 'in';
  if (operator === 'NotIn') return 'notin';
  if (operator === 'Exists') return 'exists';
  if (operator === 'DoesNotExist') return '!';
  throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
}

/** Compiles requirements into one selector, sorted by key as upstream keeps them. */
function selectorOf(unsorted: readonly Requirement[]): LabelSelector {
  const requirements = unsorted.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const tests = requirements.map(compileRequirement);
  const [only] = tests;
  const matches =
    only === undefined
      ? () => true
      : tests.length === 1
        ? (labels: Labels | undefined) => only(labels ?? {})
        : (labels: Labels | undefined) => tests.every((one) => one(labels ?? {}));
  return { requirements, matches, toString: () => requirements.map(requirementText).join(',') };
}
