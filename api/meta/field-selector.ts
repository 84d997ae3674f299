// Field selectors: `status.phase=Running,spec.nodeName!=a`. Grammar and errors are upstream's (apimachinery/pkg/fields).
import type { KindDefinition } from '../kind.ts';
import { SelectorError } from './label-requirement.ts';
import type { KubeObject } from './object.ts';

interface FieldTerm {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** A field selector ready to match. */
export interface FieldSelector {
  readonly terms: readonly FieldTerm[];
  /** `valueOf` gives a field's text, '' where unset. */
  matches(valueOf: (field: string) => string): boolean;
  /** The one value that `field` must have, or undefined where the selector does not say so; for indexes. */
  exact(field: string): string | undefined;
}

/** Reads a field selector; '' matches everything. Throws SelectorError. */
export function parseFieldSelector(text: string): FieldSelector {
  const terms = splitTerms(text)
    .filter((part) => part !== '')
    .toSorted()
    .map((part) => readTerm(text, part));
  return {
    terms,
    matches: (valueOf) => terms.every(({ field, operator, value }) => (valueOf(field) === value) === (operator === '=')),
    exact: (field) => terms.find((term) => term.field === field && term.operator === '=')?.value,
  };
}

/** Throws SelectorError where the selector names a field that the kind does not offer. */
export function checkFieldSelector<T extends KubeObject>(kind: KindDefinition<T>, selector: FieldSelector): void {
  for (const { field } of selector.terms) {
    if (field === 'metadata.name') continue;
    if (kind.selectableFields === undefined) {
      if (field === 'metadata.namespace') continue;
      throw new SelectorError(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
    }
    if (field === 'metadata.namespace' && kind.scope === 'namespaced') continue;
    if (Object.hasOwn(kind.selectableFields, field)) continue;
    throw new SelectorError(kind.unknownFieldText?.(field) ?? `field label not supported: ${field}`);
  }
}

/** Splits at commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') at++;
    else if (char === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function readTerm(selector: string, part: string): FieldTerm {
  const found = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
  if (found === null) throw new SelectorError(`invalid selector: '${selector}'; can't understand '${part}'`);
  const [, field = '', operator = '', value = ''] = found;
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) };
}

/** A value as a selector's text has it. */
export function escapeFieldValue(value: string): string {
  return value.replaceAll(/[\\,=]/g, (char) => `\\${char}`);
}

function unescapeValue(value: string): string {
  let result = '';
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at);
    if (char === '\\') {
      at++;
      const next = value.charAt(at);
      if (next === '' || !'\\,='.includes(next)) throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
      result += next;
    } else if (char === ',' || char === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else {
      result += char;
    }
  }
  return result;
}
