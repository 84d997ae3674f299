import type { V1SecretReference } from '#api/generated/types.ts';
import { dnsLabel, invalidEach } from '../../meta/field-checks.ts';
import { type FieldProblem, required, tooLong } from '../../meta/field-problem.ts';
import { byteLength, dnsSubdomainProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

const maxDriverBytes = 63;

/** The name of a CSI driver, whose case does not matter. None is said to be no name, too. */
export function validateDriverName(name: string, field: string): FieldProblem[] {
  return [
    ...(name === '' ? [required(field)] : []),
    ...(byteLength(name) > maxDriverBytes ? [tooLong(field, maxDriverBytes)] : []),
    ...invalidEach(field, name, dnsSubdomainProblems(name.toLowerCase())),
  ];
}

/** A Secret of any namespace. */
export function validateSecretReference(reference: Unchecked<V1SecretReference>, path: string): FieldProblem[] {
  const { name = '', namespace = '' } = reference;
  return [
    ...(name === '' ? [required(`${path}.name`)] : invalidEach(`${path}.name`, name, dnsSubdomainProblems(name))),
    ...(namespace === '' ? [required(`${path}.namespace`)] : dnsLabel(`${path}.namespace`, namespace)),
  ];
}
