import type { Exchange } from '../http/exchange.ts';
import type { Pages } from '../http/router.ts';
import { sendBytes } from '../http/respond.ts';
import type { VerificationKey } from './token-keys.ts';

const configurationPath = '/.well-known/openid-configuration';
const keysPath = '/openid/v1/jwks';
/** Both may end in slashes. */
const ownPath = /^\/(\.well-known\/openid-configuration|openid\/v1\/jwks)\/*$/;

/** How long keys that come from files may be kept, as upstream has it. */
const caching = ['Cache-Control', 'public, max-age=3600'];

/**
 * Lets others verify service-account tokens: OpenID discovery and the public keys. `address` is where clients find this server, host and
 * port: the keys are named there, not at the issuer, who may be a name that only the cluster's DNS knows. `keysUrl`: or where somebody else
 * serves them.
 */
export function issuerPages(issuer: string, keys: readonly VerificationKey[], address: () => string, keysUrl?: string): Pages {
  const configuration = (): Buffer =>
    Buffer.from(
      JSON.stringify({
        issuer,
        jwks_uri: keysUrl ?? `https://${address()}${keysPath}`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].toSorted(),
      }),
    );
  const jwks = Buffer.from(
    JSON.stringify({
      keys: keys.map(({ kid, key, algorithm }) => {
        const { kty, ...rest } = key.export({ format: 'jwk' });
        return { use: 'sig', kty, kid, alg: algorithm, ...rest };
      }),
    }),
  );
  return {
    owns: (path) => ownPath.test(path),
    paths: () => [configurationPath, keysPath],
    takesGetOnly: true,
    serve: (exchange: Exchange) => {
      const isKeys = exchange.info.path.startsWith(keysPath);
      sendBytes(exchange, 200, isKeys ? 'application/jwk-set+json' : 'application/json', isKeys ? jwks : configuration(), caching);
    },
  };
}
