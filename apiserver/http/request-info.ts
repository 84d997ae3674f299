import { parseFieldSelector } from '#api/meta/field-selector.ts';
import { SelectorError } from '#api/meta/label-requirement.ts';
import { parseLabelSelector } from '#api/meta/label-selector.ts';
import { nameIsPathSegment } from '#api/meta/names.ts';
import { ApiError } from '#api/meta/status.ts';
import type { Query } from './query.ts';

/** What a request asks for, read from its method and path alone. */
export interface RequestInfo {
  /** False for paths such as /version or /api/v1 (discovery). */
  readonly isResource: boolean;
  /** Decoded, without the query. */
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection, proxy; the lower-case method for other paths. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  /** The plural, such as `pods`. */
  readonly resource: string;
  readonly subresource: string;
  /** The name that authorization sees: that of the path, or the only one that a field selector allows. */
  readonly name: string;
  /** The name that stands in the path. */
  readonly pathName: string;
  /** What follows the sub-resource: `/a/b` of `pods/x/proxy/a/b`, '' where nothing does. */
  readonly rest: string;
  /** True where the path has a namespace: `/api/v1/namespaces/x/pods`. */
  readonly hasNamespacePart: boolean;
  /** True for the old form `/api/v1/watch/…`. */
  readonly isWatchPath: boolean;
}

const methodVerbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
/** What may follow a namespace's name without being a resource inside it. */
const namespaceSubresources = new Set(['status', 'finalize']);

/** Reads a request as upstream's RequestInfoFactory does. Undefined where a path like /api/v1/watch names nothing to watch. */
export function parseRequestInfo(method: string, path: string, query: Query): RequestInfo | undefined {
  const parts = splitPath(path);
  const legacy = parts[0] === 'api';
  const needed = legacy ? 3 : 4;
  if ((!legacy && parts[0] !== 'apis') || parts.length < needed) return plain(method, path);
  const group = legacy ? '' : (parts[1] ?? '');
  const version = parts[needed - 2] ?? '';
  let verb = (Object.hasOwn(methodVerbs, method) ? methodVerbs[method] : undefined) ?? '';
  let at = needed - 1;
  const special = parts[at];
  if (special === 'watch' || special === 'proxy') {
    if (parts.length < at + 2) return undefined;
    verb = special;
    at++;
  }
  let namespace = '';
  let hasNamespacePart = false;
  if (parts[at] === 'namespaces' && parts.length > at + 1) {
    namespace = parts[at + 1] ?? '';
    if (parts.length > at + 2 && !namespaceSubresources.has(parts[at + 2] ?? '')) {
      hasNamespacePart = true;
      at += 2;
    }
  }
  const resource = parts[at] ?? '';
  const pathName = parts[at + 1] ?? '';
  const subresource = verb === 'proxy' ? '' : (parts[at + 2] ?? '');
  const tail = parts.length > at + 2 ? restOf(path, at + 3) : '';
  // One slash at the end means nothing; a second one is the path `/`, as clients write it that escape it.
  const rest = tail === '/' ? '' : /^\/{2,}$/.test(tail) ? '/' : tail;
  let name = pathName;
  if (name === '' && verb === 'get') {
    verb = query.flag('watch') ? 'watch' : 'list';
    name = onlyName(query);
  } else if (name === '' && verb === 'delete') {
    verb = 'deletecollection';
  }
  return {
    isResource: true,
    path,
    verb,
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
    pathName,
    rest,
    hasNamespacePart,
    isWatchPath: special === 'watch',
  };
}

function plain(method: string, path: string): RequestInfo {
  return {
    isResource: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    pathName: '',
    rest: '',
    hasNamespacePart: false,
    isWatchPath: false,
  };
}

/** The segments, with outer slashes ignored. */
function splitPath(path: string): string[] {
  let start = 0;
  let end = path.length;
  while (start < end && path.charCodeAt(start) === 47) start++;
  while (end > start && path.charCodeAt(end - 1) === 47) end--;
  return start === end ? [] : path.slice(start, end).split('/');
}

/** The path from its `count`th segment on, with the slash before it and a trailing one kept. */
function restOf(path: string, count: number): string {
  let at = 0;
  while (path.charCodeAt(at) === 47) at++;
  for (let seen = 0; seen < count && at >= 0; seen++) at = path.indexOf('/', seen === 0 ? at : at + 1);
  return at < 0 ? '' : path.slice(at);
}

/**
 * The value of `metadata.name` where the selector of a list demands one exactly; '' otherwise, for what is no path segment, and where
 * any of the list's options cannot be read.
 */
function onlyName(query: Query): string {
  const selector = query.get('fieldSelector') ?? '';
  if (!selector.includes('metadata.name')) return '';
  try {
    const name = parseFieldSelector(selector).exact('metadata.name') ?? '';
    parseLabelSelector(query.get('labelSelector') ?? '');
    for (const option of ['limit', 'timeoutSeconds']) query.integer(option);
    return nameIsPathSegment(name, false).length === 0 ? name : '';
  } catch (error) {
    if (error instanceof SelectorError || error instanceof ApiError) return '';
    throw error;
  }
}
