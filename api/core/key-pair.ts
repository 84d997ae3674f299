// Whether a certificate and a private key belong together, judged and worded as Go's tls.X509KeyPair does.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

interface PemBlock {
  readonly type: string;
  readonly text: string;
}

const block = /-----BEGIN ([^\n-]+)-----\r?\n[\s\S]*?-----END \1-----/g;

/** What is wrong, as one warning; none when all is well. Both are base64 of PEM texts. */
export function keyPairProblem(certificate = '', key = ''): string[] {
  const certificates = blocksOf(certificate);
  const leaf = certificates.find(({ type }) => type === 'CERTIFICATE');
  if (leaf === undefined) return [`tls: ${noCertificateText(certificates)}`];
  const keys = blocksOf(key);
  const own = keys.find(({ type }) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'));
  if (own === undefined) return [`tls: ${noKeyText(keys)}`];
  const publicKey = read(() => new X509Certificate(leaf.text).publicKey);
  if (publicKey === undefined) return ['x509: malformed certificate'];
  const privateKey = read(() => createPrivateKey(own.text));
  if (privateKey === undefined) return ['tls: failed to parse private key'];
  if (privateKey.asymmetricKeyType !== publicKey.asymmetricKeyType) return ['tls: private key type does not match public key type'];
  return isPair(publicKey, privateKey) ? [] : ['tls: private key does not match public key'];
}

function blocksOf(base64: string): PemBlock[] {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  return [...text.matchAll(block)].map(([whole, type = '']) => ({ type, text: whole }));
}

function noCertificateText(skipped: readonly PemBlock[]): string {
  const [first] = skipped;
  if (first === undefined) return 'failed to find any PEM data in certificate input';
  if (skipped.length === 1 && first.type.endsWith('PRIVATE KEY')) {
    return 'failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
  }
  return `failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesText(skipped)}`;
}

function noKeyText(skipped: readonly PemBlock[]): string {
  const [first] = skipped;
  if (first === undefined) return 'failed to find any PEM data in key input';
  if (skipped.length === 1 && first.type === 'CERTIFICATE') return 'found a certificate rather than a key in the PEM for the private key';
  return `failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesText(skipped)}`;
}

function typesText(blocks: readonly PemBlock[]): string {
  return `[${blocks.map(({ type }) => type).join(' ')}]`;
}

function isPair(publicKey: KeyObject, privateKey: KeyObject): boolean {
  return createPublicKey(privateKey).equals(publicKey);
}

/** Undefined for what cannot be read: OpenSSL's own words mean nothing to a user of Kubernetes. */
function read(parse: () => KeyObject): KeyObject | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
