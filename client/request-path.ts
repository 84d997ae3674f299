import type { Resource } from '#api/kind.ts';
import type { ListOptions, WatchOptions, WriteOptions } from './client.ts';

/** The path of a collection (`name` undefined), an object or one of its sub-resources. */
export function requestPath(
  kind: Resource,
  place: { readonly namespace?: string | undefined; readonly name?: string | undefined; readonly subresource?: string | undefined },
): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const inNamespace = kind.scope === 'namespaced' && place.namespace !== undefined && place.namespace !== '';
  const namespace = inNamespace ? `/namespaces/${encodeURIComponent(place.namespace ?? '')}` : '';
  const name = place.name === undefined ? '' : `/${encodeURIComponent(place.name)}`;
  const subresource = place.subresource === undefined || place.subresource === '' ? '' : `/${place.subresource}`;
  return `${root}${namespace}/${kind.names.plural}${name}${subresource}`;
}

/** `?a=b&c=d`, or '' when nothing is set. */
export function queryText(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '');
  if (given.length === 0) return '';
  return `?${given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
}

export function listQuery(options: ListOptions): Record<string, string | undefined> {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit?.toString(),
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  };
}

export function watchQuery(options: WatchOptions): Record<string, string | undefined> {
  return {
    ...listQuery(options),
    watch: 'true',
    allowWatchBookmarks: options.allowBookmarks === true ? 'true' : undefined,
    timeoutSeconds: options.timeoutSeconds?.toString(),
  };
}

export function writeQuery(options: WriteOptions & { readonly force?: boolean }): Record<string, string | undefined> {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun === true ? 'All' : undefined,
    force: options.force === true ? 'true' : undefined,
  };
}
