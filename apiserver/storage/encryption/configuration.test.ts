import { describe, expect, test } from 'vitest';
import { readSealing } from './configuration.ts';
import type { SealingRules } from './sealing-rules.ts';
import { rulesOf } from './settings.ts';

const key = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');

/** A configuration with these entries of `resources`. */
function configuration(...entries: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources: entries });
}

function entry(resources: readonly string[], ...providers: readonly object[]): object {
  return { resources, providers: providers.length === 0 ? [{ identity: {} }] : providers };
}

function aesgcm(secret: string, name = 'key1'): object {
  return { aesgcm: { keys: [{ name, secret }] } };
}

function kms(fields: object): object {
  return { kms: { apiVersion: 'v2', name: 'vault', endpoint: 'unix:///run/kms.sock', ...fields } };
}

function rulesFrom(text: string): SealingRules {
  return rulesOf(readSealing(text, 'file'), ({ name }) => {
    throw new Error(`no plugin ${name} is meant here`);
  });
}

function messageOf(text: string): string {
  try {
    readSealing(text, '/etc/enc.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  return 'taken';
}

describe('which resources a rule is about', () => {
  const rules = rulesFrom(
    configuration(entry(['secrets', 'deployments.apps']), entry(['*.apps', '*.'], aesgcm(key(32))), entry(['*.*'], aesgcm(key(16), 'all'))),
  );
  const markOf = (group: string, resource: string): string =>
    Buffer.from(rules.find({ group, resource })?.seal(Buffer.from('{}'), '/k') ?? []).toString('latin1');

  test.each([
    ['its own rule comes first', '', 'secrets', '{}'],
    ['so it does in a group', 'apps', 'deployments', '{}'],
    ['then that of its group', 'apps', 'daemonsets', 'k8s:enc:aesgcm:v1:key1:'],
    ['which the core group has too', '', 'configmaps', 'k8s:enc:aesgcm:v1:key1:'],
    ['then that of everything', 'batch', 'jobs', 'k8s:enc:aesgcm:v1:all:'],
  ])('%s', (_, group, resource, start) => {
    expect(markOf(group, resource).slice(0, start.length)).toBe(start);
  });

  test('what no rule names stays as it is', () => {
    expect(rulesFrom(configuration(entry(['secrets']))).find({ group: '', resource: 'pods' })).toBeUndefined();
  });
});

test('a plugin is known by its name, its place, and how long it may take', () => {
  const named = configuration(entry(['secrets'], kms({ timeout: '1m' }), { identity: {} }), entry(['configmaps'], kms({ name: 'other' })));
  expect(readSealing(named, 'file').flatMap(({ providers }) => providers)).toEqual([
    { kind: 'kms', kms: { name: 'vault', endpoint: 'unix:///run/kms.sock', timeoutMs: 60_000 } },
    { kind: 'identity' },
    { kind: 'kms', kms: { name: 'other', endpoint: 'unix:///run/kms.sock', timeoutMs: 3_000 } },
  ]);
});

describe('a configuration that cannot be used names every place', () => {
  test.each<[string, string, string]>([
    ['no YAML', '{', 'it is no YAML (line 1)'],
    ['no object', '[]', 'it holds no object'],
    ['another kind', '{"kind":"Pod","apiVersion":"v1"}', 'it must be of kind EncryptionConfiguration, version apiserver.config.k8s.io/v1'],
    ['no resources', configuration(), 'resources: Required value: at least one resources is required'],
    ['an unknown field', configuration({ ...entry(['secrets']), extra: 1 }), 'unknown field "resources[0].extra"'],
    [
      'an entry without anything',
      configuration({}),
      'resources[0].resources: Required value: at least one resources[0].resources is required; ' +
        'resources[0].providers: Required value: at least one resources[0].providers is required',
    ],
    [
      'two providers in one element',
      configuration(entry(['secrets'], { identity: {}, ...aesgcm(key(32)) })),
      'resources[0].providers[0]: Invalid value: ["identity","aesgcm"]: more than one provider specified in a single element, should split into different list elements',
    ],
    [
      'an element without a provider',
      configuration(entry(['secrets'], {})),
      'resources[0].providers[0]: Required value: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity',
    ],
    [
      'a plugin without anything, whose version is that of old',
      configuration(entry(['secrets'], { kms: {} })),
      'resources[0].providers[0].kms.name: Required value: name is a mandatory field for a provider; ' +
        'resources[0].providers[0].kms.endpoint: Invalid value: "": endpoint is a mandatory field for a kms; ' +
        'resources[0].providers[0].kms.apiVersion: Invalid value: "v1": KMSv1 is deprecated and is not supported. Use KMSv2 instead',
    ],
    [
      'a plugin of another version',
      configuration(entry(['secrets'], kms({ apiVersion: 'v3' }))),
      'resources[0].providers[0].kms.apiVersion: Invalid value: "v3": unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported',
    ],
    [
      'a plugin elsewhere, that gets no time',
      configuration(entry(['secrets'], kms({ endpoint: 'tcp://somewhere:1', timeout: '0s' }))),
      'resources[0].providers[0].kms.timeout: Invalid value: "0s": timeout should be a positive value; ' +
        'resources[0].providers[0].kms.endpoint: Invalid value: "tcp://somewhere:1": unsupported scheme "tcp" for KMS provider, only unix is supported',
    ],
    [
      'a plugin with a cache',
      configuration(entry(['secrets'], kms({ cachesize: 10, timeout: 'soon' }))),
      'resources[0].providers[0].kms.timeout: Invalid value: "soon": must be a duration; ' +
        'resources[0].providers[0].kms.cachesize: Invalid value: 10: cachesize is not supported in v2',
    ],
    [
      'a plugin whose name cannot be told from its values, twice',
      configuration(entry(['secrets'], kms({ name: 'a:b' }), kms({ name: 'a:b' }))),
      'resources[0].providers[0].kms.name: Invalid value: "a:b": invalid KMS provider name a:b, must not contain \':\'; ' +
        'resources[0].providers[1].kms.name: Invalid value: "a:b": invalid KMS provider name a:b, must not contain \':\'; ' +
        'resources[0].providers[1].kms.name: Invalid value: "a:b": duplicate KMS provider name a:b, names must be unique',
    ],
    [
      'no keys',
      configuration(entry(['secrets'], { aescbc: {} })),
      'resources[0].providers[0].aescbc.keys: Required value: at least one keys is required',
    ],
    [
      'a key without anything',
      configuration(entry(['secrets'], { aescbc: { keys: [{}] } })),
      'resources[0].providers[0].aescbc.keys[0].name: Required value: name is a mandatory field for a key; ' +
        'resources[0].providers[0].aescbc.keys[0].secret: Required value: secret is a mandatory field for a key',
    ],
    [
      'a key of another length',
      configuration(entry(['secrets'], aesgcm(key(15)))),
      'resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 15, expected one of [16 24 32]',
    ],
    [
      'a key that is not encoded',
      configuration(entry(['secrets'], aesgcm('s3cr3t!'))),
      'resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded',
    ],
    [
      'a resource twice',
      configuration(entry(['secrets', 'secrets'])),
      'resources[0].resources: Invalid value: ["secrets","secrets"]: the same resource cannot be specified multiple times',
    ],
    [
      'a resource beside its group',
      configuration(entry(['*.', 'secrets'])),
      'resources[0].resources: Invalid value: ["*.","secrets"]: using overlapping resources such as \'secrets\' and \'*.\' in the same resource list is not allowed as they will be masked',
    ],
    [
      'a resource behind its group',
      configuration(entry(['*.apps']), entry(['deployments.apps'])),
      'resource "deployments.apps" is masked by earlier rule "*.apps"',
    ],
    [
      'a resource behind everything',
      configuration(entry(['*.*']), entry(['secrets'])),
      'resource "secrets" is masked by earlier rule "*.*"',
    ],
    [
      'capitals',
      configuration(entry(['Secrets'])),
      'resources[0].resources[0]: Invalid value: "Secrets": resource name should not contain capital letters',
    ],
    [
      'a lone star',
      configuration(entry(['*'])),
      'resources[0].resources[0]: Invalid value: "*": use \'*.\' to encrypt all the resources from core API group or *.* to encrypt all resources',
    ],
    [
      'a resource of all groups',
      configuration(entry(['secrets.*'])),
      'resources[0].resources[0]: Invalid value: "secrets.*": encrypting the same resource across groups is not supported',
    ],
  ])('%s', (_, text, message) => {
    expect(messageOf(text)).toBe(`/etc/enc.yaml: ${message}`);
  });

  test('a key in a file that is no YAML stays out of the message', () => {
    expect(messageOf('resources:\n- secret: "c2VjcmV0\n')).not.toContain('c2VjcmV0');
  });
});
