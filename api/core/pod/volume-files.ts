// Volumes that are made of files: keys of ConfigMaps and Secrets, fields of the pod, tokens, and all of these together.
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1ProjectedVolumeSource, V1VolumeProjection } from '#api/generated/types.ts';
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import { Problems } from '../../meta/problems.ts';
import { Seen } from '../../meta/seen.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { checkFieldRef, checkResourceRef, fileFields } from './downward.ts';
import { filePathProblems } from './paths.ts';

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive';
const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;

interface ConfigFiles {
  readonly defaultMode?: number | undefined;
  readonly items?: readonly Unchecked<V1KeyToPath>[] | undefined;
}

/** A ConfigMap or Secret volume; `nameField` is how the source calls its object. */
export function validateConfigFiles(files: ConfigFiles, name: string | undefined, nameField: string, path: string): FieldProblem[] {
  const at = new Problems(path);
  if (!name) at.required(nameField);
  checkMode('defaultMode', files.defaultMode, at);
  at.each('items', files.items, checkItem);
  return at.found;
}

interface DownwardFiles {
  readonly defaultMode?: number | undefined;
  readonly items?: readonly DownwardFile[] | undefined;
}
type DownwardFile = Unchecked<V1DownwardAPIVolumeFile>;

/** A downward API volume. What is wrong with one file is said to be the volume's: upstream's oddity. */
export function checkDownwardFiles({ defaultMode, items = [] }: DownwardFiles, at: Problems): void {
  checkMode('defaultMode', defaultMode, at);
  for (const item of items) checkDownwardItem(item, at);
}

/** A projected volume: no two sources may write one path. */
export function checkProjected({ defaultMode, sources }: Unchecked<V1ProjectedVolumeSource>, at: Problems): void {
  checkMode('defaultMode', defaultMode, at);
  at.each('sources', sources, checkProjection, new Seen());
}

const volumeAbove = 2;

function checkProjection(source: Unchecked<V1VolumeProjection>, at: Problems, paths: Seen): void {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  at.member('secret', secret, checkProjectedFiles, paths);
  at.member('configMap', configMap, checkProjectedFiles, paths);
  at.member('downwardAPI', downwardAPI, checkProjectedFields, paths);
  at.member('serviceAccountToken', serviceAccountToken, checkToken);
  let count = 0;
  for (const kind of Object.keys(source)) if (source[kind as keyof typeof source] !== undefined) count++;
  if (count > 1) at.forbidden('', 'may not specify more than 1 volume type per source');
}

function checkProjectedFiles(files: ConfigFiles & { readonly name?: string | undefined }, at: Problems, paths: Seen): void {
  const { name = '' } = files;
  if (name === '') at.required('name');
  at.each('items', files.items, (item, own) => {
    checkItem(item, own);
    claimPath(item.path ?? '', name, own, { paths, up: volumeAbove + 3 });
  });
}

function checkProjectedFields({ items = [] }: DownwardFiles, at: Problems, paths: Seen): void {
  for (const item of items) {
    checkDownwardItem(item, at);
    claimPath(item.path ?? '', item.path ?? '', at, { paths, up: volumeAbove + 1 });
  }
}

/** A path that is claimed twice is said to be the whole volume's fault, `up` steps above. */
function claimPath(file: string, owner: string, at: Problems, { paths, up }: { readonly paths: Seen; readonly up: number }): void {
  if (file !== '' && !paths.add(file)) at.add(invalid(at.path('', up), owner, 'conflicting duplicate paths'));
}

type Token = NonNullable<Unchecked<V1VolumeProjection>['serviceAccountToken']>;

/** The file's path is said to be the whole volume's, and may be another's, too: upstream's oddities. */
function checkToken({ expirationSeconds = 3_600, path: file = '' }: Token, at: Problems): void {
  if (expirationSeconds < minTokenSeconds) {
    at.invalid('expirationSeconds', expirationSeconds, 'may not specify a duration less than 10 minutes');
  } else if (expirationSeconds > maxTokenSeconds) {
    at.invalid('expirationSeconds', expirationSeconds, 'may not specify a duration larger than 2^32 seconds');
  }
  if (file === '') at.add(required(at.path('path', volumeAbove + 1)));
  else for (const text of filePathProblems(file)) at.add(invalid(at.path('path', volumeAbove + 1), file, text));
}

function checkItem({ key = '', path: file = '', mode }: Unchecked<V1KeyToPath>, at: Problems): void {
  if (key === '') at.required('key');
  if (file === '') at.required('path');
  at.invalidEach('path', file, filePathProblems(file));
  checkMode('mode', mode, at);
}

function checkDownwardItem({ path: file = '', fieldRef, resourceFieldRef, mode }: DownwardFile, at: Problems): void {
  if (file === '') at.required('path');
  at.invalidEach('path', file, filePathProblems(file));
  at.member('fieldRef', fieldRef, checkFieldRef, fileFields);
  if (fieldRef === undefined && resourceFieldRef === undefined) at.required('', 'one of fieldRef and resourceFieldRef is required');
  else if (fieldRef === undefined) at.member('resourceFieldRef', resourceFieldRef, checkResourceRef, 'file');
  else if (resourceFieldRef !== undefined) {
    at.invalid('', 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
  }
  checkMode('mode', mode, at);
}

function checkMode(member: string, mode: number | undefined, at: Problems): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) at.invalid(member, mode, modeText);
}
