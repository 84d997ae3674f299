// Warnings about volumes: types that are gone, and files that would lie in each other's place.
import type { V1Volume, V1VolumeProjection } from '#api/generated/types.ts';
import { addAll } from '../../meta/add-all.ts';
import { goQuote } from '../../meta/go-form.ts';
import type { Warnings } from '../../meta/warnings.ts';
import { claimSpecWarnings } from '../persistent-volume-claim/spec.ts';

/** Types of volumes that no longer do anything, or will not for long, by how warnings call them. */
const oldSources = Object.entries({
  photonPersistentDisk: 'photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
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
  if (configMap?.items !== undefined) warnOfClashes(placesOf(configMap.items), at, name, () => configMapText(configMap.name));
  if (secret?.items !== undefined) warnOfClashes(placesOf(secret.items), at, name, () => secretText(secret.secretName));
  if (downwardAPI?.items !== undefined) warnOfClashes(placesOf(downwardAPI.items), at, name, () => 'DownwardAPI');
  if (projected?.sources !== undefined) checkProjection(projected.sources, at, name);
}

const configMapText = (name = ''): string => `ConfigMap ${goQuote(name)}`;
const secretText = (name = ''): string => `Secret ${goQuote(name)}`;

/** Where a file of a volume lies, and which of several sources it comes from; '' where there is only one. */
interface Place {
  readonly path: string;
  readonly source: string;
}

function placesOf(items: readonly { readonly path: string }[], source = ''): readonly Place[] {
  return items.map(({ path }) => ({ path: plainPath(path), source }));
}

function checkProjection(sources: readonly V1VolumeProjection[], at: Warnings, volume: string): void {
  const places: Place[] = [];
  for (const source of sources) {
    if (Object.values(source).every((member) => member === undefined)) {
      at.addAll([`volume ${goQuote(volume)} (Projected) has no sources provided`]);
    } else addAll(places, placesIn(source));
  }
  warnOfClashes(places, at, volume, () => 'Projected');
}

function placesIn({ configMap, secret, downwardAPI, serviceAccountToken }: V1VolumeProjection): readonly Place[] {
  if (configMap?.items !== undefined) return placesOf(configMap.items, configMapText(configMap.name));
  if (secret?.items !== undefined) return placesOf(secret.items, secretText(secret.name));
  if (downwardAPI?.items !== undefined) return placesOf(downwardAPI.items, 'DownwardAPI');
  return serviceAccountToken === undefined ? [] : placesOf([serviceAccountToken], 'ServiceAccountToken');
}

/** `"a/b" with "a"`, for every earlier one that a path clashes with. */
function warnOfClashes(places: readonly Place[], at: Warnings, volume: string, what: () => string): void {
  for (const [place, other] of clashesAmong(places)) {
    at.addAll([`volume ${goQuote(volume)} (${what()}): overlapping paths: ${placeText(place)} with ${placeText(other)}`]);
  }
}

function placeText({ path, source }: Place): string {
  return source === '' ? goQuote(path) : `${goQuote(path)} (${source})`;
}

const noClashes: readonly (readonly [Place, Place])[] = Object.freeze([]);
const mostClashes = 10_000;

/**
 * Every place with each one before it that is the same or lies above or below. In the order of their keys, what lies below a place comes
 * right after it, so that a stack holds all above: volumes of many files are judged without looking at every two of them.
 */
function clashesAmong(places: readonly Place[]): readonly (readonly [Place, Place])[] {
  if (places.length < 2) return noClashes;
  const keyed = places.map(({ path }, index) => ({ key: `${path.replaceAll('/', '\0')}\0`, index })).filter(({ key }) => key !== '\0');
  keyed.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : one.index - other.index));
  const above: typeof keyed = [];
  const pairs: (readonly [number, number])[] = [];
  for (const one of keyed) {
    while (above.length > 0 && !one.key.startsWith((above.at(-1) as typeof one).key)) above.pop();
    if (pairs.length < mostClashes) for (const { index } of above) pairs.push([Math.max(one.index, index), Math.min(one.index, index)]);
    above.push(one);
  }
  pairs.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  return pairs.map(([later, earlier]) => [places[later] as Place, places[earlier] as Place]);
}

function plainPath(path: string): string {
  return path.endsWith('/') ? path.replace(/\/+$/, '') : path;
}
