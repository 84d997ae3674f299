// Paths in volumes: nothing may lead out of its folder.
import { invalidEach } from '../../meta/field-checks.ts';
import type { FieldProblem } from '../../meta/field-problem.ts';

const noProblems: readonly string[] = Object.freeze([]);

/** No `..` between slashes. */
export function validateNoBacksteps(field: string, path: string): FieldProblem[] {
  return invalidEach(field, path, backstepProblems(path));
}

/** Relative, and staying inside. */
export function validateRelativePath(field: string, path: string): FieldProblem[] {
  return invalidEach(field, path, relativePathProblems(path));
}

/** Relative, inside, and not a name that the atomic writer keeps for itself. */
export function filePathProblems(path: string): readonly string[] {
  const problems = relativePathProblems(path);
  return path.startsWith('..') && !path.startsWith('../') ? [...problems, "must not start with '..'"] : problems;
}

function relativePathProblems(path: string): readonly string[] {
  const problems = backstepProblems(path);
  return path.startsWith('/') ? ['must be a relative path', ...problems] : problems;
}

function backstepProblems(path: string): readonly string[] {
  return path.includes('..') && path.split('/').includes('..') ? ["must not contain '..'"] : noProblems;
}
