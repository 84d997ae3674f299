import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createCa } from '#base/pki.ts';
import { decrypt, encrypt, keyBytes } from '../cluster/uploaded-certificates.ts';
import { parseFlags } from '#base/flags.ts';
import { isSignatureOf } from './discovery.ts';
import { joinFlags, loadJoin } from './flags.ts';
import { certificatesIn } from '#base/pem.ts';
import { joinCommandText, publicKeyHash } from './join-command.ts';

const token = 'abcdef.0123456789abcdef';
const hash = `sha256:${'a'.repeat(64)}`;

describe('the join command', () => {
  test('of a worker', () => {
    expect(joinCommandText({ endpoint: 'lb:16443', token, caHashes: [hash] })).toBe(
      `kubeadm join lb:16443 --token ${token} \\\n\t--discovery-token-ca-cert-hash ${hash}`,
    );
  });

  test('of a control plane', () => {
    const text = joinCommandText({ endpoint: 'lb:16443', token, caHashes: [hash], controlPlane: { certificateKey: 'k' } });
    expect(text).toBe(
      `kubeadm join lb:16443 --token ${token} \\\n\t--discovery-token-ca-cert-hash ${hash} \\\n\t--control-plane --certificate-key k`,
    );
  });

  test('may be tried without doing anything, also beside a file', () => {
    const words = ['lb:6443', '--token', token, '--discovery-token-ca-cert-hash', hash, '--dry-run', '--patches', '/p'];
    const { values, given, positional } = parseFlags('kubeadm join', joinFlags, words);
    expect(loadJoin(values, given, positional)).toMatchObject({ isDryRun: true, patchesFolder: '/p', timeouts: { discovery: 300_000 } });
  });

  test('is understood when it is pasted', () => {
    const text = joinCommandText({ endpoint: 'lb:16443', token, caHashes: [hash], controlPlane: { certificateKey: 'k' } });
    const words = text.replaceAll('\\\n', ' ').split(/\s+/).slice(2);
    const { values, given, positional } = parseFlags('kubeadm join', joinFlags, words);
    const config = loadJoin({ ...values, 'apiserver-advertise-address': '10.0.0.6' }, given, positional);
    expect(config).toMatchObject({
      discovery: { kind: 'token', endpoint: 'lb:16443', token, caHashes: [hash] },
      tlsBootstrapToken: token,
      controlPlane: { certificateKey: 'k' },
      local: { advertiseAddress: '10.0.0.6', node: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] } },
    });
  });

  test('pins every authority of a bundle by its public key', async () => {
    const [one, two] = [await createCa('one', Date.now()), await createCa('two', Date.now())];
    const hashes = certificatesIn(one.cert + two.cert).map(publicKeyHash);
    expect(new Set(hashes).size).toBe(2);
    expect(hashes[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe('loadJoin refuses', () => {
  const load = (...words: readonly string[]): unknown => {
    const { values, given, positional } = parseFlags('kubeadm join', joinFlags, words);
    return loadJoin(values, given, positional);
  };
  test.each<[string, readonly string[], string]>([
    ['no way to find the cluster', [], 'bootstrapToken or file must be set'],
    ['a token that is none', ['lb:6443', '--token', 'x'], 'the bootstrap token "x" was not of the form'],
    ['no pin', ['lb:6443', '--token', token], 'using token-based discovery without caCertHashes can be unsafe'],
    [
      'an address that is none',
      ['lb:x', '--token', token, '--discovery-token-ca-cert-hash', hash],
      'discovery.bootstrapToken.apiServerEndpoint: Invalid value: "lb:x"',
    ],
    ['a file and flags', ['--config', '/none', '--token', token], "can not mix '--config' with arguments [token]"],
  ])('%s', (_name, words, message) => expect(() => load(...words)).toThrow(message));
});

describe('the signature of cluster-info', () => {
  const [id, secret] = ['abcdef', '0123456789abcdef'];
  const text = 'apiVersion: v1\n';
  const sign = (header: object, payload: string, key: string): string => {
    const first = Buffer.from(JSON.stringify(header)).toString('base64url');
    return `${first}..${createHmac('sha256', key)
      .update(`${first}.${Buffer.from(payload).toString('base64url')}`)
      .digest('base64url')}`;
  };
  const good = sign({ alg: 'HS256', kid: id }, text, secret);

  test.each<[string, string, string, boolean]>([
    ['good', good, text, true],
    ['another text', good, `${text} `, false],
    ['another secret', sign({ alg: 'HS256', kid: id }, text, 'other'), text, false],
    ['another token', sign({ alg: 'HS256', kid: 'other1' }, text, secret), text, false],
    ['no algorithm', sign({ alg: 'none', kid: id }, text, secret), text, false],
    ['a payload inside', good.replace('..', '.eA.'), text, false],
    ['nothing', '', text, false],
    ['no JSON', 'e..e', text, false],
  ])('%s', (_name, jws, payload, expected) => expect(isSignatureOf(jws, payload, { id, secret })).toBe(expected));
});

describe('uploaded certificates', () => {
  const key = keyBytes('0f'.repeat(32));

  test('come back as they were, and never look the same twice', () => {
    const text = Buffer.from('-----BEGIN');
    expect(decrypt(encrypt(text, key), key)).toEqual(text);
    expect(encrypt(text, key)).not.toEqual(encrypt(text, key));
  });

  test('need the same key', () => {
    expect(() => decrypt(encrypt(Buffer.from('x'), key), keyBytes('00'.repeat(32)))).toThrow('message authentication failed');
    expect(() => decrypt(Buffer.from('short'), key)).toThrow('message authentication failed');
    expect(() => keyBytes('xyz')).toThrow('it must be 64 hexadecimal digits');
  });
});
