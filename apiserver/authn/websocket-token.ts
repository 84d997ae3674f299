// Browsers cannot give a WebSocket an Authorization header: they offer the token as a subprotocol beside those that they mean.
import type { Exchange } from '../http/exchange.ts';
import type { BearerTokens } from './bearer-tokens.ts';
import type { AuthenticationMethod, Verdict } from './contract.ts';

const header = 'sec-websocket-protocol';
const tokenPrefix = 'base64url.bearer.authorization.k8s.io.';
const none: Verdict = { kind: 'none' };
const strict = new TextDecoder('utf-8', { fatal: true });

/** Removes the token from the offered subprotocols, so that the response cannot select it. */
export function webSocketTokens(tokens: Pick<BearerTokens, 'checkToken'>): AuthenticationMethod {
  return {
    name: 'websocket token',
    check: (exchange) => (exchange.upgrade?.protocol === 'websocket' ? checkOffer(exchange, tokens) : none),
  };
}

function checkOffer(exchange: Exchange, tokens: Pick<BearerTokens, 'checkToken'>): Verdict | Promise<Verdict> {
  const { headers } = exchange.request;
  const offered = String(headers[header] ?? '')
    .split(',')
    .map((one) => one.trim());
  const carriers = offered.filter((one) => one.startsWith(tokenPrefix));
  const [carrier] = carriers;
  if (carrier === undefined) return none;
  if (carriers.length > 1) return refused('multiple base64.bearer.authorization tokens specified');
  const encoded = carrier.slice(tokenPrefix.length);
  if (!isRawBase64Url(encoded)) return refused('invalid base64.bearer.authorization token encoding');
  const token = textOf(Buffer.from(encoded, 'base64url'));
  if (token === undefined) return refused('invalid base64.bearer.authorization token');
  if (token === '') return none;
  const others = offered.filter((one) => one !== carrier && one !== '');
  if (others.length === 0) return refused('missing additional subprotocol');
  return tokens.checkToken(token, exchange).then((verdict) => {
    if (verdict.kind === 'user') headers[header] = others.join(',');
    return verdict;
  });
}

function refused(why: string): Verdict {
  return { kind: 'refused', why };
}

/** Without padding; a single character is no byte. */
function isRawBase64Url(text: string): boolean {
  return /^[\w-]*$/.test(text) && text.length % 4 !== 1;
}

/** Undefined for what is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
