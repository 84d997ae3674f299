// Seals with a key of its own for every value, derived from a seed and random bytes that lie before the value (upstream's
// aes_extended_nonce.go): however many values a seed has sealed, no key is used twice.
import { createHmac, randomBytes } from 'node:crypto';
import { openGcm, sealGcm } from '../sealers.ts';

export const seedBytes = 32;
const saltBytes = 32;

export interface ValueCipher {
  open(data: Uint8Array, place: string): Uint8Array;
}

export function sealWithSeed(seed: Uint8Array, value: Uint8Array, place: string): readonly Uint8Array[] {
  const salt = randomBytes(saltBytes);
  return [salt, ...sealGcm(derivedKey(seed, salt), value, place)];
}

/** Throws for seeds that are too short. */
export function seedCipher(seed: Uint8Array): ValueCipher {
  if (seed.length < seedBytes) throw new Error(`invalid seed length ${seed.length} used for key generation`);
  return {
    open(data, place) {
      if (data.length < saltBytes) throw new Error('the stored data was shorter than the required size');
      return openGcm(derivedKey(seed, data.subarray(0, saltBytes)), data.subarray(saltBytes), place);
    },
  };
}

/** Values from before 1.29, whose one key came from the plugin as it is. */
export function keyCipher(key: Uint8Array): ValueCipher {
  if (![16, 24, 32].includes(key.length)) throw new Error(`crypto/aes: invalid key size ${key.length}`);
  return { open: (data, place) => openGcm(key, data, place) };
}

/** HKDF's second half with SHA-256: one block is as long as a key. */
function derivedKey(seed: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac('sha256', seed).update(salt).update(firstBlock).digest();
}

const firstBlock = Buffer.from([1]);
