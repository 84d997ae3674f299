import { isIP } from 'node:net';

const dialProblems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

const unknownAuthority = 'certificate signed by unknown authority';
const outOfTime = 'certificate has expired or is not yet valid';

const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: outOfTime,
  CERT_NOT_YET_VALID: outOfTime,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
};

interface DialError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
  /** A certificate for another host. */
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string };
}

/** Why a connection did not come about, as Go's client words it. */
export function dialErrorText(error: DialError): string {
  const { address = '', port, code = '' } = error;
  if (code === 'ECONNRESET') return 'EOF';
  const certificate = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? otherNames(error) : certificateProblems[code];
  if (certificate !== undefined) return `tls: failed to verify certificate: x509: ${certificate}`;
  const why = dialProblems[code];
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return why === undefined || address === '' ? error.message : `dial tcp ${where}: ${why}`;
}

/** For whom a certificate is instead. */
function otherNames({ host = '', cert }: DialError): string {
  const names = (cert?.subjectaltname ?? '').split(', ');
  const of = (prefix: string): string => names.flatMap((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : [])).join(', ');
  const valid = of(isIP(host) === 0 ? 'DNS:' : 'IP Address:');
  if (valid !== '') return `certificate is valid for ${valid}, not ${host}`;
  if (isIP(host) !== 0) return `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  return `certificate is not valid for any names, but wanted to match ${host}`;
}
