// Environment variables: names, and where values come from.
import type { V1EnvFromSource, V1EnvVar, V1PodSpec } from '#api/generated/types.ts';
import { invalid } from '../../meta/field-problem.ts';
import { configMapKeyProblems, envVarNameProblems, nameIsDnsSubdomain } from '../../meta/names.ts';
import type { Problems } from '../../meta/problems.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { checkFieldRef, checkResourceRef, variableFields } from './downward.ts';
import { validateNoBacksteps } from './paths.ts';

/** A variable given by itself. */
export function checkVariable(variable: Unchecked<V1EnvVar>, at: Problems): void {
  const { name = '', value = '' } = variable;
  if (name === '') at.required('name');
  else at.invalidEach('name', name, envVarNameProblems(name));
  at.member('valueFrom', variable.valueFrom, checkValueFrom, value);
}

type ValueFrom = NonNullable<Unchecked<V1EnvVar>['valueFrom']>;

function checkValueFrom(valueFrom: ValueFrom, at: Problems, value: string): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  at.member('fieldRef', fieldRef, checkFieldRef, variableFields);
  at.member('resourceFieldRef', resourceFieldRef, checkResourceRef, 'variable');
  at.member('configMapKeyRef', configMapKeyRef, checkKeyRef);
  at.member('secretKeyRef', secretKeyRef, checkKeyRef);
  at.member('fileKeyRef', fileKeyRef, checkFileKey);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter((one) => one !== undefined).length;
  if (sources === 0) {
    at.invalid('', '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`');
  } else if (value !== '') {
    at.invalid('', '', 'may not be specified when `value` is not empty');
  } else if (sources > 1) {
    at.invalid('', '', 'may not have more than one field specified at a time');
  }
}

function checkKeyRef(
  { name = '', key = '' }: { readonly name?: string | undefined; readonly key?: string | undefined },
  at: Problems,
): void {
  at.invalidEach('name', name, nameIsDnsSubdomain(name, false));
  if (key === '') at.required('key');
  else at.invalidEach('key', key, configMapKeyProblems(key));
}

function checkFileKey({ volumeName = '', path: file = '', key = '' }: NonNullable<ValueFrom['fileKeyRef']>, at: Problems): void {
  if (key === '') at.required('key');
  else at.invalidEach('key', key, envVarNameProblems(key));
  if (volumeName === '') at.required('volumeName');
  else at.dnsLabel('volumeName', volumeName);
  if (file === '') at.required('path');
  else at.addAll(validateNoBacksteps(at.path('path'), file));
}

/** A whole ConfigMap or Secret as variables. What is wrong with it as a whole is said to be the list's: upstream's oddity. */
export function checkEnvFrom({ prefix = '', configMapRef, secretRef }: Unchecked<V1EnvFromSource>, at: Problems): void {
  if (prefix !== '') at.invalidEach('prefix', prefix, envVarNameProblems(prefix));
  at.member('configMapRef', configMapRef, checkObjectName);
  at.member('secretRef', secretRef, checkObjectName);
  if (configMapRef === undefined && secretRef === undefined) {
    at.add(invalid(at.path('', 1), '', 'must specify one of: `configMapRef` or `secretRef`'));
  } else if (configMapRef !== undefined && secretRef !== undefined) {
    at.add(invalid(at.path('', 1), '', 'may not have more than one field specified at a time'));
  }
}

/** Upstream takes the name for the beginning of one. */
function checkObjectName({ name = '' }: { readonly name?: string | undefined }, at: Problems): void {
  if (name === '') at.required('name');
  else at.invalidEach('name', name, nameIsDnsSubdomain(name, true));
}

/** Files with variables lie in emptyDir volumes of the pod. */
export function checkFileKeyVolumes(spec: Unchecked<V1PodSpec>, at: Problems): void {
  for (const list of containerLists) at.each(list, spec[list] as readonly Variables[] | undefined, checkFileKeys, spec.volumes);
}

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

interface Variables {
  readonly env?: readonly Unchecked<V1EnvVar>[] | undefined;
}

function checkFileKeys({ env }: Variables, at: Problems, volumes: Unchecked<V1PodSpec>['volumes']): void {
  if (env === undefined || env.every(({ valueFrom }) => valueFrom?.fileKeyRef === undefined)) return;
  at.each('env', env, ({ valueFrom }, own) => {
    if (valueFrom?.fileKeyRef === undefined) return;
    const { volumeName = '' } = valueFrom.fileKeyRef;
    const volume = volumes?.findLast(({ name = '' }) => name === volumeName);
    const field = 'valueFrom.fileKeyRef.volumeName';
    if (volume === undefined) own.notFound(field, volumeName);
    else if (volume.emptyDir === undefined) own.invalid(field, volumeName, 'referenced volume must be of type emptyDir');
  });
}
