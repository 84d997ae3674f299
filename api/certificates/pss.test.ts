// Requests that are signed with RSA-PSS, whose settings say what a signature looks like.
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseSigningRequest } from './signing-request.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const unimplemented = 'x509: cannot verify signature: algorithm unimplemented';

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const hashes = {
  sha256: '0609608648016503040201',
  sha384: '0609608648016503040202',
  sha512: '0609608648016503040203',
  sha1: '06052b0e03021a',
};
type Hash = keyof typeof hashes;
const hashOf = (hash: Hash): Buffer => der(0x30, Buffer.from(hashes[hash], 'hex'), der(0x05));

interface Settings {
  readonly hash: Hash;
  readonly mask?: Hash;
  readonly salt: number;
  readonly trailer?: number;
}

function pss({ hash, mask = hash, salt, trailer }: Settings): Buffer {
  const maskId = Buffer.from('06092a864886f70d010108', 'hex');
  return der(
    0x30,
    Buffer.from('06092a864886f70d01010a', 'hex'),
    der(
      0x30,
      der(0xa0, hashOf(hash)),
      der(0xa1, der(0x30, maskId, hashOf(mask))),
      der(0xa2, der(0x02, Buffer.from([salt]))),
      ...(trailer === undefined ? [] : [der(0xa3, der(0x02, Buffer.from([trailer])))]),
    ),
  );
}

function problemOf(settings: Settings, { tampered = false } = {}): string | undefined {
  const info = der(0x30, der(0x02, Buffer.from([0])), der(0x30), keys.publicKey.export({ type: 'spki', format: 'der' }), der(0xa0));
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: settings.salt };
  const signature = sign(settings.hash, tampered ? Buffer.from('other') : info, { key: keys.privateKey, ...padding });
  const all = der(0x30, info, pss(settings), der(0x03, Buffer.from([0]), signature)).toString('base64');
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${all.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
  return parseSigningRequest(Buffer.from(pem).toString('base64')).signatureProblem();
}

test.each<[Settings, string | undefined]>([
  [{ hash: 'sha256', salt: 32 }, undefined],
  [{ hash: 'sha384', salt: 48 }, undefined],
  [{ hash: 'sha512', salt: 64, trailer: 1 }, undefined],
  [{ hash: 'sha256', salt: 20 }, unimplemented],
  [{ hash: 'sha256', salt: 32, mask: 'sha384' }, unimplemented],
  [{ hash: 'sha256', salt: 32, trailer: 2 }, unimplemented],
  [{ hash: 'sha1', salt: 20 }, unimplemented],
])('%j', (settings, expected) => {
  expect(problemOf(settings)).toBe(expected);
});

test('a signature of something else', () => {
  expect(problemOf({ hash: 'sha256', salt: 32 }, { tampered: true })).toBe('crypto/rsa: verification error');
});
