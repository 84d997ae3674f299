// Who may talk to the kubelet: whoever shows a certificate of the client CA, for one of the listed users. Everyone else is turned away
// before anything of the request is looked at.
import type { TLSSocket } from 'node:tls';
import { HttpProblem } from './http-problem.ts';

/** The API server's own user towards kubelets. */
export const apiServerUser = 'kube-apiserver-kubelet-client';

/** Throws HttpProblem 401 without a valid certificate, 403 for another user. */
export function admit(socket: TLSSocket, users: readonly string[], method: string, nowMs: number): void {
  const certificate = socket.getPeerCertificate() as ReturnType<TLSSocket['getPeerCertificate']> | undefined;
  const name = certificate?.subject?.CN;
  if (!socket.authorized || certificate === undefined || name === undefined) throw new HttpProblem(401, 'Unauthorized');
  if (Date.parse(certificate.valid_to) <= nowMs) throw new HttpProblem(401, 'Unauthorized');
  const user = Array.isArray(name) ? String(name.at(-1)) : name;
  if (users.includes(user)) return;
  const verb = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[method] ?? 'get';
  throw new HttpProblem(403, `Forbidden (user=${user}, verb=${verb}, resource=nodes, subresource(s)=[proxy])\n`);
}
