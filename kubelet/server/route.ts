// The kubelet's paths, as upstream has them. Pure.
import { HttpProblem } from './http-problem.ts';

export interface ContainerTarget {
  readonly namespace: string;
  readonly pod: string;
  /** Undefined where the path has none. */
  readonly uid: string | undefined;
  readonly container: string;
}

export type PodTarget = Omit<ContainerTarget, 'container'>;

type PlainKind =
  | 'pods'
  | 'runningPods'
  | 'metrics'
  | 'resourceMetrics'
  | 'cadvisorMetrics'
  | 'probeMetrics'
  | 'slis'
  | 'statsSummary'
  | 'configz'
  | 'statusz'
  | 'flagz';

export type Route =
  | { readonly kind: PlainKind }
  /** All checks of the kubelet's health, or one of them. */
  | { readonly kind: 'healthz'; readonly path: string }
  | { readonly kind: 'containerLogs' | 'exec' | 'attach' | 'run'; readonly target: ContainerTarget }
  | { readonly kind: 'portForward'; readonly target: PodTarget }
  /** Below /debug/; the path is whole. */
  | { readonly kind: 'debug'; readonly path: string }
  /** A file of the host's logs, or a folder of them. */
  | { readonly kind: 'logs'; readonly path: string };

const health: readonly string[] = ['/healthz', '/healthz/log', '/healthz/ping', '/healthz/syncloop'];
const plain: Readonly<Record<string, PlainKind>> = {
  '/pods': 'pods',
  '/runningpods': 'runningPods',
  '/metrics': 'metrics',
  '/metrics/resource': 'resourceMetrics',
  '/metrics/cadvisor': 'cadvisorMetrics',
  '/metrics/probes': 'probeMetrics',
  '/metrics/slis': 'slis',
  '/stats/summary': 'statsSummary',
  '/configz': 'configz',
  '/statusz': 'statusz',
  '/flagz': 'flagz',
};

const methods: Readonly<Record<Route['kind'], readonly string[]>> = {
  healthz: ['GET', 'HEAD'],
  pods: ['GET'],
  runningPods: ['GET'],
  metrics: ['GET'],
  resourceMetrics: ['GET'],
  cadvisorMetrics: ['GET'],
  probeMetrics: ['GET'],
  slis: ['GET'],
  statsSummary: ['GET', 'POST'],
  configz: ['GET'],
  statusz: ['GET'],
  flagz: ['GET'],
  containerLogs: ['GET'],
  exec: ['GET', 'POST'],
  attach: ['GET', 'POST'],
  portForward: ['GET', 'POST'],
  run: ['POST'],
  debug: ['GET', 'HEAD', 'POST', 'PUT'],
  logs: ['GET', 'HEAD'],
};

/** Every path that is one alone. */
export const plainPaths: readonly string[] = [...health, ...Object.keys(plain)];

/** Throws HttpProblem 404 for unknown paths, 405 for the wrong method. */
export function routeOf(method: string, path: string): Route {
  const route = find(path);
  if (route === undefined) throw new HttpProblem(404, '404 page not found');
  const allowed = methods[route.kind];
  if (!allowed.includes(method)) throw new HttpProblem(405, 'Method Not Allowed', { Allow: allowed.join(', ') });
  return route;
}

function find(path: string): Route | undefined {
  if (path.startsWith('/debug/')) return { kind: 'debug', path };
  if (path === '/logs' || path.startsWith('/logs/'))
    return { kind: 'logs', path: path.split('/').map(decode).join('/').slice('/logs'.length) };
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const kind = plain[trimmed];
  if (kind !== undefined) return { kind };
  if (health.includes(trimmed)) return { kind: 'healthz', path: trimmed };
  const [empty, area, ...encoded] = trimmed.split('/');
  if (empty !== '') return undefined;
  const parts = encoded.map(decode);
  if (parts.some((part) => part === '')) return undefined;
  const [namespace, pod, third, fourth] = parts;
  if (namespace === undefined || pod === undefined || parts.length > 4) return undefined;
  if (area === 'portForward') return fourth === undefined ? { kind: 'portForward', target: { namespace, pod, uid: third } } : undefined;
  if (third === undefined) return undefined;
  const target =
    fourth === undefined ? { namespace, pod, uid: undefined, container: third } : { namespace, pod, uid: third, container: fourth };
  if (area === 'containerLogs') return fourth === undefined ? { kind: 'containerLogs', target } : undefined;
  return area === 'exec' || area === 'attach' || area === 'run' ? { kind: area, target } : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Not an encoding: then it names nothing.
    return '';
  }
}
