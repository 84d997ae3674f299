// The ways to seal a value, in upstream's format (apiserver/pkg/storage/value/encrypt): a mark that names provider and key, a random
// nonce, then what the cipher makes. A value can be opened by whoever holds the key that its mark names.
import { type CipherGCMTypes, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { sealedPrefix } from './sealed-prefix.ts';

/** Seals values with one key. */
export interface Sealer {
  /** What sealed values start with, `k8s:enc:aesgcm:v1:key1:`; empty where values stay as they are. */
  readonly mark: Buffer;
  /** `place` is the value's key in the store. */
  seal(value: Uint8Array, place: string): Uint8Array;
  /** Takes what stands behind the mark. Throws where it was made with another key, was changed, or lay in another place. */
  open(sealed: Uint8Array, place: string): Uint8Array;
  /** Whether what stands behind the mark would be sealed with the same key today; absent where there is one only. */
  isCurrent?(sealed: Uint8Array): boolean;
  /**
   * For sealers that do not have all of their keys: gets what `open` needs for what stands behind the mark. Undefined where it is there. What was
   * got may be forgotten again, so open before anything else is got.
   */
  fetchKey?(sealed: Uint8Array): Promise<void> | undefined;
}

export type SealerName = 'aesgcm' | 'aescbc' | 'secretbox';

/** A sealer by the key's name and bytes, whose length has been checked. */
export const sealers: Readonly<Record<SealerName, (name: string, key: Uint8Array) => Sealer>> = {
  aesgcm: aesGcm,
  aescbc: aesCbc,
  secretbox,
};

/** Leaves values as they are. */
export const identity: Sealer = { mark: Buffer.alloc(0), seal: (value) => value, open: (sealed) => sealed };

const gcmNonceBytes = 12;
const gcmTagBytes = 16;

/** Binds a value to its place: moved to another key it does not open. Random nonces allow 2^32 writes a key, so keys are to be changed. */
function aesGcm(name: string, key: Uint8Array): Sealer {
  return withMark('aesgcm', name, {
    seal: (value, place) => sealGcm(key, value, place),
    open: (sealed, place) => openGcm(key, sealed, place),
  });
}

/** Nonce, what the cipher makes, and its tag. */
export function sealGcm(key: Uint8Array, value: Uint8Array, place: string): readonly Uint8Array[] {
  const nonce = randomBytes(gcmNonceBytes);
  const sealing = createCipheriv(gcmOf(key), key, nonce).setAAD(Buffer.from(place));
  return [nonce, sealing.update(value), sealing.final(), sealing.getAuthTag()];
}

/** Throws where it was made with another key, was changed, or lay in another place. */
export function openGcm(key: Uint8Array, sealed: Uint8Array, place: string): Uint8Array {
  if (sealed.length < gcmNonceBytes + gcmTagBytes) throw new Error('the stored data was shorter than the required size');
  const end = sealed.length - gcmTagBytes;
  const opening = createDecipheriv(gcmOf(key), key, sealed.subarray(0, gcmNonceBytes))
    .setAAD(Buffer.from(place))
    .setAuthTag(sealed.subarray(end));
  return Buffer.concat([opening.update(sealed.subarray(gcmNonceBytes, end)), opening.final()]);
}

function gcmOf(key: Uint8Array): CipherGCMTypes {
  return `aes-${key.length * 8}-gcm` as CipherGCMTypes;
}

const cbcBlockBytes = 16;

/** Kept for those who have values of it; it notices no changes. */
function aesCbc(name: string, key: Uint8Array): Sealer {
  const cipher = `aes-${key.length * 8}-cbc`;
  return withMark('aescbc', name, {
    seal(value) {
      const start = randomBytes(cbcBlockBytes);
      const sealing = createCipheriv(cipher, key, start);
      return [start, sealing.update(value), sealing.final()];
    },
    open(sealed) {
      if (sealed.length < cbcBlockBytes) throw new Error('the stored data was shorter than the required size');
      const opening = createDecipheriv(cipher, key, sealed.subarray(0, cbcBlockBytes));
      return Buffer.concat([opening.update(sealed.subarray(cbcBlockBytes)), opening.final()]);
    },
  });
}

const secretboxNonceBytes = 24;

function secretbox(name: string, key: Uint8Array): Sealer {
  return withMark('secretbox', name, {
    seal(value) {
      const nonce = randomBytes(secretboxNonceBytes);
      return [nonce, xsalsa20poly1305(key, nonce).encrypt(value)];
    },
    open(sealed) {
      if (sealed.length < secretboxNonceBytes) throw new Error('the stored data was shorter than the required size');
      return xsalsa20poly1305(key, sealed.subarray(0, secretboxNonceBytes)).decrypt(sealed.subarray(secretboxNonceBytes));
    },
  });
}

interface Cipher {
  readonly seal: (value: Uint8Array, place: string) => readonly Uint8Array[];
  readonly open: Sealer['open'];
}

function withMark(provider: SealerName, name: string, { seal, open }: Cipher): Sealer {
  const mark = Buffer.from(`${sealedPrefix.toString()}${provider}:v1:${name}:`);
  return { mark, seal: (value, place) => Buffer.concat([mark, ...seal(value, place)]), open };
}
