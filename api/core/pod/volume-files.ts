// Volumes that are made of files: keys of ConfigMaps and Secrets, fields of the pod, tokens, and all of these together.
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1ProjectedVolumeSource, V1VolumeProjection } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../../meta/field-problem.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { fileFields, validateFieldRef, validateResourceRef } from './downward.ts';
import { validateFilePath } from './paths.ts';

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive';
const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;

interface ConfigFiles {
  readonly defaultMode?: number | undefined;
  readonly items?: readonly Unchecked<V1KeyToPath>[] | undefined;
}

/** A ConfigMap or Secret volume; `nameField` is how the source calls its object. */
export function validateConfigFiles(nameField: string, name: string | undefined, files: ConfigFiles, path: string): FieldProblem[] {
  return [
    ...(name ? [] : [required(`${path}.${nameField}`)]),
    ...validateMode(files.defaultMode, `${path}.defaultMode`),
    ...(files.items ?? []).flatMap((item, at) => validateItem(item, `${path}.items[${at}]`)),
  ];
}

/** A downward API volume. */
export function validateDownwardFiles(
  files: { readonly defaultMode?: number | undefined; readonly items?: readonly Unchecked<V1DownwardAPIVolumeFile>[] | undefined },
  path: string,
): FieldProblem[] {
  return [
    ...validateMode(files.defaultMode, `${path}.defaultMode`),
    ...(files.items ?? []).flatMap((item) => validateDownwardItem(item, path)),
  ];
}

/** A projected volume: no two sources may write one path. */
export function validateProjected({ defaultMode, sources = [] }: Unchecked<V1ProjectedVolumeSource>, path: string): FieldProblem[] {
  const paths = new Set<string>();
  return [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...sources.flatMap((source, at) => validateProjection(source, paths, path, `${path}.sources[${at}]`)),
  ];
}

function validateProjection(source: Unchecked<V1VolumeProjection>, paths: Set<string>, path: string, own: string): FieldProblem[] {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  const problems: FieldProblem[] = [];
  for (const [kind, files] of [
    ['secret', secret],
    ['configMap', configMap],
  ] as const) {
    if (files === undefined) continue;
    if (!files.name) problems.push(required(`${own}.${kind}.name`));
    files.items?.forEach((item, at) => {
      problems.push(...validateItem(item, `${own}.${kind}.items[${at}]`));
      problems.push(...claimPath(item.path ?? '', files.name ?? '', paths, path));
    });
  }
  for (const item of downwardAPI?.items ?? []) {
    problems.push(...validateDownwardItem(item, `${own}.downwardAPI`), ...claimPath(item.path ?? '', item.path ?? '', paths, path));
  }
  if (serviceAccountToken !== undefined) {
    problems.push(...validateToken(serviceAccountToken, `${own}.serviceAccountToken.expirationSeconds`, `${path}.path`));
  }
  const count = Object.values(source).filter((one) => one !== undefined).length;
  if (count > 1) problems.push(forbiddenField(own, 'may not specify more than 1 volume type per source'));
  return problems;
}

function claimPath(file: string, owner: string, paths: Set<string>, path: string): FieldProblem[] {
  if (file === '') return [];
  if (paths.has(file)) return [invalid(path, owner, 'conflicting duplicate paths')];
  paths.add(file);
  return [];
}

type Token = NonNullable<Unchecked<V1VolumeProjection>['serviceAccountToken']>;

/** The file's path is said to be the whole volume's, and may be another's, too: upstream's oddities. */
function validateToken({ expirationSeconds = 3_600, path: file = '' }: Token, field: string, fileField: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (expirationSeconds < minTokenSeconds) {
    problems.push(invalid(field, expirationSeconds, 'may not specify a duration less than 10 minutes'));
  } else if (expirationSeconds > maxTokenSeconds) {
    problems.push(invalid(field, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  return [...problems, ...(file === '' ? [required(fileField)] : validateFilePath(fileField, file))];
}

function validateItem({ key = '', path: file = '', mode }: Unchecked<V1KeyToPath>, path: string): FieldProblem[] {
  return [
    ...(key === '' ? [required(`${path}.key`)] : []),
    ...(file === '' ? [required(`${path}.path`)] : []),
    ...validateFilePath(`${path}.path`, file),
    ...validateMode(mode, `${path}.mode`),
  ];
}

function validateDownwardItem(item: Unchecked<V1DownwardAPIVolumeFile>, path: string): FieldProblem[] {
  const { path: file = '', fieldRef, resourceFieldRef, mode } = item;
  const problems = file === '' ? [required(`${path}.path`)] : [];
  problems.push(...validateFilePath(`${path}.path`, file));
  if (fieldRef !== undefined) {
    problems.push(...validateFieldRef(fieldRef, fileFields, `${path}.fieldRef`));
    if (resourceFieldRef !== undefined) {
      problems.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    }
  } else if (resourceFieldRef !== undefined) {
    problems.push(...validateResourceRef(resourceFieldRef, 'file', `${path}.resourceFieldRef`));
  } else {
    problems.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  return [...problems, ...validateMode(mode, `${path}.mode`)];
}

function validateMode(mode: number | undefined, field: string): FieldProblem[] {
  return mode === undefined || (mode >= 0 && mode <= 0o777) ? [] : [invalid(field, mode, modeText)];
}
