import { stringifyDeep } from '../schema/stringify-deep.ts';
import { goQuote } from './go-form.ts';
import { ApiError, resourceText, type StatusCause } from './status.ts';

/** Upstream's field.ErrorType, as a Status cause names it (apimachinery/pkg/util/validation/field/errors.go). */
type ProblemType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

/** One thing wrong with one field. Validation returns these and never throws. */
export interface FieldProblem {
  readonly type: ProblemType;
  /** `spec.containers[0].name`. */
  readonly field: string;
  /** The whole message without the field: `Invalid value: "x": must be …`. */
  readonly message: string;
  /** Set where the rule is younger than what it judges: objects that had the same problem before they were changed may keep it. */
  readonly isForgiven?: true;
}

/** Without the problems that the stored object has already; `before` computes those, and is called only if needed. */
export function newProblems(problems: readonly FieldProblem[], before: () => readonly FieldProblem[]): readonly FieldProblem[] {
  if (!problems.some(({ isForgiven }) => isForgiven)) return problems;
  const known = new Set(before().flatMap(({ isForgiven, message }) => (isForgiven ? [message] : [])));
  return problems.filter(({ isForgiven, message }) => isForgiven !== true || !known.has(message));
}

/** `Required value` or `Required value: why`. */
export function required(field: string, why = ''): FieldProblem {
  return { type: 'FieldValueRequired', field, message: why === '' ? 'Required value' : `Required value: ${why}` };
}

/** `Invalid value: <value>: why`. */
export function invalid(field: string, value: unknown, why: string): FieldProblem {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${show(value)}${why === '' ? '' : `: ${why}`}` };
}

/** `Invalid value: why`, for what is wrong as a whole and too large to show. */
export function invalidWhole(field: string, why: string): FieldProblem {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${why}` };
}

/** `Unsupported value: <value>: supported values: "A", "B"`, in the order given, which differs from field to field upstream. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldProblem {
  const list = supported.map((one) => JSON.stringify(one));
  return {
    type: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${show(value)}${list.length === 0 ? '' : `: supported values: ${list.join(', ')}`}`,
  };
}

export function duplicate(field: string, value: unknown): FieldProblem {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${show(value)}` };
}

/** `Forbidden` or `Forbidden: why`. */
export function forbiddenField(field: string, why: string): FieldProblem {
  return { type: 'FieldValueForbidden', field, message: why === '' ? 'Forbidden' : `Forbidden: ${why}` };
}

export function tooLong(field: string, maxLength: number): FieldProblem {
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxLength} ${maxLength === 1 ? 'byte' : 'bytes'}` };
}

export function tooMany(field: string, actual: number, max: number): FieldProblem {
  return { type: 'FieldValueTooMany', field, message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}` };
}

export function valueNotFound(field: string, value: unknown): FieldProblem {
  return { type: 'FieldValueNotFound', field, message: `Not found: ${show(value)}` };
}

/** What upstream takes for a fault of its own, although the object is to blame. */
export function internalFault(field: string, why: string): FieldProblem {
  return { type: 'InternalError', field, message: `Internal error: ${why}` };
}

/** The 422 answer for an object with problems, as upstream's NewInvalid words it. */
export function invalidObject(kind: { group: string; kind: string }, name: string, problems: readonly FieldProblem[]): ApiError {
  const texts = [...new Set(problems.map((problem) => `${problem.field}: ${problem.message}`))];
  const summary = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const causes: StatusCause[] = problems.map(({ type, field, message }) => ({
    reason: type,
    message,
    // Go leaves out what is empty.
    ...(field === '' ? {} : { field }),
  }));
  return new ApiError({
    reason: 'Invalid',
    message: `${resourceText({ group: kind.group, plural: kind.kind })} ${goQuote(name)} is invalid: ${summary}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      ...(kind.kind === '' ? {} : { kind: kind.kind }),
      causes,
    },
  });
}

/** What is not there is shown as JSON's null. */
function show(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  return typeof value === 'object' ? stringifyDeep(value).replace(/[<>&]/g, escaped) : String(value);
}

/** Go's JSON is safe to put into HTML. */
function escaped(sign: string): string {
  return `\\u00${sign.charCodeAt(0).toString(16)}`;
}
