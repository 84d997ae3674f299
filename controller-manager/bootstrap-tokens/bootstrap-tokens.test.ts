import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Secret, secret } from '#api/core/secret.ts';
import { systemClock } from '#base/clock.ts';
import { ControlPlane } from '../testing.ts';
import { detachedSignature, planSignatures } from './sign.ts';

const never = new AbortController().signal;
const nowMs = Date.parse('2026-01-01T00:00:00Z');

function aToken(id: string, more: Readonly<Record<string, string>> = {}): Secret {
  const plain = { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true', ...more };
  const data = Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return { metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' }, type: 'bootstrap.kubernetes.io/token', data };
}

const signed = detachedSignature('text', { id: 'abcdef', secret: '0123456789abcdef' });

test('a signature is what openssl makes of the same text and token', () => {
  expect(signed).toBe('eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..v28Ea_KqmHOtFWksJ_4tbV6AFRNzMkrRUG_jsuLJz-4');
});

test.each<[string, Record<string, string>, Secret[], Record<string, string> | undefined]>([
  ['nothing to sign', { other: 'x' }, [aToken('abcdef')], undefined],
  ['a token', { kubeconfig: 'text' }, [aToken('abcdef')], { kubeconfig: 'text', 'jws-kubeconfig-abcdef': signed }],
  ['signed', { kubeconfig: 'text', 'jws-kubeconfig-abcdef': signed }, [aToken('abcdef')], undefined],
  ['old signatures', { kubeconfig: 'text', 'jws-kubeconfig-aaaaaa': 'x', mine: 'y' }, [], { kubeconfig: 'text', mine: 'y' }],
  ['another use', { kubeconfig: 'text' }, [aToken('abcdef', { 'usage-bootstrap-signing': 'no' })], undefined],
  ['expired', { kubeconfig: 'text' }, [aToken('abcdef', { expiration: '2025-12-31T23:59:59Z' })], undefined],
  [
    'not expired',
    { kubeconfig: 'text' },
    [aToken('abcdef', { expiration: '2026-01-01T00:00:01Z' })],
    { kubeconfig: 'text', 'jws-kubeconfig-abcdef': signed },
  ],
  ['another name', { kubeconfig: 'text' }, [{ ...aToken('abcdef'), metadata: { name: 'x', namespace: 'kube-system' } }], undefined],
])('%s', (_name, data, secrets, expected) => {
  expect(planSignatures(data, secrets, nowMs)).toEqual(expected);
});

let plane: ControlPlane;
beforeEach(async () => void (plane = await ControlPlane.start({ selection: ['bootstrapsigner', 'tokencleaner'] })));
afterEach(() => plane[Symbol.asyncDispose]());

test('tokens sign while they last, and then go', async () => {
  const metadata = { namespace: 'kube-public', name: 'cluster-info' };
  await plane.client.create<ConfigMap>(configMap, { metadata, data: { kubeconfig: 'text' } }, {}, never);
  const expiration = new Date(systemClock.nowMs() + 1_500).toISOString();
  await plane.client.create<Secret>(secret, aToken('abcdef', { expiration }), {}, never);
  const data = async (): Promise<Record<string, string>> =>
    (await plane.find<ConfigMap>(configMap, 'cluster-info', 'kube-public'))?.data ?? {};
  await plane.until('the signature', async () => (await data())['jws-kubeconfig-abcdef'] === signed);
  await plane.until('no token', async () => (await plane.find<Secret>(secret, 'bootstrap-token-abcdef', 'kube-system')) === undefined);
  await plane.until('no signature', async () => (await data())['jws-kubeconfig-abcdef'] === undefined);
});
