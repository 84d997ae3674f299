// Warnings about volumes: types that are gone, and files that would lie in each other's place.
import type { V1Volume, V1VolumeProjection } from '#api/generated/types.ts';
import { claimSpecWarnings } from '../persistent-volume-claim/spec.ts';

/** Types of volumes that no longer do anything, or will not for long, by how warnings call them. */
const oldSources = {
  photonPersistentDisk: 'photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'gitRepo: deprecated in v1.11',
  scaleIO: 'scaleIO: deprecated in v1.16, non-functional in v1.22+',
  flocker: 'flocker: deprecated in v1.22, non-functional in v1.25+',
  storageos: 'storageOS: deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'quobyte: deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'glusterfs: deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'cephfs: deprecated in v1.28, non-functional in v1.31+',
  rbd: 'rbd: deprecated in v1.28, non-functional in v1.31+',
} as const;

/** Types of volumes, and amounts of the claims that come with them. */
export function volumeWarnings(volumes: readonly V1Volume[], path: string): string[] {
  return volumes.flatMap((volume, at) => {
    const own = `${path}.volumes[${at}]`;
    const old = Object.entries(oldSources).filter(([kind]) => volume[kind as keyof typeof oldSources] !== undefined);
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
    return [
      ...old.map(([, text]) => `${own}.${text}`),
      ...(claim === undefined ? [] : claimSpecWarnings(claim, `${own}.ephemeral.volumeClaimTemplate.spec`)),
    ];
  });
}

/** Files of one volume in the same place, or one where another has its folder. */
export function pathWarnings(volumes: readonly V1Volume[]): string[] {
  return volumes.flatMap(({ name, configMap, secret, downwardAPI, projected }) => {
    const volume = `volume ${JSON.stringify(name)}`;
    const text = (what: string): string => `${volume} (${what}): overlapping paths`;
    return [
      ...overlaps(pathsOf(configMap?.items), text(`ConfigMap ${JSON.stringify(configMap?.name ?? '')}`)),
      ...overlaps(pathsOf(secret?.items), text(`Secret ${JSON.stringify(secret?.secretName ?? '')}`)),
      ...overlaps(pathsOf(downwardAPI?.items), text('DownwardAPI')),
      ...projectionWarnings(projected?.sources ?? [], volume),
    ];
  });
}

function pathsOf(items: readonly { readonly path: string }[] = []): string[] {
  return items.map(({ path }) => path);
}

interface SourceFiles {
  readonly paths: readonly string[];
  readonly text: string;
}

/** Upstream takes a source that does not say what its files are called for the one before it. */
function projectionWarnings(sources: readonly V1VolumeProjection[], volume: string): string[] {
  const all = new Set<string>();
  let files: SourceFiles = { paths: [], text: '' };
  return sources.flatMap((source) => {
    if (Object.values(source).every((member) => member === undefined)) return [`${volume} (Projected) has no sources provided`];
    files = filesOf(source, volume) ?? files;
    const { paths, text } = files;
    if (paths.length === 0) return [];
    const distinct = [...new Set(paths)];
    const warnings = [...overlaps(paths, text), ...overlaps([...distinct, ...all].toSorted(), text)];
    for (const path of distinct) all.add(path);
    return warnings;
  });
}

function filesOf({ configMap, secret, downwardAPI, serviceAccountToken }: V1VolumeProjection, volume: string): SourceFiles | undefined {
  const text = (what: string): string => `${volume} (Projected ${what}): overlapping paths`;
  if (configMap?.items !== undefined)
    return { paths: pathsOf(configMap.items), text: text(`ConfigMap ${JSON.stringify(configMap.name ?? '')}`) };
  if (secret?.items !== undefined) return { paths: pathsOf(secret.items), text: text(`Secret ${JSON.stringify(secret.name ?? '')}`) };
  if (downwardAPI?.items !== undefined) return { paths: pathsOf(downwardAPI.items), text: text('DownwardAPI') };
  return serviceAccountToken && { paths: [serviceAccountToken.path], text: text('ServiceAccountToken') };
}

function overlaps(paths: readonly string[], text: string): string[] {
  const seen = new Set<string>();
  return paths.flatMap((path) => {
    const plain = path.replace(/\/+$/, '');
    const other = overlapping(seen, plain);
    seen.add(plain);
    return other === '' ? [] : [`${text}: ${JSON.stringify(plain)} with ${JSON.stringify(other)}`];
  });
}

function overlapping(seen: ReadonlySet<string>, path: string): string {
  for (const other of seen) {
    if (other === '' || path === '') return '';
    if (other === path || `${other}/`.startsWith(path) || `${path}/`.startsWith(other)) return other;
  }
  return '';
}
