// A proxy in front of the API server that has authenticated its clients says in headers who they are (upstream's request-header
// authentication). It proves itself by a certificate of an authority of its own.
import type { Exchange } from '../http/exchange.ts';
import { unescapedKey } from '../http/header-key.ts';
import type { ClientCertificates } from './client-certificate.ts';
import { withAuthenticatedGroup } from './authenticator.ts';
import type { AuthenticationMethod, Verdict } from './contract.ts';

export interface FrontProxySettings {
  /** PEM text of the authorities that sign proxies' certificates. */
  readonly ca: string;
  /** Common names that are believed; none believes all of this authority. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

const none: Verdict = { kind: 'none' };

/** Users by headers. Comes before client certificates: the proxy's own does not say who asks. */
export function frontProxy(settings: FrontProxySettings, certificates: ClientCertificates): AuthenticationMethod {
  const prefixes = settings.extraHeaderPrefixes.map((prefix) => prefix.toLowerCase());
  return {
    name: 'front proxy',
    check: (exchange) => {
      const { issuer, commonName } = certificates.peerOf(exchange);
      if (issuer !== 'front-proxy') return none;
      if (settings.allowedNames.length > 0 && !settings.allowedNames.includes(commonName)) {
        return { kind: 'refused', why: `x509: subject with cn=${commonName} is not in the allowed list` };
      }
      const name = firstOf(exchange, settings.usernameHeaders);
      if (name === '') return none;
      const uid = firstOf(exchange, settings.uidHeaders);
      const groups = settings.groupHeaders.flatMap((header) => valuesOf(exchange, header.toLowerCase()));
      const extra = extraOf(exchange, prefixes);
      return {
        kind: 'user',
        user: withAuthenticatedGroup({
          name,
          ...(uid === '' ? {} : { uid }),
          groups,
          ...(Object.keys(extra).length === 0 ? {} : { extra }),
        }),
      };
    },
  };
}

function firstOf(exchange: Exchange, headers: readonly string[]): string {
  for (const header of headers) {
    const [value = ''] = valuesOf(exchange, header.toLowerCase());
    if (value !== '') return value;
  }
  return '';
}

/** Each as it came: a group's name may hold a comma, by which Node would join them. */
function valuesOf({ request: { rawHeaders } }: Exchange, header: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === header) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}

function extraOf(exchange: Exchange, prefixes: readonly string[]): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  const names = new Set(exchange.request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  for (const name of names) {
    const prefix = prefixes.find((one) => name.startsWith(one));
    if (prefix === undefined) continue;
    const key = unescapedKey(name.slice(prefix.length));
    Object.defineProperty(extra, key, { value: valuesOf(exchange, name), enumerable: true, configurable: true, writable: true });
  }
  return extra;
}
