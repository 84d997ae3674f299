import { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { Exchange } from '../http/exchange.ts';
import { withAuthenticatedGroup } from './authenticator.ts';
import type { AuthenticationMethod, Verdict } from './contract.ts';

const none: Verdict = { kind: 'none' };
const never = Number.POSITIVE_INFINITY;
const longestChain = 10;
/** A subject's element that holds the user's uid. */
const uidField = '1.3.6.1.4.1.57683.2';

/** What a connection's certificate says. */
interface Peer {
  /** Whose authority has signed it; undefined where there is none, or not of a trusted CA. */
  readonly issuer: 'clients' | 'front-proxy' | undefined;
  readonly commonName: string;
  readonly verdict: Verdict;
  readonly untilMs: number;
}

interface ClientCertificatesOptions {
  readonly nowMs: () => number;
  /** PEM text of the authorities of front proxies, which say nothing of users; undefined where there is none. */
  readonly frontProxyCa: () => string | undefined;
  /** Called for every request authenticated by a certificate, with its remaining lifetime. */
  readonly onUse?: ((leftSeconds: number) => void) | undefined;
}

/**
 * Users by client certificate: the common name is the user, the organizations are the groups, and there may be a uid. TLS has checked the certificate
 * against the authorities already; what it found is kept per connection, except that a certificate expires on time.
 */
export class ClientCertificates implements AuthenticationMethod {
  readonly name = 'client certificate';
  readonly #nowMs: () => number;
  readonly #frontProxyCa: () => string | undefined;
  #proxies: { readonly pem: string; readonly authorities: readonly X509Certificate[] } = { pem: '', authorities: [] };
  readonly #onUse: ClientCertificatesOptions['onUse'];
  readonly #known = new WeakMap<object, Peer>();

  constructor({ nowMs, frontProxyCa, onUse }: ClientCertificatesOptions) {
    this.#onUse = onUse;
    this.#nowMs = nowMs;
    this.#frontProxyCa = frontProxyCa;
  }

  check(exchange: Exchange): Verdict {
    const { verdict, untilMs } = this.peerOf(exchange);
    if (verdict.kind === 'user') this.#onUse?.((untilMs - this.#nowMs()) / 1_000);
    return verdict;
  }

  /** What the connection of a request shows. An expired certificate authenticates no user. */
  peerOf({ request }: Exchange): Peer {
    // HTTP/2's request.socket is a new proxy on every request: the session stands for the connection.
    const session = (request as { stream?: { session?: { socket: Duplex } } }).stream?.session;
    const connection = session ?? request.socket;
    const known = this.#known.get(connection);
    if (known !== undefined) return this.#nowMs() < known.untilMs ? known : expired;
    const fresh = inspect((session?.socket ?? request.socket) as TLSSocket, this.#proxyAuthorities());
    this.#known.set(connection, fresh);
    return fresh;
  }

  /** Read again only when they are others than before. */
  #proxyAuthorities(): readonly X509Certificate[] {
    const pem = this.#frontProxyCa() ?? '';
    if (this.#proxies.pem !== pem) this.#proxies = { pem, authorities: authoritiesIn(pem) };
    return this.#proxies.authorities;
  }
}

const expired: Peer = { ...anonymous(), verdict: { kind: 'refused', why: 'the certificate has expired' } };

function anonymous(verdict: Verdict = none): Peer {
  return { issuer: undefined, commonName: '', verdict, untilMs: never };
}

function inspect(socket: TLSSocket, proxyAuthorities: readonly X509Certificate[]): Peer {
  // The whole chain costs more, and only yields the root.
  const isWhole = proxyAuthorities.length > 0;
  const certificate = typeof socket.getPeerCertificate === 'function' ? socket.getPeerCertificate(isWhole) : undefined;
  if (certificate === undefined || Object.keys(certificate).length === 0) return anonymous();
  if (!socket.authorized) {
    return anonymous({ kind: 'refused', why: String(socket.authorizationError ?? 'not signed by the client CA') });
  }
  const subject = certificate.subject as Partial<Record<'CN' | 'O' | typeof uidField, string | string[]>> | undefined;
  const commonName = one(subject?.CN);
  const untilMs = Date.parse(certificate.valid_to);
  if (isWhole && isSignedBy(certificate as DetailedPeerCertificate, proxyAuthorities)) {
    const verdict: Verdict = { kind: 'refused', why: 'x509: certificate signed by unknown authority' };
    return { issuer: 'front-proxy', commonName, verdict, untilMs };
  }
  if (commonName === '') return anonymous();
  const groups = subject?.O === undefined ? [] : [subject.O].flat();
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] };
  const uids = [subject?.[uidField] ?? []].flat();
  const wrong = uidProblem(uids);
  if (wrong !== undefined) return { issuer: 'clients', commonName, verdict: { kind: 'refused', why: wrong }, untilMs };
  const [uid] = uids;
  const user = withAuthenticatedGroup({ name: commonName, ...(uid === undefined ? {} : { uid }), groups, extra });
  return { issuer: 'clients', commonName, verdict: { kind: 'user', user }, untilMs };
}

function uidProblem(uids: readonly string[]): string | undefined {
  if (uids.length > 1) return `expected 1 UID, but found multiple: [${uids.join(' ')}]`;
  return uids[0] === '' ? 'UID cannot be an empty string' : undefined;
}

/** Whether one of these authorities stands behind a certificate, itself or by others in between. */
function isSignedBy(certificate: DetailedPeerCertificate, authorities: readonly X509Certificate[]): boolean {
  const leaf = new X509Certificate(certificate.raw);
  if (authorities.some((authority) => leaf.checkIssued(authority) && leaf.verify(authority.publicKey))) return true;
  let last = certificate;
  for (let steps = 0; steps < longestChain; steps++) {
    const next = last.issuerCertificate as DetailedPeerCertificate | undefined;
    // A root names itself.
    if (next === undefined || next.fingerprint256 === last.fingerprint256) break;
    last = next;
  }
  return authorities.some(({ fingerprint256 }) => fingerprint256 === last.fingerprint256);
}

function authoritiesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function one(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value.at(-1) ?? '') : (value ?? '');
}
