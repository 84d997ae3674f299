import { describe, expect, test } from 'vitest';
import type { KindDefinition } from '../kind.ts';
import { createProblems, decoded, row } from '../testing.ts';
import { mutatingWebhookConfiguration } from './mutating-webhook-configuration.ts';
import { validatingWebhookConfiguration } from './validating-webhook-configuration.ts';

const rule = 'rules: [{operations: ["*"], apiGroups: [""], apiVersions: [v1], resources: [pods]}]';
const fine = `name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {url: "https://h/p"}`;
const hooks = (...list: string[]): string => `metadata: {name: a}\nwebhooks: [${list.map((one) => `{${one}}`).join()}]`;
const ruled = (more: string): string => hooks(`${fine}, rules: [{${more}}]`);
const served = (config: string): string =>
  hooks(`name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {${config}}`);
const operations = '"*", "CONNECT", "CREATE", "DELETE", "UPDATE"';

test.each<[string, string, string[]]>([
  ['none', 'metadata: {name: a}', []],
  ['fine', hooks(`${fine}, ${rule}`), []],
  [
    'empty',
    hooks(''),
    [
      'webhooks[0].name: Required value',
      'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
      'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
      'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
    ],
  ],
  [
    'wrong words',
    hooks(
      `name: a.b, sideEffects: Some, admissionReviewVersions: [v2, v2], clientConfig: {url: "https://h"}, failurePolicy: No, matchPolicy: No, timeoutSeconds: 31`,
    ),
    [
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
      'webhooks[0].failurePolicy: Unsupported value: "No": supported values: "Fail", "Ignore"',
      'webhooks[0].matchPolicy: Unsupported value: "No": supported values: "Equivalent", "Exact"',
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
      'webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
    ],
  ],
  ['repeated name', hooks(fine, fine), ['webhooks[1].name: Duplicate value: "a.b.c"']],
  [
    'conditions',
    hooks(`${fine}, matchConditions: [{name: a, expression: "true"}, {name: a, expression: " "}]`),
    ['webhooks[0].matchConditions[1].expression: Required value', 'webhooks[0].matchConditions[1].name: Duplicate value: "a"'],
  ],
  [
    'empty rule',
    ruled(''),
    ['operations', 'apiGroups', 'apiVersions', 'resources'].map((field) => `webhooks[0].rules[0].${field}: Required value`),
  ],
  [
    'wildcards among others',
    ruled('operations: ["*", READ], apiGroups: ["*", a], apiVersions: ["*", ""], resources: ["*", pods], scope: Any'),
    [
      'webhooks[0].rules[0].operations: Invalid value: ["*","READ"]: if \'*\' is present, must not specify other operations',
      `webhooks[0].rules[0].operations[1]: Unsupported value: "READ": supported values: ${operations}`,
      'webhooks[0].rules[0].apiGroups: Invalid value: ["*","a"]: if \'*\' is present, must not specify other API groups',
      'webhooks[0].rules[0].apiVersions: Invalid value: ["*",""]: if \'*\' is present, must not specify other API versions',
      'webhooks[0].rules[0].apiVersions[1]: Required value',
      'webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
      'webhooks[0].rules[0].scope: Unsupported value: "Any": supported values: "*", "Cluster", "Namespaced"',
    ],
  ],
  [
    'sub-resources',
    ruled('operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["a/*", a/b, "*/c", d/c, "*/*"]'),
    [
      'webhooks[0].rules[0].resources[1]: Invalid value: "a/b": if \'a/*\' is present, must not specify a/b',
      'webhooks[0].rules[0].resources[3]: Invalid value: "d/c": if \'*/c\' is present, must not specify d/c',
      'webhooks[0].rules[0].resources: Invalid value: ["a/*","a/b","*/c","d/c","*/*"]: if \'*/*\' is present, must not specify other resources',
    ],
  ],
  [
    'both addresses',
    served('url: "https://h", service: {name: a, namespace: b}'),
    ['webhooks[0].clientConfig: Required value: exactly one of url or service is required'],
  ],
  [
    'odd address',
    served('url: "http://u:p@h?q#f"'),
    [
      'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
      'webhooks[0].clientConfig.url: Invalid value: "u:p": user information is not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL',
    ],
  ],
  [
    'no address',
    served('url: "https:///x"'),
    ['webhooks[0].clientConfig.url: Invalid value: "": host must be provided; desired format: https://host[/path]'],
  ],
  [
    'no URL',
    served('url: "https://h:x"'),
    [
      'webhooks[0].clientConfig.url: Required value: url must be a valid URL: parse "https://h:x": invalid port ":x" after host; desired format: https://host[/path]',
    ],
  ],
  [
    'odd service',
    served('service: {name: "", namespace: b, port: 70000, path: a//b/}'),
    [
      'webhooks[0].clientConfig.service.namespace: Required value: service namespace is required',
      'webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
      'webhooks[0].clientConfig.service.path: Invalid value: "a//b/": must start with a \'/\'',
      'webhooks[0].clientConfig.service.path: Invalid value: "a//b/": segment[0] may not be empty',
      'webhooks[0].clientConfig.service.path: Invalid value: "a//b/": segment[1] may not be empty',
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(validatingWebhookConfiguration, yaml)).toEqual(expected);
});

describe.each([
  ['validating', validatingWebhookConfiguration, {}],
  ['mutating', mutatingWebhookConfiguration, { reinvocationPolicy: 'Never' }],
])('%s', (_name, definition, own) => {
  const kind = definition as KindDefinition;

  test('defaults', () => {
    const object = decoded(
      kind,
      hooks(`name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {service: {name: a, namespace: b}}, ${rule}`),
    );
    expect(object).toMatchObject({
      webhooks: [
        {
          ...own,
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          objectSelector: {},
          timeoutSeconds: 10,
          clientConfig: { service: { port: 443 } },
          rules: [{ scope: '*' }],
        },
      ],
    });
  });

  test('are counted; none is called yet', () => {
    const [none, two] = [decoded(kind, 'metadata: {name: a}'), decoded(kind, hooks(fine, fine))];
    expect(row(kind, two)).toMatchObject({ Name: 'a', Webhooks: 2 });
    expect(kind.notYet?.(none)).toBeUndefined();
    expect(kind.notYet?.(two)).toBe('admission webhooks are not called');
  });
});

test('webhooks that change objects may be asked again', () => {
  const problems = createProblems(mutatingWebhookConfiguration, hooks(`${fine}, reinvocationPolicy: Always`));
  expect(problems).toEqual(['webhooks[0].reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"']);
});

test('names of what comes from files are warned of', () => {
  const text =
    'metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API';
  expect(validatingWebhookConfiguration.warnings?.({ metadata: { name: 'a.static.k8s.io' } }, undefined)).toEqual([text]);
  expect(validatingWebhookConfiguration.warnings?.({ metadata: { name: 'a' } }, undefined)).toEqual([]);
});
