// Environment variables: names, and where values come from.
import type { V1EnvFromSource, V1EnvVar } from '#api/generated/types.ts';
import { invalidEach } from '../../meta/field-checks.ts';
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import { configMapKeyProblems, envVarNameProblems } from '../../meta/names.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateFieldRef, validateResourceRef, variableFields } from './downward.ts';
import { validateRelativePath } from './paths.ts';

/** Variables given one by one. */
export function validateEnv(variables: readonly Unchecked<V1EnvVar>[], path: string): FieldProblem[] {
  return variables.flatMap((variable, at) => {
    const { name = '' } = variable;
    const field = `${path}[${at}].name`;
    const problems = name === '' ? [required(field)] : invalidEach(field, name, envVarNameProblems(name));
    return [...problems, ...validateValueFrom(variable, `${path}[${at}].valueFrom`)];
  });
}

function validateValueFrom({ value = '', valueFrom }: Unchecked<V1EnvVar>, path: string): FieldProblem[] {
  if (valueFrom === undefined) return [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const problems: FieldProblem[] = [];
  if (fieldRef !== undefined) problems.push(...validateFieldRef(fieldRef, variableFields, `${path}.fieldRef`));
  if (resourceFieldRef !== undefined) problems.push(...validateResourceRef(resourceFieldRef, 'variable', `${path}.resourceFieldRef`));
  if (configMapKeyRef !== undefined) problems.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef !== undefined) problems.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`));
  if (fileKeyRef !== undefined) problems.push(...validateFileKey(fileKeyRef, `${path}.fileKeyRef`));
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter((one) => one !== undefined).length;
  if (sources === 0) {
    const text = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    problems.push(invalid(path, '', text));
  } else if (value !== '') {
    problems.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (sources > 1) {
    problems.push(invalid(path, '', 'may not have more than one field specified at a time'));
  }
  return problems;
}

function validateKeyRef({ name = '', key = '' }: { readonly name?: string | undefined; readonly key?: string | undefined }, path: string) {
  return [
    ...(name === '' ? [required(`${path}.name`)] : []),
    ...(key === '' ? [required(`${path}.key`)] : invalidEach(`${path}.key`, key, configMapKeyProblems(key))),
  ];
}

type FileKey = NonNullable<NonNullable<Unchecked<V1EnvVar>['valueFrom']>['fileKeyRef']>;

function validateFileKey({ volumeName = '', path: file = '', key = '' }: FileKey, path: string): FieldProblem[] {
  return [
    ...(volumeName === '' ? [required(`${path}.volumeName`)] : []),
    ...(file === '' ? [required(`${path}.path`)] : validateRelativePath(`${path}.path`, file)),
    ...(key === '' ? [required(`${path}.key`)] : invalidEach(`${path}.key`, key, envVarNameProblems(key))),
  ];
}

/** Whole ConfigMaps and Secrets as variables. The paths without an index are upstream's. */
export function validateEnvFrom(sources: readonly Unchecked<V1EnvFromSource>[], path: string): FieldProblem[] {
  return sources.flatMap(({ prefix = '', configMapRef, secretRef }, at) => {
    const own = `${path}[${at}]`;
    const problems = prefix === '' ? [] : invalidEach(`${own}.prefix`, prefix, envVarNameProblems(prefix));
    if (configMapRef !== undefined && !configMapRef.name) problems.push(required(`${own}.configMapRef.name`));
    if (secretRef !== undefined && !secretRef.name) problems.push(required(`${own}.secretRef.name`));
    if (configMapRef === undefined && secretRef === undefined) {
      problems.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      problems.push(invalid(path, '', 'may not have more than one field specified at a time'));
    }
    return problems;
  });
}
