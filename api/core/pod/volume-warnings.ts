// Warnings about volumes: types that are gone, and files that would lie in each other's place.
import type { V1Volume, V1VolumeProjection } from '#api/generated/types.ts';
import type { Warnings } from '../../meta/warnings.ts';
import { claimSpecWarnings } from '../persistent-volume-claim/spec.ts';

/** Types of volumes that no longer do anything, or will not for long, by how warnings call them. */
const oldSources = Object.entries({
  photonPersistentDisk: 'photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'gitRepo: deprecated in v1.11',
  scaleIO: 'scaleIO: deprecated in v1.16, non-functional in v1.22+',
  flocker: 'flocker: deprecated in v1.22, non-functional in v1.25+',
  storageos: 'storageOS: deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'quobyte: deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'glusterfs: deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'cephfs: deprecated in v1.28, non-functional in v1.31+',
  rbd: 'rbd: deprecated in v1.28, non-functional in v1.31+',
}) as readonly (readonly [keyof V1Volume, string])[];

/** The type of a volume, and amounts of the claim that comes with it. */
export function checkVolume(volume: V1Volume, at: Warnings): void {
  for (const [kind, text] of oldSources) {
    if (volume[kind] !== undefined) at.addAll([`${at.path()}.${text}`]);
  }
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim !== undefined) at.addAll(claimSpecWarnings(claim, at.path('ephemeral.volumeClaimTemplate.spec')));
}

/** Files of one volume in the same place, or one where another has its folder. These warnings call volumes by their names. */
export function checkPaths({ name, configMap, secret, downwardAPI, projected }: V1Volume, at: Warnings): void {
  if (configMap?.items !== undefined) warnOfClashes(clashesIn(pathsOf(configMap.items)), at, name, () => configMapText(configMap.name));
  if (secret?.items !== undefined) warnOfClashes(clashesIn(pathsOf(secret.items)), at, name, () => secretText(secret.secretName));
  if (downwardAPI?.items !== undefined) warnOfClashes(clashesIn(pathsOf(downwardAPI.items)), at, name, () => 'DownwardAPI');
  if (projected?.sources !== undefined) checkProjection(projected.sources, at, name);
}

function warnOfClashes(clashes: readonly string[], at: Warnings, volume: string, source: () => string): void {
  for (const clash of clashes) at.addAll([`volume ${JSON.stringify(volume)} (${source()}): overlapping paths: ${clash}`]);
}

const configMapText = (name = ''): string => `ConfigMap ${JSON.stringify(name)}`;
const secretText = (name = ''): string => `Secret ${JSON.stringify(name)}`;

function pathsOf(items: readonly { readonly path: string }[]): string[] {
  return items.map(({ path }) => path);
}

interface SourceFiles {
  readonly source: V1VolumeProjection;
  readonly paths: readonly string[];
}

/** Upstream takes a source that does not say what its files are called for the one before it. */
function checkProjection(sources: readonly V1VolumeProjection[], at: Warnings, volume: string): void {
  const all: string[] = [];
  let mayClash = false;
  let files: SourceFiles | undefined;
  for (const source of sources) {
    if (Object.values(source).every((member) => member === undefined)) {
      at.addAll([`volume ${JSON.stringify(volume)} (Projected) has no sources provided`]);
      continue;
    }
    const paths = projectedPaths(source);
    if (paths !== undefined) files = { source, paths };
    if (files === undefined || files.paths.length === 0) continue;
    const said = files;
    mayClash ||= said.paths.length > 1 || all.some((other) => isClash(plainPath(other), plainPath(said.paths[0] ?? '')));
    if (mayClash) {
      const clashes = [...clashesIn(said.paths), ...clashesIn([...new Set(said.paths), ...new Set(all)].toSorted())];
      warnOfClashes(clashes, at, volume, () => `Projected ${projectedText(said.source)}`);
    }
    all.push(...said.paths);
  }
}

function projectedPaths({ configMap, secret, downwardAPI, serviceAccountToken }: V1VolumeProjection): readonly string[] | undefined {
  const items = configMap?.items ?? secret?.items ?? downwardAPI?.items;
  if (items !== undefined) return pathsOf(items);
  return serviceAccountToken && [serviceAccountToken.path];
}

function projectedText({ configMap, secret, downwardAPI }: V1VolumeProjection): string {
  if (configMap?.items !== undefined) return configMapText(configMap.name);
  if (secret?.items !== undefined) return secretText(secret.name);
  return downwardAPI?.items === undefined ? 'ServiceAccountToken' : 'DownwardAPI';
}

const noClashes: readonly string[] = Object.freeze([]);

/** `"a/b" with "a"`, for each path that lies where an earlier one is. */
function clashesIn(paths: readonly string[]): readonly string[] {
  if (paths.length < 2) return noClashes;
  const seen = new Set<string>();
  return paths.flatMap((path) => {
    const plain = plainPath(path);
    const other = clashing(seen, plain);
    seen.add(plain);
    return other === '' ? [] : [`${JSON.stringify(plain)} with ${JSON.stringify(other)}`];
  });
}

function clashing(seen: ReadonlySet<string>, path: string): string {
  for (const other of seen) {
    if (other === '' || path === '') return '';
    if (isClash(other, path)) return other;
  }
  return '';
}

/** Upstream takes `ab` to lie in `a`. */
function isClash(path: string, other: string): boolean {
  return path.startsWith(other) || other.startsWith(path);
}

function plainPath(path: string): string {
  return path.endsWith('/') ? path.replace(/\/+$/, '') : path;
}
