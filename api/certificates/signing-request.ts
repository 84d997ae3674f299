// What a PKCS #10 request says, and whether whoever made it holds the key (RFC 2986).
import { createPublicKey, verify } from 'node:crypto';
import { DerError, type DerElement, derTags, objectIdText, readElements, readInside } from './der.ts';
import { pemBlocks } from './pem.ts';

export interface ParsedRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Verifies the signature: undefined, or what is wrong with it. */
  readonly signatureProblem: () => string | undefined;
}

/** Hashes of the signature algorithms that are accepted; null for those that bring their own. In requests, unlike certificates, SHA-1 will do. */
const signatureHashes: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.3.14.3.2.29': 'sha1',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};
const md5WithRsaId = '1.2.840.113549.1.1.4';
const commonNameId = '2.5.4.3';
const organizationId = '2.5.4.10';

/** Reads the PEM text behind the base64 of `spec.request`. Throws DerError. */
export function parseSigningRequest(base64: string): ParsedRequest {
  const [block] = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'));
  if (block?.type !== 'CERTIFICATE REQUEST') throw new DerError('PEM block type must be CERTIFICATE REQUEST');
  const [info, algorithm, signature] = readInside(block.bytes, derTags.sequence);
  const [version, subject, publicKey] = info === undefined ? [] : readInside(info.raw, derTags.sequence);
  if (version?.tag !== derTags.integer || algorithm?.tag !== derTags.sequence || signature?.tag !== derTags.bitString) {
    throw new DerError("asn1: structure error: tags don't match");
  }
  if (info === undefined || subject === undefined || publicKey === undefined) throw new DerError('asn1: syntax error: sequence truncated');
  const names = readNames(subject);
  return {
    commonName: names.find(({ id }) => id === commonNameId)?.value ?? '',
    organizations: names.filter(({ id }) => id === organizationId).map(({ value }) => value),
    signatureProblem: () => signatureProblem(info.raw, algorithm, publicKey.raw, signature.content.subarray(1)),
  };
}

/** A subject is a sequence of sets of attributes. */
function readNames(subject: DerElement): { id: string; value: string }[] {
  return readInside(subject.raw, derTags.sequence).flatMap((set) =>
    readInside(set.raw, derTags.set).flatMap((attribute) => {
      const [id, value] = readElements(attribute.content);
      return id?.tag === derTags.objectId && value !== undefined ? [{ id: objectIdText(id), value: value.content.toString('utf8') }] : [];
    }),
  );
}

function signatureProblem(signed: Buffer, algorithm: DerElement, publicKey: Buffer, signature: Buffer): string | undefined {
  const [id] = readElements(algorithm.content);
  const name = id === undefined ? '' : objectIdText(id);
  if (name === md5WithRsaId) return 'x509: cannot verify signature: insecure algorithm MD5-RSA';
  const hash = signatureHashes[name];
  if (hash === undefined) return 'x509: cannot verify signature: algorithm unimplemented';
  try {
    const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
    if (verify(hash, signed, key, signature)) return undefined;
    return key.asymmetricKeyType === 'rsa' ? 'crypto/rsa: verification error' : 'x509: ECDSA verification failure';
  } catch {
    // The key is none that OpenSSL knows, or of another sort than the signature.
    return 'x509: cannot verify signature: algorithm unimplemented';
  }
}
