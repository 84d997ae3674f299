import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Volume } from '#api/generated/types.ts';
import { aContainer, aPod } from '../pods/testing.ts';
import { payloadOf, type PayloadSources } from './payload.ts';

const sources: PayloadSources = {
  configMap: (name) => (name === 'cm' ? { metadata: {}, data: { a: '1', b: '2' }, binaryData: { bin: 'AAE=' } } : undefined),
  secret: (name) => (name === 's' ? { metadata: {}, data: { pass: Buffer.from('geheim').toString('base64') } } : undefined),
  token: ({ audience = 'api' }) => `token for ${audience}`,
  addresses: { podIps: ['10.1.1.1'], hostIps: ['192.168.0.1'] },
  allocatable: { memory: '1Gi' },
};
/** `path mode text` of each file. */
const listing = (volume: Omit<V1Volume, 'name'>, pod: Pod = aPod()): string[] =>
  [...payloadOf(pod, { name: 'v', ...volume }, sources)].map(
    ([path, { data, mode, user }]) =>
      `${path} ${mode.toString(8)} ${Buffer.from(data).toString()}${user === undefined ? '' : ` of ${user}`}`,
  );

describe('payloadOf', () => {
  test.each<[name: string, volume: Omit<V1Volume, 'name'>, files: string[]]>([
    ['config map', { configMap: { name: 'cm' } }, ['a 644 1', 'b 644 2', 'bin 644 \u0000\u0001']],
    ['mode', { configMap: { name: 'cm', defaultMode: 0o400, items: [{ key: 'a', path: 'x/y' }] } }, ['x/y 400 1']],
    ['mode of one', { configMap: { name: 'cm', items: [{ key: 'a', path: 'x', mode: 0o600 }] } }, ['x 600 1']],
    [
      'a source that names nothing',
      { projected: { sources: [{}, { configMap: { name: 'cm', items: [{ key: 'a', path: 'x' }] } }] } },
      ['x 644 1'],
    ],
    ['optional and absent', { configMap: { name: 'none', optional: true } }, []],
    [
      'optional key',
      {
        configMap: {
          name: 'cm',
          optional: true,
          items: [
            { key: 'zz', path: 'x' },
            { key: 'a', path: 'y' },
          ],
        },
      },
      ['y 644 1'],
    ],
    ['secret', { secret: { secretName: 's' } }, ['pass 644 geheim']],
    ['optional secret', { secret: { secretName: 'none', optional: true } }, []],
    ['downward', { downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } }, ['n 644 p']],
    [
      'resource',
      { downwardAPI: { items: [{ path: 'm', resourceFieldRef: { containerName: 'c', resource: 'limits.memory', divisor: '1Mi' } }] } },
      ['m 644 1024'],
    ],
    [
      'projected',
      {
        projected: {
          defaultMode: 0o440,
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { configMap: { name: 'cm', items: [{ key: 'a', path: 'ca.crt' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
            { secret: { name: 's', items: [{ key: 'pass', path: 'p' }] } },
          ],
        },
      },
      ['token 440 token for api', 'ca.crt 440 1', 'namespace 440 ns', 'p 440 geheim'],
    ],
  ])('%s', (_, volume, files) => expect(listing(volume)).toEqual(files));

  test.each<[why: string, volume: Omit<V1Volume, 'name'>, message: string]>([
    ['no config map', { configMap: { name: 'x' } }, 'configmap "x" not found'],
    ['no key', { configMap: { name: 'cm', items: [{ key: 'k', path: 'p' }] } }, 'configmap references non-existent config key: k'],
    ['no secret', { secret: { secretName: 'x' } }, 'secret "x" not found'],
    ['no secret key', { secret: { secretName: 's', items: [{ key: 'k', path: 'p' }] } }, 'references non-existent secret key: k'],
    ['unknown source', { projected: { sources: [{ clusterTrustBundle: { path: 'p' } }] } }, 'clusterTrustBundle is not supported'],
  ])('%s', (_, volume, message) => expect(() => listing(volume)).toThrow(message));

  test('a token belongs to the one user of all containers', () => {
    const token = { projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'x' } }] } };
    expect(listing(token, aPod({ securityContext: { runAsUser: 7 } }))).toEqual(['t 600 token for x of 7']);
    expect(listing(token, aPod({ securityContext: { fsGroup: 7 } }))).toEqual(['t 600 token for x']);
    const mixed = aPod({ containers: [aContainer('a', { securityContext: { runAsUser: 1 } }), aContainer('b')] });
    expect(listing(token, mixed)).toEqual(['t 644 token for x']);
  });
});
