import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { apiService } from './api-service.ts';

const service = (name: string, more: string): string =>
  `metadata: {name: ${name}}\nspec: {groupPriorityMinimum: 1000, versionPriority: 10, ${more}}`;

test.each<[string, string, string[]]>([
  ['local', service('v1.a.io', 'group: a.io, version: v1'), []],
  ['the core group', service('v1.', 'version: v1'), []],
  ['elsewhere', service('v1.a.io', 'group: a.io, version: v1, service: {name: a, namespace: b}, insecureSkipTLSVerify: true'), []],
  [
    'name',
    service('v2.a.io', 'group: a.io, version: v1'),
    ['metadata.name: Invalid value: "v2.a.io": must be `spec.version+"."+spec.group`: "v1.a.io"'],
  ],
  [
    'made name',
    'metadata: {name: v1.a.io, generateName: v1.}\nspec: {group: a.io, version: v1, groupPriorityMinimum: 1, versionPriority: 1}',
    ['metadata.generateName: Invalid value: "v1.": must be `spec.version+"."+spec.group`: "v1.a.io"'],
  ],
  [
    'another core group',
    service('v2.', 'version: v2'),
    ['spec.group: Required value: only v1 may have an empty group and it better be legacy kube'],
  ],
  [
    'priorities',
    'metadata: {name: v1.a.io}\nspec: {group: a.io, version: v1, groupPriorityMinimum: 20001, versionPriority: 0}',
    [
      'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
    ],
  ],
  [
    'local with an authority',
    service('v1.a.io', 'group: a.io, version: v1, caBundle: YWJj, insecureSkipTLSVerify: true'),
    [
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
      'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    ],
  ],
  [
    'nowhere',
    service('v1.a.io', 'group: a.io, version: v1, service: {}, caBundle: YWJj, insecureSkipTLSVerify: true'),
    [
      'spec.service.namespace: Required value',
      'spec.service.name: Required value',
      'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(apiService, yaml)).toEqual(expected);
});

const local = service('v1.a.io', 'group: a.io, version: v1');
const remote = service('v1.a.io', 'group: a.io, version: v1, service: {name: a, namespace: b}');

test('what this server answers is available at once', () => {
  const object = decoded(apiService, local);
  apiService.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 1_000 });
  expect(object.status?.conditions).toEqual([
    {
      type: 'Available',
      status: 'True',
      lastTransitionTime: '1970-01-01T00:00:01Z',
      reason: 'Local',
      message: 'Local APIServices are always available',
    },
  ]);
  expect(row(apiService, object)).toMatchObject({ Service: 'Local', Available: 'True' });
  expect(apiService.notYet?.(object)).toBeUndefined();
});

test('requests are not handed on yet', () => {
  const object = decoded(apiService, remote);
  expect(apiService.notYet?.(object)).toBe('requests are not handed on to other API servers');
  expect(object.spec?.service?.port).toBe(443);
  expect(row(apiService, object)).toMatchObject({ Service: 'b/a', Available: 'Unknown' });
  object.status = { conditions: [{ type: 'Available', status: 'False', reason: 'MissingEndpoints' }] };
  expect(row(apiService, object)).toMatchObject({ Available: 'False (MissingEndpoints)' });
});

test('status writes change nothing else', () => {
  const problems = updateProblems(
    apiService,
    local,
    (next) => {
      next.status = { conditions: [{ type: 'Available', status: 'Odd' }] };
    },
    'status',
  );
  expect(problems).toEqual(['status.conditions[0].status: Unsupported value: "Odd": supported values: "True", "False", "Unknown"']);
});
