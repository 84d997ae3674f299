// What a PKCS #10 request says, and whether whoever made it holds the key (RFC 2986).
import { constants, createPublicKey, verify } from 'node:crypto';
import { DerError, type DerElement, derTags, objectIdText, readElements, readInside } from './der.ts';
import { pemBlocks } from './pem.ts';

interface ParsedRequest {
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
const pssId = '1.2.840.113549.1.1.10';
const mask1Id = '1.2.840.113549.1.1.8';
/** Of PSS signatures, and the bytes of each. */
const pssHashes: Readonly<Record<string, { readonly name: string; readonly length: number }>> = {
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', length: 32 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', length: 48 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', length: 64 },
};
const unimplemented = 'x509: cannot verify signature: algorithm unimplemented';
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
  try {
    const pssHash = name === pssId ? hashOfPss(algorithm) : undefined;
    const hash = pssHash ?? signatureHashes[name];
    if (hash === undefined) return unimplemented;
    const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
    // A key that is for one padding only is none that upstream knows.
    if (pssHash !== undefined && key.asymmetricKeyType !== 'rsa') return unimplemented;
    const padding = pssHash === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    if (verify(hash, signed, { key, ...padding }, signature)) return undefined;
    return key.asymmetricKeyType === 'rsa' ? 'crypto/rsa: verification error' : 'x509: ECDSA verification failure';
  } catch {
    // The key is none that OpenSSL knows, or of another sort than the signature.
    return unimplemented;
  }
}

/**
 * The hash of a PSS signature. Of its many settings upstream takes one for each of three hashes: the same hash for the mask, and salt of the
 * hash's length. Undefined for others. Throws DerError.
 */
function hashOfPss(algorithm: DerElement): string | undefined {
  const [, settings] = readElements(algorithm.content);
  if (settings?.tag !== derTags.sequence) return undefined;
  const parts = new Map(readElements(settings.content).map(({ tag, content }) => [tag, content] as const));
  const [hash, mask, salt, trailer] = [0xa0, 0xa1, 0xa2, 0xa3].map((tag) => parts.get(tag));
  if (hash === undefined || mask === undefined || salt === undefined) return undefined;
  const [maskId, maskHash] = readInside(mask, derTags.sequence);
  if (maskId === undefined || maskHash === undefined || objectIdText(maskId) !== mask1Id) return undefined;
  const hashId = plainAlgorithm(hash);
  const { name, length } = pssHashes[hashId ?? ''] ?? {};
  if (name === undefined || plainAlgorithm(maskHash.raw) !== hashId) return undefined;
  return numberIn(salt) === length && (trailer === undefined || numberIn(trailer) === 1) ? name : undefined;
}

/** The name of an algorithm that has no settings. */
function plainAlgorithm(bytes: Buffer): string | undefined {
  const [id, settings] = readInside(bytes, derTags.sequence);
  const isPlain = settings === undefined || (settings.tag === derTags.null && settings.content.length === 0);
  return id !== undefined && isPlain ? objectIdText(id) : undefined;
}

function numberIn(bytes: Buffer): number | undefined {
  const [number] = readElements(bytes);
  return number?.tag === derTags.integer && number.content.length === 1 ? number.content[0] : undefined;
}
