// From the bytes of a manifest to pods as this node runs them: decoded, given their defaults and judged as the API server would, and
// given an identity that follows from what they say and where they come from (pkg/kubelet/config/common.go). Pure.
import { createHash } from 'node:crypto';
import { apiReferenceOf } from '#api/core/pod/api-references.ts';
import { configHashAnnotation } from '#api/core/pod/mirror.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import type { Json } from '#api/meta/object.ts';
import type { Codec } from '#api/schema/codec.ts';
import { parseYaml } from '#api/schema/yaml.ts';
import { validateNew } from '#api/validate-new.ts';

/** Where a manifest was found. The same text at another place is another pod. */
export interface Origin {
  readonly kind: 'file' | 'http';
  /** Path or URL. */
  readonly location: string;
  readonly nodeName: string;
  readonly nowMs: number;
}

/** Larger manifests are not read. */
export const maxManifestBytes = 10 * 2 ** 20;

/** Why a manifest cannot be used. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

const podSchema = { apiVersion: 'v1', kind: 'Pod' } as const;

/** The pod of a manifest; of several YAML documents, the first. Throws ManifestError. */
export function readPod(bytes: Uint8Array, origin: Origin, codec: Codec): Pod {
  return podOf(documentOf(bytes), origin, codec);
}

/** A Pod, or all of a PodList. Throws ManifestError when any of them cannot be used. */
export function readPods(bytes: Uint8Array, origin: Origin, codec: Codec): readonly Pod[] {
  const document = documentOf(bytes);
  if (document['kind'] !== 'PodList' || document['apiVersion'] !== 'v1') return [podOf(document, origin, codec)];
  const { items = [] } = document as { items?: Json };
  if (!Array.isArray(items)) throw new ManifestError('items is not a list');
  // What a list holds need not say what it is.
  return items.map((item) => podOf({ ...podSchema, ...(item as Readonly<Record<string, Json>>) }, origin, codec));
}

/** What a manifest says, as it stands there. Throws ManifestError. */
export function documentOf(bytes: Uint8Array): Readonly<Record<string, Json>> {
  let value: Json;
  try {
    ({ value } = parseYaml(bytes).parsed);
  } catch (error) {
    throw new ManifestError(textOf(error), { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ManifestError('not an object');
  for (const field of ['kind', 'apiVersion']) {
    const said = Object.hasOwn(value, field) ? value[field] : undefined;
    if (typeof said !== 'string' || said === '') throw new ManifestError(`Object '${field === 'kind' ? 'Kind' : field}' is missing`);
  }
  return value;
}

function podOf(document: Readonly<Record<string, Json>>, origin: Origin, codec: Codec): Pod {
  const pod = decode(document, codec);
  // Defaults drop what is behind gates; a manifest that asks for it is refused all the same.
  const reference = Array.isArray(pod.spec?.containers) ? apiReferenceOf(pod.spec) : undefined;
  for (const rule of podKind.defaults ?? []) rule(pod);
  if ((pod.metadata.name ?? '') === '') throw new ManifestError('invalid pod: name is needed for the pod');
  identify(pod, origin);
  const context = { verb: 'create', subresource: '', nowMs: origin.nowMs } as const;
  const problems = validateNew(podKind, pod, context);
  if (problems.length > 0) {
    throw new ManifestError(`invalid pod: [${problems.map(({ field, message }) => `${field}: ${message}`).join(', ')}]`);
  }
  if (reference !== undefined) throw new ManifestError(`static pods may not reference ${reference}`);
  podKind.prepareCreate?.(pod, context);
  return pod;
}

function decode(document: Readonly<Record<string, Json>>, codec: Codec): Pod {
  try {
    return codec.decodeValue(document as Json, podKind, 'Ignore').object as Pod;
  } catch (error) {
    throw new ManifestError(textOf(error), { cause: error });
  }
}

/** Says who the pod is and that it belongs here. Its uid follows from its content, unless the manifest names one. */
function identify(pod: Pod, { kind, location, nodeName }: Origin): void {
  const { metadata, spec } = pod;
  if ((metadata.uid ?? '') === '') {
    const hash = createHash('md5').update(inOrder(pod));
    hash.update(kind === 'file' ? `host:${nodeName}file:${location}` : `url:${location}`);
    metadata.uid = hash.digest('hex');
  }
  metadata.name = `${metadata.name}-${nodeName.toLowerCase()}`;
  if ((metadata.namespace ?? '') === '') metadata.namespace = 'default';
  spec.nodeName = nodeName;
  metadata.annotations = { ...metadata.annotations, [configHashAnnotation]: metadata.uid ?? '' };
  // Trouble of the node must not move what the node runs by itself.
  if (kind === 'file') tolerateNoExecute(spec);
}

function tolerateNoExecute(spec: Pod['spec']): void {
  const others = (spec.tolerations ?? []).filter(
    ({ key = '', operator, effect, value = '' }) => !(key === '' && operator === 'Exists' && effect === 'NoExecute' && value === ''),
  );
  spec.tolerations = [...others, { operator: 'Exists', effect: 'NoExecute' }];
}

/** JSON that is the same whatever the order of fields. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
