// What the classes of storage have in common: a provisioner or driver, and parameters that only it understands.
import { invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required, tooLong } from '../meta/field-problem.ts';
import { byteLength, qualifiedNameProblems } from '../meta/names.ts';
import { equalValues } from '../meta/equality.ts';

type Parameters = Readonly<Record<string, string>>;

const maxParameters = 512;
const maxParameterBytes = 256 * 1_024;

/** The name of a provisioner or driver, whose case does not matter. */
export function validateProvisioner(name: string, field: string): FieldProblem[] {
  if (name === '') return [required(field)];
  return invalidEach(field, name, qualifiedNameProblems(name.toLowerCase()));
}

export function validateParameters(parameters: Parameters, field: string): FieldProblem[] {
  const entries = Object.entries(parameters);
  if (entries.length > maxParameters) return [tooLong(field, maxParameters)];
  const problems = entries.some(([key]) => key === '') ? [invalid(field, '', 'field can not be empty.')] : [];
  if (textBytes(parameters) > maxParameterBytes) problems.push(tooLong(field, maxParameterBytes));
  return problems;
}

/** Keys and values together. */
export function textBytes(texts: Parameters): number {
  return Object.entries(texts).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
}

/** The problem of a field that changed, in the words of this group's classes. */
export function validateFixed(next: unknown, prev: unknown, field: string): FieldProblem[] {
  return equalValues(next, prev) ? [] : [forbiddenField(field, `updates to ${field} are forbidden.`)];
}
