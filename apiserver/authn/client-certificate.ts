import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Exchange } from '../http/exchange.ts';
import { withAuthenticatedGroup } from './authenticator.ts';
import type { AuthenticationMethod, Verdict } from './contract.ts';

const none: Verdict = { kind: 'none' };

/**
 * Users by client certificate: the common name is the user, the organizations are the groups. TLS has checked the certificate
 * against the client CA already; what it found is kept per connection, except that a certificate expires on time.
 */
export class ClientCertificates implements AuthenticationMethod {
  readonly name = 'client certificate';
  readonly #nowMs: () => number;
  readonly #known = new WeakMap<object, { verdict: Verdict; untilMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  check({ request }: Exchange): Verdict {
    // HTTP/2's request.socket is a new proxy on every request: the session stands for the connection.
    const session = (request as { stream?: { session?: { socket: Duplex } } }).stream?.session;
    const connection = session ?? request.socket;
    const known = this.#known.get(connection);
    if (known !== undefined) return this.#nowMs() < known.untilMs ? known.verdict : { kind: 'refused', why: 'the certificate has expired' };
    const fresh = inspect((session?.socket ?? request.socket) as TLSSocket);
    this.#known.set(connection, fresh);
    return fresh.verdict;
  }
}

function inspect(socket: TLSSocket): { verdict: Verdict; untilMs: number } {
  const never = Number.POSITIVE_INFINITY;
  const certificate = typeof socket.getPeerCertificate === 'function' ? socket.getPeerCertificate() : undefined;
  if (certificate === undefined || Object.keys(certificate).length === 0) return { verdict: none, untilMs: never };
  if (!socket.authorized) {
    return { verdict: { kind: 'refused', why: String(socket.authorizationError ?? 'not signed by the client CA') }, untilMs: never };
  }
  const subject = certificate.subject as { CN?: string | string[]; O?: string | string[] } | undefined;
  const name = one(subject?.CN);
  if (name === '') return { verdict: none, untilMs: never };
  const groups = subject?.O === undefined ? [] : [subject.O].flat();
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] };
  return {
    verdict: { kind: 'user', user: withAuthenticatedGroup({ name, groups, extra }) },
    untilMs: Date.parse(certificate.valid_to),
  };
}

function one(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value.at(-1) ?? '') : (value ?? '');
}
