import type { Pod } from '#api/core/pod/pod.ts';

/** Addresses that a pod's own object may not show yet. */
export interface PodAddresses {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
}

/** A field path that names nothing we can give: the container cannot be configured. */
export class FieldRefError extends Error {
  override readonly name = 'FieldRefError';
}

/** The text that a `fieldRef` stands for (pkg/fieldpath and podFieldSelectorRuntimeValue). Absent labels and annotations are ''. */
export function fieldValue(pod: Pod, path: string, addresses: PodAddresses): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(annotations|labels)\['(.+)'\]$/s.exec(path);
  if (subscript !== null) {
    const map = (subscript[1] === 'labels' ? metadata.labels : metadata.annotations) ?? {};
    const key = subscript[2] ?? '';
    return Object.hasOwn(map, key) ? (map[key] ?? '') : '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return formatMap(metadata.labels);
    case 'metadata.annotations':
      return formatMap(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return addresses.hostIps[0] ?? '';
    case 'status.hostIPs':
      return addresses.hostIps.join(',');
    case 'status.podIP':
      return addresses.podIps[0] ?? '';
    case 'status.podIPs':
      return addresses.podIps.join(',');
    default:
      throw new FieldRefError(`unsupported fieldPath: ${path}`);
  }
}

/** `key="escaped value"` lines, sorted: the form of labels and annotations in downward API files. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .toSorted()
    .join('\n');
}

/** Go's %q for valid UTF-8. */
function goQuote(text: string): string {
  // JSON escapes the same characters but spells control characters \u00xx where Go has \a, \v and \x01.
  return JSON.stringify(text)
    .replaceAll(/\\u00(?:07|0b)/g, (code) => (code === '\\u0007' ? '\\a' : '\\v'))
    .replaceAll(/\\u00([01][0-9a-f])/g, '\\x$1')
    .replaceAll('\u007f', '\\x7f');
}
