// Who may talk to the kubelet: whoever shows a certificate of the client CA, or a bearer token that the API server knows, and may do there
// what is asked of this Node. Everyone else is turned away before anything of the request is looked at.
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { isAbort } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type Access, bearerToken, certificateVisitor, type Visitor, type AccessRequest } from '#client/delegated-access.ts';
import { HttpProblem } from './http-problem.ts';

/** The API server's own user towards kubelets. */
export const apiServerUser = 'kube-apiserver-kubelet-client';

interface Gate {
  readonly access: Access;
  readonly nodeName: string;
  readonly nowMs: number;
  readonly log: Log;
}

/** Throws HttpProblem 401 for unauthenticated, 403 for unauthorized clients, 500 where a review fails. */
export async function admit(request: IncomingMessage, path: string, gate: Gate, signal: AbortSignal): Promise<void> {
  const visitor = await identify(request, gate, signal);
  const verb = verbOf(request.method ?? 'GET');
  const subresources = subresourcesOf(path);
  const about = `user=${visitor.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}]`;
  try {
    for (const subresource of subresources) {
      const access: AccessRequest = {
        kind: 'resource',
        verb,
        group: '',
        version: 'v1',
        resource: 'nodes',
        subresource,
        name: gate.nodeName,
      };
      if (await gate.access.isAllowed(visitor, access, signal)) return;
    }
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    gate.log.warn({ err: error, user: visitor.name }, 'whether a request is allowed cannot be found out');
    throw new HttpProblem(500, `Authorization error (${about})`);
  }
  throw new HttpProblem(403, `Forbidden (${about})\n`);
}

async function identify(request: IncomingMessage, { access, nowMs, log }: Gate, signal: AbortSignal): Promise<Visitor> {
  const socket = request.socket as TLSSocket;
  const shown = socket.authorized && Date.parse(socket.getPeerCertificate().valid_to) > nowMs ? certificateVisitor(socket) : undefined;
  if (shown !== undefined) return shown;
  const token = bearerToken(request.headers.authorization);
  if (token === undefined) throw new HttpProblem(401, 'Unauthorized');
  try {
    const visitor = await access.visitorOf(token, signal);
    if (visitor !== undefined) return visitor;
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    log.warn({ err: error }, 'whose token a request brought cannot be found out');
  }
  throw new HttpProblem(401, 'Unauthorized');
}

function verbOf(method: string): string {
  return { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[method] ?? 'get';
}

/** Paths that need less than `nodes/proxy`, which allows everything: upstream's pkg/kubelet/server/auth.go. */
const alone: readonly (readonly [path: string, subresource: string])[] = [
  ['/stats', 'stats'],
  ['/metrics', 'metrics'],
  ['/logs', 'log'],
  ['/checkpoint', 'checkpoint'],
];
const besideProxy: readonly (readonly [path: string, subresource: string])[] = [
  ['/pods', 'pods'],
  ['/runningpods', 'pods'],
  ['/healthz', 'healthz'],
  ['/configz', 'configz'],
  ['/statusz', 'statusz'],
  ['/flagz', 'flagz'],
];

/** Any one of them is enough. */
export function subresourcesOf(path: string): readonly string[] {
  const below = ([prefix]: readonly [string, string]): boolean => path === prefix || path.startsWith(`${prefix}/`);
  const only = alone.find(below);
  if (only !== undefined) return [only[1]];
  const fine = besideProxy.find(below);
  return fine === undefined ? ['proxy'] : [fine[1], 'proxy'];
}
