import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { containerEnv, type EnvSources, envReferences } from './container-env.ts';

const pod: Pod = {
  metadata: { name: 'p', namespace: 'ns' },
  spec: { containers: [{ name: 'other', resources: { limits: { cpu: '2' } } }] },
};
const sources: EnvSources = {
  configMap: (name) => (name === 'cm' ? { metadata: {}, data: { one: '1', two: '2' } } : undefined),
  secret: (name) => (name === 's' ? { metadata: {}, data: { pass: Buffer.from('geheim').toString('base64') } } : undefined),
  file: (volume, path) =>
    path === 'wrong' ? new Error('it is a folder') : volume === 'v' && path === 'f' ? "K='from a file'\n" : undefined,
  services: [{ metadata: { name: 'web', namespace: 'ns' }, spec: { clusterIP: '10.96.0.7', ports: [{ port: 80 }] } }],
  addresses: { podIps: ['10.244.0.9'], hostIps: ['192.168.0.1'] },
  allocatable: { cpu: '4' },
};
const env = (container: Omit<V1Container, 'name'>, spec: Partial<Pod['spec']> = {}): Record<string, string> =>
  Object.fromEntries(containerEnv({ ...pod, spec: { ...pod.spec, ...spec } }, { name: 'c', ...container }, sources));
const fromFile = (path: string, key: string): Omit<V1Container, 'name'> => ({
  env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path, key } } }],
});
const noLinks = { enableServiceLinks: false };

describe('containerEnv', () => {
  test('values refer to what stands before them', () => {
    const list = [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)-$(C)-$(WEB_SERVICE_PORT)' },
      { name: 'C', value: 'c' },
    ];
    expect(env({ env: list })).toMatchObject({ A: 'a', B: 'a-$(C)-80', C: 'c', WEB_SERVICE_HOST: '10.96.0.7' });
  });

  test('env overrides envFrom, which overrides services', () => {
    const container = {
      envFrom: [{ configMapRef: { name: 'cm' } }, { prefix: 'S_', secretRef: { name: 's' } }],
      env: [
        { name: 'two', value: 'mine' },
        { name: 'WEB_PORT', value: 'x' },
      ],
    };
    expect(env(container)).toMatchObject({ one: '1', two: 'mine', S_pass: 'geheim', WEB_PORT: 'x' });
  });

  test('references', () => {
    const list = [
      { name: 'F', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'R', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'RO', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', containerName: 'other' } } },
      { name: 'K', valueFrom: { configMapKeyRef: { name: 'cm', key: 'one' } } },
      { name: 'P', valueFrom: { secretKeyRef: { name: 's', key: 'pass' } } },
      { name: 'O1', valueFrom: { configMapKeyRef: { name: 'none', key: 'one', optional: true } } },
      { name: 'O2', valueFrom: { secretKeyRef: { name: 's', key: 'none', optional: true } } },
      { name: 'E', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'K' } } },
      { name: 'O3', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'none', optional: true } } },
      { name: 'O4', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'none', key: 'K', optional: true } } },
    ];
    expect(env({ env: list }, noLinks)).toEqual({ F: '10.244.0.9', R: '4', RO: '2', K: '1', P: 'geheim', E: 'from a file' });
  });

  test.each<[why: string, container: Omit<V1Container, 'name'>, message: string]>([
    ['config map missing', { envFrom: [{ configMapRef: { name: 'x' } }] }, 'configmap "x" not found'],
    ['secret missing', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'x', key: 'k' } } }] }, 'secret "x" not found'],
    [
      'key missing',
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }] },
      "couldn't find key k in ConfigMap ns/cm",
    ],
    [
      'secret key missing',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      "couldn't find key k in Secret ns/s",
    ],
    ['key of a file missing', fromFile('f', 'k'), 'environment variable key "k" not found in file "f"'],
    ['file missing', fromFile('none', 'K'), 'environment variable key "K" not found in file "none"'],
    ['file unreadable', fromFile('wrong', 'K'), "couldn't parse env file: it is a folder"],
  ])('%s', (_, container, message) => expect(() => env(container)).toThrow(message));
});

test('envReferences', () => {
  const container: V1Container = {
    name: 'c',
    envFrom: [{ configMapRef: { name: 'a' } }, { secretRef: { name: 's' } }],
    env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'b', key: 'k' } } }],
  };
  expect(envReferences(container)).toEqual({ configMaps: ['a', 'b'], secrets: ['s'] });
});
