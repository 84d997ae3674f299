import type { RequestInfo } from './request-info.ts';

const streams = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);

/** True for requests that may last: they have no deadline of their own and no share in the in-flight limits. */
export function isLongRunning(info: RequestInfo): boolean {
  if (!info.isResource) return info.path.startsWith('/debug/pprof/');
  return info.verb === 'watch' || info.verb === 'proxy' || info.isWatchPath || streams.has(info.subresource);
}
