import { readFileSync } from 'node:fs';
import { boolFlag, type FlagValues, listFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { UserInfo } from '../registry/contract.ts';
import type { FrontProxySettings } from './front-proxy.ts';
import { readStaticTokens } from './static-tokens.ts';

const file = { valueName: 'file' };
const notYet = 'Not supported yet';

/** Upstream's flags that say how clients prove who they are. */
export const authnFlags = {
  'anonymous-auth': boolFlag(true, 'Let requests that no authentication method refuses come through as the user system:anonymous'),
  'authentication-config': stringFlag('', notYet, file),
  'authentication-token-webhook-config-file': stringFlag('', notYet, file),
  'client-ca-file': stringFlag('', 'Certificates of the authorities that sign client certificates', file),
  'enable-bootstrap-token-auth': boolFlag(false, 'Let Secrets of type bootstrap.kubernetes.io/token in kube-system be used as tokens'),
  'oidc-issuer-url': stringFlag('', notYet),
  'requestheader-allowed-names': listFlag(
    [],
    'Common names of front proxies that may say who their clients are; default: all that --requestheader-client-ca-file signs',
  ),
  'requestheader-client-ca-file': stringFlag('', 'Certificates of the authorities that sign front proxies', file),
  'requestheader-extra-headers-prefix': listFlag([], "Beginnings of headers that carry more about a proxy's client"),
  'requestheader-group-headers': listFlag([], "Headers that carry groups of a proxy's client"),
  'requestheader-uid-headers': listFlag([], "Headers that carry the uid of a proxy's client"),
  'requestheader-username-headers': listFlag([], "Headers that carry the name of a proxy's client"),
  'token-auth-file': stringFlag('', 'Tokens and their users, as comma-separated values: token, name, uid, groups', file),
} as const;

export interface AuthenticationSettings {
  readonly acceptsAnonymous: boolean;
  /** PEM text. */
  readonly clientCa: string | undefined;
  readonly acceptsBootstrapTokens: boolean;
  readonly staticTokens: ReadonlyMap<string, UserInfo>;
  readonly frontProxy: FrontProxySettings | undefined;
}

const refused = ['authentication-config', 'authentication-token-webhook-config-file', 'oidc-issuer-url'] as const;

/** Throws UsageError with one clear sentence. */
export function readAuthentication(values: FlagValues<typeof authnFlags>): AuthenticationSettings {
  for (const flag of refused) if (values[flag] !== '') throw new UsageError(`--${flag} is not supported yet`);
  const tokens = readOptional(values['token-auth-file'], 'token-auth-file');
  const ca = readOptional(values['requestheader-client-ca-file'], 'requestheader-client-ca-file');
  return {
    acceptsAnonymous: values['anonymous-auth'],
    clientCa: readOptional(values['client-ca-file'], 'client-ca-file'),
    acceptsBootstrapTokens: values['enable-bootstrap-token-auth'],
    staticTokens: tokens === undefined ? new Map() : readStaticTokens(tokens),
    frontProxy:
      ca === undefined
        ? undefined
        : {
            ca,
            allowedNames: values['requestheader-allowed-names'],
            usernameHeaders: values['requestheader-username-headers'],
            uidHeaders: values['requestheader-uid-headers'],
            groupHeaders: values['requestheader-group-headers'],
            extraHeaderPrefixes: values['requestheader-extra-headers-prefix'],
          },
  };
}

/** The text of a file that a flag names; undefined where it names none. Throws UsageError. */
export function readOptional(path: string, flag: string): string | undefined {
  return path === '' ? undefined : readFlagFile(path, flag);
}

export function readFlagFile(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String((error as Error).message);
    throw new UsageError(`cannot read ${path} (--${flag}): ${why}`, { exitCode: 1, cause: error });
  }
}
