// Which files a volume made of API objects has. Pure, but for the token, which its caller fetches.
import type { ConfigMap } from '#api/core/config-map.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Secret } from '#api/core/secret.ts';
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1ServiceAccountTokenProjection, V1Volume } from '#api/generated/types.ts';
import { fieldValue, type PodAddresses } from '../pods/env/field-ref.ts';
import { type Allocatable, resourceValue } from '../pods/env/resource-ref.ts';
import { type FileProjection, type Payload, PayloadError } from './atomic-writer.ts';

export interface PayloadSources {
  readonly configMap: (name: string) => ConfigMap | undefined;
  readonly secret: (name: string) => Secret | undefined;
  readonly token: (projection: V1ServiceAccountTokenProjection) => string;
  readonly addresses: PodAddresses;
  readonly allocatable: Allocatable;
}

const defaultFileMode = 0o644;

/** True for volumes whose files come from here. */
export function hasPayload(volume: V1Volume): boolean {
  return (volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI) !== undefined;
}

/** The files of a ConfigMap, Secret, projected or downward API volume. Throws PayloadError in upstream's words. */
export function payloadOf(pod: Pod, volume: V1Volume, sources: PayloadSources): Payload {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return configMapFiles(configMap, configMap.defaultMode, sources);
  if (secret !== undefined) return secretFiles({ ...secret, name: secret.secretName ?? '' }, secret.defaultMode, sources);
  if (downwardAPI !== undefined) return downwardFiles(pod, downwardAPI.items ?? [], downwardAPI.defaultMode, sources);
  const mode = projected?.defaultMode;
  const files = new Map<string, FileProjection>();
  for (const source of projected?.sources ?? []) {
    const parts =
      source.configMap !== undefined
        ? configMapFiles(source.configMap, mode, sources)
        : source.secret !== undefined
          ? secretFiles({ ...source.secret, name: source.secret.name ?? '' }, mode, sources)
          : source.downwardAPI !== undefined
            ? downwardFiles(pod, source.downwardAPI.items ?? [], mode, sources)
            : source.serviceAccountToken !== undefined
              ? tokenFile(pod, source.serviceAccountToken, mode, sources)
              : unsupported(source);
    for (const [path, file] of parts) files.set(path, file);
  }
  return files;
}

/** ConfigMaps and Secrets that a volume needs. */
export function volumeReferences(volume: V1Volume): { readonly configMaps: readonly string[]; readonly secrets: readonly string[] } {
  const configMaps: string[] = [];
  const secrets: string[] = [];
  if (volume.configMap !== undefined) configMaps.push(volume.configMap.name ?? '');
  if (volume.secret !== undefined) secrets.push(volume.secret.secretName ?? '');
  for (const { configMap, secret } of volume.projected?.sources ?? []) {
    if (configMap !== undefined) configMaps.push(configMap.name ?? '');
    if (secret !== undefined) secrets.push(secret.name ?? '');
  }
  return { configMaps, secrets };
}

interface Selection {
  readonly name?: string;
  readonly items?: readonly V1KeyToPath[];
  readonly optional?: boolean;
}

function configMapFiles({ name = '', items, optional }: Selection, defaultMode: number | undefined, sources: PayloadSources): Payload {
  const found = sources.configMap(name);
  if (found === undefined && optional !== true) throw new PayloadError(`configmap ${JSON.stringify(name)} not found`);
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(base64, 'base64'));
  return select(data, items, optional === true, defaultMode, (key) => `configmap references non-existent config key: ${key}`);
}

function secretFiles({ name = '', items, optional }: Selection, defaultMode: number | undefined, sources: PayloadSources): Payload {
  const found = sources.secret(name);
  if (found === undefined && optional !== true) throw new PayloadError(`secret ${JSON.stringify(name)} not found`);
  const data = new Map(
    Object.entries(found?.data ?? {}).map(([key, base64]): [string, Uint8Array] => [key, Buffer.from(base64, 'base64')]),
  );
  return select(data, items, optional === true, defaultMode, (key) => `references non-existent secret key: ${key}`);
}

/** All keys, or those that are named, under the paths that are named. */
function select(
  data: ReadonlyMap<string, Uint8Array>,
  items: readonly V1KeyToPath[] | undefined,
  isOptional: boolean,
  defaultMode = defaultFileMode,
  missing: (key: string) => string,
): Payload {
  if (items === undefined || items.length === 0) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode: defaultMode }]));
  const files = new Map<string, FileProjection>();
  for (const { key, path, mode } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(path, { data: bytes, mode: mode ?? defaultMode });
    else if (!isOptional) throw new PayloadError(missing(key));
  }
  return files;
}

function downwardFiles(
  pod: Pod,
  items: readonly V1DownwardAPIVolumeFile[],
  defaultMode: number | undefined,
  sources: PayloadSources,
): Payload {
  return new Map(
    items.map(({ path, mode, fieldRef, resourceFieldRef }) => {
      const text =
        fieldRef !== undefined
          ? fieldValue(pod, fieldRef.fieldPath, sources.addresses)
          : resourceFieldRef !== undefined
            ? containerAmount(pod, resourceFieldRef, sources)
            : '';
      return [path, { data: Buffer.from(text), mode: mode ?? defaultMode ?? defaultFileMode }];
    }),
  );
}

function containerAmount(pod: Pod, selector: NonNullable<V1DownwardAPIVolumeFile['resourceFieldRef']>, sources: PayloadSources): string {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const container = all.find(({ name }) => name === selector.containerName);
  if (container === undefined) throw new PayloadError(`container ${selector.containerName ?? ''} not found`);
  return resourceValue(container, selector, sources.allocatable);
}

/** Only its owner may read a token: the user that all containers run as, or the pod's group. */
function tokenFile(
  pod: Pod,
  projection: V1ServiceAccountTokenProjection,
  defaultMode: number | undefined,
  sources: PayloadSources,
): Payload {
  const user = commonUser(pod);
  const isRestricted = user !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  const mode = isRestricted ? 0o600 : (defaultMode ?? defaultFileMode);
  const data = Buffer.from(sources.token(projection));
  return new Map([[projection.path, { data, mode, ...(user === undefined ? {} : { user }) }]]);
}

/** The user that every container of the pod runs as, where the pod says one and the same for all. */
function commonUser(pod: Pod): number | undefined {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const users = new Set(all.map(({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser));
  const [first] = users;
  return users.size === 1 ? first : undefined;
}

/** What an API server of this version takes no notice of leaves a source that names nothing, and adds nothing. */
function unsupported(source: object): Payload {
  const named = Object.keys(source);
  if (named.length === 0) return new Map();
  throw new PayloadError(`projected volume source ${named.join(', ')} is not supported by this node yet`);
}
