// Keys and certificates: an own CA, what it signs, and service-account signing keys. ECDSA P-256 where nothing else is asked for (handshake 0.4 ms
// against RSA's 0.65); service-account tokens are signed RS256 as upstream's are, so that key is RSA.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** PEM texts of a certificate and its private key (PKCS#8). */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Groups, for clients. */
  readonly organizations?: readonly string[];
  /** DNS names and IP addresses, for servers. */
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  readonly usages: readonly ('client' | 'server')[];
  /** Default 365. */
  readonly validDays?: number;
  /** Default ECDSA-P256. */
  readonly keyAlgorithm?: KeyAlgorithm;
}

export interface CaOptions {
  /** Default 3,650. */
  readonly validDays?: number;
  readonly keyAlgorithm?: KeyAlgorithm;
}

/** How a certificate's own key is made. */
export type KeyAlgorithm = 'ECDSA-P256' | 'ECDSA-P384' | 'RSA-2048' | 'RSA-3072' | 'RSA-4096';

const dayMs = 86_400_000;
const rsa = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
});
const algorithms = {
  'ECDSA-P256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'ECDSA-P384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  'RSA-2048': rsa(2_048),
  'RSA-3072': rsa(3_072),
  'RSA-4096': rsa(4_096),
} as const;

/** A new certificate authority. */
export async function createCa(commonName: string, nowMs: number, options: CaOptions = {}): Promise<KeyPair> {
  x509.cryptoProvider.set(webcrypto);
  const { validDays = 3_650, keyAlgorithm = 'ECDSA-P256' } = options;
  const algorithm = algorithms[keyAlgorithm];
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: certificateSerial(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(nowMs - 60_000),
    notAfter: new Date(nowMs + validDays * dayMs),
    signingAlgorithm: algorithm,
    keys: keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: commonName }]),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys.privateKey) };
}

/** A new key and the certificate that `ca` signs for it. The CA's key may be ECDSA (P-256, P-384) or RSA, in any PEM form. */
export async function signCertificate(ca: KeyPair, request: CertificateRequest, nowMs: number): Promise<KeyPair> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithms[request.keyAlgorithm ?? 'ECDSA-P256'], true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(ca.cert);
  const [signingKey, signingAlgorithm] = await importSigningKey(ca.key);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: certificateSerial(),
    subject: [...(request.organizations ?? []).map((name) => ({ O: [name] })), { CN: [request.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - 60_000),
    notAfter: new Date(nowMs + (request.validDays ?? 365) * dayMs),
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey: signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...usageExtensions(request),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...nameExtensions(request),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys.privateKey) };
}

function usageExtensions({ usages }: Pick<CertificateRequest, 'usages'>): readonly x509.Extension[] {
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  return [new x509.ExtendedKeyUsageExtension(usages.map((usage) => (usage === 'client' ? clientAuth : serverAuth)))];
}

function nameExtensions({ dnsNames = [], ips = [] }: Pick<CertificateRequest, 'dnsNames' | 'ips'>): readonly x509.Extension[] {
  const names = [...dnsNames.map((value) => ({ type: 'dns' as const, value })), ...ips.map((value) => ({ type: 'ip' as const, value }))];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

/** A new private key (ECDSA P-256, PKCS#8 PEM). */
export async function createPrivateKeyPem(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(algorithms['ECDSA-P256'], true, ['sign', 'verify']);
  return await privateKeyPem(privateKey);
}

/** A PKCS#10 request for a certificate of this key, as PEM text. The key is ECDSA P-256. */
export async function createSigningRequest(
  { commonName, organizations = [], ...request }: Pick<CertificateRequest, 'commonName' | 'organizations' | 'dnsNames' | 'ips'>,
  key: string,
): Promise<string> {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = algorithms['ECDSA-P256'];
  const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }],
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
    extensions: [...nameExtensions(request)],
  });
  return `${made.toString('pem')}\n`;
}

/** What a certificate was made for: a request that makes its like. Throws where it cannot be read. */
export function requestOf(cert: string): CertificateRequest {
  const certificate = new x509.X509Certificate(cert);
  const [commonName = ''] = certificate.subjectName.getField('CN');
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const extended: readonly string[] = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String) ?? [];
  const usages: CertificateRequest['usages'] = [
    ...(extended.includes(x509.ExtendedKeyUsage.serverAuth) ? (['server'] as const) : []),
    ...(extended.includes(x509.ExtendedKeyUsage.clientAuth) ? (['client'] as const) : []),
  ];
  return {
    commonName,
    organizations: certificate.subjectName.getField('O'),
    dnsNames: names.filter(({ type }) => type === 'dns').map(({ value }) => value),
    ips: names.filter(({ type }) => type === 'ip').map(({ value }) => value),
    usages,
    keyAlgorithm: keyAlgorithmOf(cert),
  };
}

function keyAlgorithmOf(cert: string): KeyAlgorithm {
  const { asymmetricKeyType, asymmetricKeyDetails: details } = createPublicKey(cert);
  if (asymmetricKeyType !== 'rsa') return details?.namedCurve === 'secp384r1' ? 'ECDSA-P384' : 'ECDSA-P256';
  const bits = details?.modulusLength ?? 0;
  return bits >= 4_096 ? 'RSA-4096' : bits >= 3_072 ? 'RSA-3072' : 'RSA-2048';
}

/** The key pair that service-account tokens are signed with (RSA 2048, PEM). Takes some 100 ms: call it at set-up only. */
export function createServiceAccountKeys(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** The public half (SPKI PEM) of a private key or certificate. */
export function publicKeyPem(pem: string): string {
  return createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
}

/** A private key in any PEM form, as what it signs with. */
export async function importSigningKey(pem: string): Promise<[webcrypto.CryptoKey, x509.X509CertificateCreateParams['signingAlgorithm']]> {
  const key = createPrivateKey(pem);
  const signs =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : algorithms[key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ECDSA-P384' : 'ECDSA-P256'];
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return [await webcrypto.subtle.importKey('pkcs8', der, signs, false, ['sign']), signs];
}

/** A new serial number. */
export function certificateSerial(): string {
  // Positive and at most 20 bytes long, as RFC 5280 asks.
  return `01${randomBytes(15).toString('hex')}`;
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const body = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${body.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
