import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { createCa } from '#base/pki.ts';
import { decoded } from '../testing.ts';
import { keyPairProblem } from './key-pair.ts';
import { secret } from './secret.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const pem = { format: 'pem' } as const;
const makeEc = (): string => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return String(privateKey.export({ ...pem, type: 'pkcs8' }));
};
const makeEd = (): string => String(generateKeyPairSync('ed25519').privateKey.export({ ...pem, type: 'pkcs8' }));
const block = (type: string): string => `-----BEGIN ${type}-----\neA==\n-----END ${type}-----\n`;
let cert = '';
let key = '';

beforeAll(async () => {
  const ca = await createCa('a', Date.now());
  ({ cert, key } = ca);
});

test.each<[string, () => [string, string], string[]]>([
  ['a pair', () => [cert, key], []],
  ['a pair behind other things', () => [block('X') + cert, block('EC PARAMETERS') + key], []],
  ['nothing', () => ['', ''], ['tls: failed to find any PEM data in certificate input']],
  ['no key', () => [cert, 'x'], ['tls: failed to find any PEM data in key input']],
  [
    'the wrong way round',
    () => [key, cert],
    ['tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'],
  ],
  ['a certificate twice', () => [cert, cert], ['tls: found a certificate rather than a key in the PEM for the private key']],
  [
    'something else',
    () => [block('A') + block('B'), key],
    ['tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [A B]'],
  ],
  [
    'something else for a key',
    () => [cert, block('A')],
    ['tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [A]'],
  ],
  ['a broken certificate', () => [block('CERTIFICATE'), key], ['x509: malformed certificate']],
  ['a broken key', () => [cert, block('PRIVATE KEY')], ['tls: failed to parse private key']],
  ["somebody else's key", () => [cert, makeEc()], ['tls: private key does not match public key']],
  ['a key of another kind', () => [cert, makeEd()], ['tls: private key type does not match public key type']],
])('%s', (_name, make, expected) => {
  const [certificate, privateKey] = make();
  expect(keyPairProblem(base64(certificate), base64(privateKey))).toEqual(expected);
});

test('TLS Secrets are warned about, not refused', () => {
  const object = decoded(secret, 'metadata: {name: a}\ntype: kubernetes.io/tls\nstringData: {tls.crt: x, tls.key: y}');
  expect(secret.warnings?.(object, undefined)).toEqual(['tls: failed to find any PEM data in certificate input']);
  expect(secret.warnings?.(decoded(secret, 'metadata: {name: a}'), undefined)).toEqual([]);
});
