import { invalidEach, pathSegment } from '../meta/field-checks.ts';
import { type FieldProblem, required } from '../meta/field-problem.ts';
import { dnsSubdomainProblems } from '../meta/names.ts';

interface LocalReference {
  readonly apiGroup?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
}

/** An object that an Ingress sends to, or that a class takes its parameters from. */
export function validateLocalReference({ apiGroup, kind = '', name = '' }: LocalReference, path: string): FieldProblem[] {
  return [
    ...(apiGroup === undefined ? [] : invalidEach(`${path}.apiGroup`, apiGroup, dnsSubdomainProblems(apiGroup))),
    ...(kind === '' ? [required(`${path}.kind`)] : pathSegment(`${path}.kind`, kind)),
    ...(name === '' ? [required(`${path}.name`)] : pathSegment(`${path}.name`, name)),
  ];
}
