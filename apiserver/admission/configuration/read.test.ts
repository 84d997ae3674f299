import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { UsageError } from '#base/lifecycle.ts';
import { readPluginSettings } from './read.ts';
import { defaultPluginSettings } from './settings.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'admission-'));
  mkdirSync(join(folder, 'own'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration' };
const read = (...plugins: object[]) => readPluginSettings(write('main.yaml', { ...head, plugins }), []);

/** The refusal, without the folder. */
function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof UsageError) return error.message.replaceAll(`${folder}/`, '');
    throw error;
  }
  return 'nothing was refused';
}

const podSecurity = { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration' };
const quotas = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'ResourceQuotaConfiguration' };
const events = { apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1', kind: 'Configuration' };
const tolerations = { apiVersion: 'podtolerationrestriction.admission.k8s.io/v1alpha1', kind: 'Configuration' };

describe('a configuration', () => {
  test('that is not named changes nothing', () => {
    expect(readPluginSettings('', [])).toBe(defaultPluginSettings);
    expect(read({ name: 'PodSecurity' }, { name: 'NodeRestriction', path: '' })).toEqual(defaultPluginSettings);
  });

  test('of PodSecurity has defaults and exemptions', () => {
    const defaults = { enforce: 'baseline', 'enforce-version': 'v1.30', warn: 'restricted', audit: '' };
    const exemptions = { usernames: ['u'], namespaces: ['kube-system'], runtimeClasses: null };
    expect(read({ name: 'PodSecurity', configuration: { ...podSecurity, defaults, exemptions } }).podSecurity).toEqual({
      defaults: {
        enforce: { level: 'baseline', minor: 30 },
        audit: { level: 'privileged', minor: Infinity },
        warn: { level: 'restricted', minor: Infinity },
      },
      exemptions: { usernames: new Set(['u']), namespaces: new Set(['kube-system']), runtimeClasses: new Set() },
    });
  });

  test('may stand in a file of its own, seen from the first one', () => {
    const selectors = { clusterDefaultNodeSelector: 'a=1', default: 'a=1,b=2' };
    write('own/selectors.yaml', { podNodeSelectorPluginConfig: selectors });
    expect(read({ name: 'PodNodeSelector', path: 'own/selectors.yaml' }).nodeSelectors).toEqual({
      clusterDefault: 'a=1',
      allowed: new Map([['default', 'a=1,b=2']]),
    });
  });

  test.each([quotas, { apiVersion: 'resourcequota.admission.k8s.io/v1beta1', kind: 'Configuration' }])(
    'of ResourceQuota names what is limited: $kind',
    (type) => {
      const limitedResources = [
        { resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
        { apiGroup: 'apps', resource: 'deployments', matchContains: ['count/'] },
      ];
      expect(read({ name: 'ResourceQuota', configuration: { ...type, limitedResources } }).limitedResources).toEqual(limitedResources);
    },
  );

  test('of EventRateLimit has rates, and sizes where none are given', () => {
    const limits = [
      { type: 'Server', qps: 10, burst: 20 },
      { type: 'Namespace', qps: 1, burst: 2, cacheSize: 3 },
      { type: 'User', qps: 1, burst: 2, cacheSize: 0 },
    ];
    expect(read({ name: 'EventRateLimit', configuration: { ...events, limits } }).eventLimits).toEqual([
      { type: 'Server', perSecond: 10, burst: 20, cacheSize: 1 },
      { type: 'Namespace', perSecond: 1, burst: 2, cacheSize: 3 },
      { type: 'User', perSecond: 1, burst: 2, cacheSize: 4_096 },
    ]);
    expect(refusalOf(() => readPluginSettings('', ['EventRateLimit']))).toBe(
      'plugin "EventRateLimit" needs limits: name them in --admission-control-config-file',
    );
  });

  test('of PodTolerationRestriction has defaults and what is allowed', () => {
    const [one, other] = [
      { key: 'a', operator: 'Exists' },
      { operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
    ];
    const configuration = { ...tolerations, default: [one], whitelist: [one, other] };
    expect(read({ name: 'PodTolerationRestriction', configuration }).tolerations).toEqual({ defaults: [one], allowed: [one, other] });
  });

  test.each<[string, object[], string]>([
    [
      'limits that are none',
      [
        {
          name: 'EventRateLimit',
          configuration: {
            ...events,
            limits: [
              { type: 'Pod', qps: 1.5, burst: 1 },
              { type: 'User', burst: -1, cacheSize: -2 },
            ],
          },
        },
      ],
      'main.yaml: plugins[0].configuration (EventRateLimit): limits[0].type: Unsupported value: "Pod": supported values: "Server", "Namespace", "User", "SourceAndObject"; limits[0].qps: Invalid value: 1.5: must be a whole number; limits[1].burst: Invalid value: -1: must be positive; limits[1].qps: Invalid value: 0: must be positive; limits[1].cacheSize: Invalid value: -2: must not be negative',
    ],
    [
      'no limits',
      [{ name: 'EventRateLimit', configuration: events }],
      'main.yaml: plugins[0].configuration (EventRateLimit): limits: Invalid value: []: must not be empty',
    ],
    [
      'a toleration that is none',
      [{ name: 'PodTolerationRestriction', configuration: { ...tolerations, whitelist: [{ key: 'a', operator: 'Is' }] } }],
      'main.yaml: plugins[0].configuration (PodTolerationRestriction): whitelist[0].operator: Unsupported value: "Is": supported values: "Equal", "Exists"',
    ],
    ['an unknown plugin', [{ name: 'Magic' }], 'main.yaml: plugins[0].name: plugin "Magic" is unknown'],
    ['no name', [{ path: 'x' }], 'main.yaml: plugins[0].name: plugin "" is unknown'],
    ['twice', [{ name: 'PodSecurity' }, { name: 'PodSecurity' }], 'main.yaml: plugins[1].name: plugin "PodSecurity" is configured twice'],
    ['an unknown field', [{ name: 'PodSecurity', config: {} }], 'main.yaml: unknown field "plugins[0].config"'],
    ['a wrong type', [{ name: 'PodSecurity', configuration: [] }], 'main.yaml: plugins[0].configuration: must be a map'],
    [
      'nothing to be told',
      [{ name: 'LimitRanger', configuration: {} }],
      'main.yaml: plugins[0]: plugin "LimitRanger" takes no configuration here',
    ],
    ['no such file', [{ name: 'PodSecurity', path: 'none' }], 'cannot read none (--admission-control-config-file): there is no such file'],
    [
      'another kind',
      [{ name: 'PodSecurity', configuration: quotas }],
      'main.yaml: plugins[0].configuration (PodSecurity): it must be of kind PodSecurityConfiguration, version pod-security.admission.config.k8s.io/v1 or pod-security.admission.config.k8s.io/v1beta1 or pod-security.admission.config.k8s.io/v1alpha1',
    ],
    [
      'wrong fields inside',
      [{ name: 'PodSecurity', configuration: { ...podSecurity, defaults: { enforce: 1, deny: 'x' } } }],
      'main.yaml: plugins[0].configuration (PodSecurity): defaults.enforce: must be a string; unknown field "defaults.deny"',
    ],
    [
      'wrong values inside',
      [
        {
          name: 'PodSecurity',
          configuration: {
            ...podSecurity,
            defaults: { enforce: 'harsh', 'warn-version': '1.30' },
            exemptions: { usernames: ['', 'a', 'a'], namespaces: ['a b'] },
          },
        },
      ],
      'main.yaml: plugins[0].configuration (PodSecurity): defaults.enforce: Invalid value: "harsh": must be one of privileged, baseline, restricted; defaults.warn-version: Invalid value: "1.30": must be "latest" or "v1.x"; exemptions.namespaces[0]: Invalid value: "a b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \'-\', and must start and end with an alphanumeric character (e.g. \'my-name\',  or \'123-abc\', regex used for validation is \'[a-z0-9]([-a-z0-9]*[a-z0-9])?\'); exemptions.usernames[0]: Required value; exemptions.usernames[2]: Duplicate value: "a"',
    ],
    [
      'a limit on nothing',
      [{ name: 'ResourceQuota', configuration: { ...quotas, limitedResources: [{ apiGroup: 'apps' }] } }],
      'main.yaml: plugins[0].configuration (ResourceQuota): limitedResources[0].resource: Required value',
    ],
    [
      'a selector that is none',
      [{ name: 'PodNodeSelector', configuration: { podNodeSelectorPluginConfig: { default: 'a' } } }],
      'main.yaml: plugins[0].configuration (PodNodeSelector): podNodeSelectorPluginConfig.default: invalid selector: [a]',
    ],
    [
      'a selector that is no text',
      [{ name: 'PodNodeSelector', configuration: { podNodeSelectorPluginConfig: { default: { a: '1' } } } }],
      'main.yaml: plugins[0].configuration (PodNodeSelector): podNodeSelectorPluginConfig.default: must be a string',
    ],
  ])('is refused at start: %s', (_name, plugins, message) => {
    expect(refusalOf(() => read(...plugins))).toBe(message);
  });

  test.each<[string, unknown, string]>([
    [
      'no such kind',
      { kind: 'Config' },
      'x.yaml: it must be of kind AdmissionConfiguration, version apiserver.config.k8s.io/v1 or apiserver.k8s.io/v1alpha1',
    ],
    ['nothing', '', 'x.yaml: it must be of kind AdmissionConfiguration, version apiserver.config.k8s.io/v1 or apiserver.k8s.io/v1alpha1'],
    ['no YAML', 'a: [', 'x.yaml: Flow sequence in block collection must be sufficiently indented'],
    ['an unknown field', { ...head, plugin: [] }, 'x.yaml: unknown field "plugin"'],
  ])('is refused as a whole: %s', (_name, content, message) => {
    expect(refusalOf(() => readPluginSettings(write('x.yaml', content), []))).toContain(message);
  });
});
