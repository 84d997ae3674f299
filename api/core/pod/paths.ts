// Paths in volumes: nothing may lead out of its folder.
import { type FieldProblem, invalid } from '../../meta/field-problem.ts';

/** No `..` between slashes. */
export function validateNoBacksteps(field: string, path: string): FieldProblem[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** Relative, and staying inside. */
export function validateRelativePath(field: string, path: string): FieldProblem[] {
  const problems = path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : [];
  return [...problems, ...validateNoBacksteps(field, path)];
}

/** Relative, inside, and not a name that the atomic writer keeps for itself. */
export function validateFilePath(field: string, path: string): FieldProblem[] {
  const problems = validateRelativePath(field, path);
  if (path.startsWith('..') && !path.startsWith('../')) problems.push(invalid(field, path, "must not start with '..'"));
  return problems;
}
