// The flags that say how the server talks TLS. Suites have Go's names, of which OpenSSL knows most by another one.
import { type FlagValues, listFlag, stringFlag } from './flags.ts';
import { UsageError } from './lifecycle.ts';

/** How a server talks TLS. */
export const tlsPolicyFlags = {
  'tls-cipher-suites': listFlag([], "Suites that TLS 1.2 may use, by Go's names; those of TLS 1.3 are always on. Default: those of Node"),
  'tls-min-version': stringFlag('', 'The oldest TLS to talk: VersionTLS12, the default, or VersionTLS13'),
} as const;

/** The same, and with which certificate. */
export const tlsFlags = {
  ...tlsPolicyFlags,
  'cert-dir': stringFlag(
    '/var/run/kubernetes',
    'Where the server keeps a certificate of its own, which it makes where no --tls-cert-file is given',
    {
      valueName: 'folder',
    },
  ),
  'tls-cert-file': stringFlag('', 'Serving certificate, with intermediate ones behind it', { valueName: 'file' }),
  'tls-private-key-file': stringFlag('', 'Key of the serving certificate', { valueName: 'file' }),
} as const;

type MinTls = 'TLSv1.2' | 'TLSv1.3';

export interface TlsSettings {
  /** The oldest TLS that clients may talk. */
  readonly minTls: MinTls;
  /** For OpenSSL; undefined: its default. */
  readonly ciphers: string | undefined;
}

const suitesOfTls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** Without those that no OpenSSL of today has: RC4 and 3DES. */
const opensslNames: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
};

/** What HTTP/2 needs at least, by its standard. */
const http2Suites = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'];

/** Throws UsageError, in upstream's words where it refuses the same. */
export function readTls(values: FlagValues<typeof tlsPolicyFlags>): TlsSettings {
  const minTls = readMinTls(values['tls-min-version']);
  const suites = values['tls-cipher-suites'];
  if (suites.length === 0) return { minTls, ciphers: undefined };
  const names = suites.flatMap((suite) => {
    if (suitesOfTls13.includes(suite)) return [];
    const name = Object.hasOwn(opensslNames, suite) ? opensslNames[suite] : undefined;
    if (name === undefined) throw new UsageError(`Cipher suite ${suite} not supported or doesn't exist`);
    return [name];
  });
  if (minTls !== 'TLSv1.3' && !suites.some((suite) => http2Suites.includes(suite))) {
    throw new UsageError(
      'error configuring http2: http2: TLSConfig.CipherSuites is missing an HTTP/2-required AES_128_GCM_SHA256 cipher ' +
        `(need at least one of ${http2Suites.join(' or ')})`,
    );
  }
  return { minTls, ciphers: [...suitesOfTls13, ...new Set(names)].join(':') };
}

function readMinTls(text: string): MinTls {
  if (text === '' || text === 'VersionTLS12') return 'TLSv1.2';
  if (text === 'VersionTLS13') return 'TLSv1.3';
  if (text === 'VersionTLS10' || text === 'VersionTLS11') {
    throw new UsageError(`--tls-min-version=${text} is not supported: TLS before 1.2 is insecure; use VersionTLS12 or VersionTLS13`);
  }
  throw new UsageError(`unknown tls version ${JSON.stringify(text)}`);
}
