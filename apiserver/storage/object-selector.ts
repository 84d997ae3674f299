import { SelectorError } from '#api/meta/label-requirement.ts';
import { type LabelSelector, parseLabelSelector } from '#api/meta/label-selector.ts';
import { checkFieldSelector, parseFieldSelector } from '#api/meta/field-selector.ts';
import { badRequest } from '#api/meta/status.ts';
import type { CachedObject } from './cached-object.ts';
import type { ServedForm } from './served-form.ts';
import { labelSkimmer, tooLong } from './skim.ts';

/** What a list or watch asks for, compiled. */
export interface ObjectSelector {
  readonly form: ServedForm;
  /** '' is every namespace. */
  readonly namespace: string;
  /** The one name that can match, if the selector says so. */
  readonly name: string | undefined;
  /** A selectable field that must have one value, for the index of watchers: position in `form.fields` and value. */
  readonly field: { readonly at: number; readonly value: string } | undefined;
  /** Which objects a list looks at whose kind keeps an index by a field that the selector demands; undefined: at all. */
  readonly indexed: ((object: CachedObject) => boolean) | undefined;
  /** True when nothing is selected by labels or fields. */
  readonly isEverything: boolean;
  /** For objects in `form`. */
  matches(object: CachedObject): boolean;
}

interface SelectorTexts {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

/** Compiles the texts of a request. Throws BadRequest with upstream's words. */
export function objectSelector(form: ServedForm, { namespace, labelSelector, fieldSelector }: SelectorTexts): ObjectSelector {
  try {
    const labels = parseLabelSelector(labelSelector);
    const fields = parseFieldSelector(fieldSelector);
    checkFieldSelector(form.kind, fields);
    const hasLabels = labels.requirements?.length !== 0;
    const tests: ((object: CachedObject) => boolean)[] = [];
    if (namespace !== '') tests.push((object) => object.key.startsWith(`${namespace}/`));
    if (hasLabels) tests.push(labelTest(labels));
    for (const { field, operator, value } of fields.terms) {
      const wanted = operator === '=';
      tests.push((object) => (fieldValue(object, field) === value) === wanted);
    }
    const indexed = fields.terms.find(({ field, operator }) => operator === '=' && form.fields.includes(field));
    const listed = fields.terms.find(({ field, operator }) => operator === '=' && form.kind.listIndex === field);
    const [only] = tests;
    return {
      form,
      namespace: namespace !== '' || form.kind.scope === 'cluster' ? namespace : (fields.exact('metadata.namespace') ?? ''),
      name: fields.exact('metadata.name'),
      field: indexed === undefined ? undefined : { at: form.fields.indexOf(indexed.field), value: indexed.value },
      indexed: listed && ((object) => fieldValue(object, listed.field) === listed.value),
      isEverything: !hasLabels && fields.terms.length === 0,
      matches: only === undefined ? () => true : tests.length === 1 ? only : (object: CachedObject) => tests.every((test) => test(object)),
    };
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

function labelTest(selector: LabelSelector): (object: CachedObject) => boolean {
  const readLabels = labelSkimmer([...new Set(selector.requirements?.map(({ key }) => key))]);
  return (object) => selector.matches(object.labels === tooLong ? readLabels(object.json) : object.labels);
}

function fieldValue(object: CachedObject, field: string): string {
  if (field === 'metadata.name') return object.name;
  if (field === 'metadata.namespace') return object.namespace;
  return object.fieldValues[object.form.fields.indexOf(field)] ?? '';
}
