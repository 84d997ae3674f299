import { expect, test } from 'vitest';
import type { V1PolicyRule } from '#api/generated/types.ts';
import type { AuthorizationRequest } from '../contract.ts';
import { compileRules } from './compiled-rules.ts';
import { missingRules, rulesText } from './rules.ts';

const base: AuthorizationRequest = {
  user: { name: 'u', groups: [] },
  isResource: true,
  verb: 'get',
  path: '',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'a',
  name: 'p',
};
const rule = (verbs: string, groups: string, resources: string, names = ''): V1PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: groups.split(' '),
  resources: resources.split(' '),
  ...(names === '' ? {} : { resourceNames: names.split(' ') }),
});
const urls = (verbs: string, list: string): V1PolicyRule => ({ verbs: verbs.split(' '), nonResourceURLs: list.split(' ') });
const path = (value: string): Partial<AuthorizationRequest> => ({ isResource: false, path: value, group: '', resource: '' });

test.each<[V1PolicyRule, Partial<AuthorizationRequest>, boolean]>([
  [rule('get', '', 'pods'), {}, true],
  [rule('list', '', 'pods'), {}, false],
  [rule('*', '*', '*'), {}, true],
  [rule('get', 'apps', 'pods'), {}, false],
  [rule('get', '', 'pods'), { subresource: 'log' }, false],
  [rule('get', '', 'pods/log'), { subresource: 'log' }, true],
  [rule('get', '', '*/log'), { subresource: 'log' }, true],
  [rule('get', '', '*/log'), {}, false],
  [rule('get', '', '*'), { subresource: 'log' }, true],
  [rule('get', '', 'pods', 'p q'), {}, true],
  [rule('get', '', 'pods', 'q'), {}, false],
  [rule('list', '', 'pods', 'p'), { verb: 'list', name: '' }, false],
  [rule('get', '', 'pods'), path('/metrics'), false],
  [urls('get', '/metrics'), path('/metrics'), true],
  [urls('get', '/api/*'), path('/api/v1'), true],
  [urls('get', '/api/*'), path('/api'), false],
  [urls('*', '*'), path('/x'), true],
  [urls('*', '*'), {}, false],
])('%j allows %j: %s', (given, request, expected) => {
  expect(compileRules([given])({ ...base, ...request })).toBe(expected);
});

test.each<[string, V1PolicyRule[], V1PolicyRule[], string[]]>([
  ['the same', [rule('get list', '', 'pods')], [rule('list', '', 'pods')], []],
  ['from several rules', [rule('get', '', 'pods'), rule('list', '', 'pods')], [rule('get list', '', 'pods')], []],
  [
    'nothing',
    [],
    [rule('get list', '', 'pods services')],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}', '{APIGroups:[""], Resources:["services"], Verbs:["get" "list"]}'],
  ],
  ['all', [rule('*', '*', '*')], [rule('*', '*', '*'), rule('get', 'x', 'y/z', 'n')], []],
  ['all of one', [rule('*', '', '*')], [rule('*', '*', '*')], ['{APIGroups:["*"], Resources:["*"], Verbs:["*"]}']],
  [
    'one name, all wanted',
    [rule('get', '', 'pods', 'p')],
    [rule('get', '', 'pods')],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
  ],
  [
    'one name, another wanted',
    [rule('get', '', 'pods', 'p')],
    [rule('get', '', 'pods', 'p q')],
    ['{APIGroups:[""], Resources:["pods"], ResourceNames:["q"], Verbs:["get"]}'],
  ],
  [
    'sub-resources',
    [rule('get', '', '*/scale')],
    [rule('get', '', 'pods/scale pods/log')],
    ['{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}'],
  ],
  ['URLs', [urls('get', '/api/*')], [urls('get', '/api/v1 /x')], ['{NonResourceURLs:["/x"], Verbs:["get"]}']],
  ['more URLs than held', [urls('get', '/api/*')], [urls('get', '*')], ['{NonResourceURLs:["*"], Verbs:["get"]}']],
])('who holds %s', (_name, held, wanted, expected) => {
  expect(rulesText(missingRules(held, wanted))).toEqual(expected);
});

test('lists that multiply beyond any use are judged as a whole', () => {
  const names = (prefix: string): string[] => Array.from({ length: 1_000 }, (_, at) => `${prefix}${at}`);
  const wide = { verbs: names('v'), apiGroups: names('g'), resources: names('r') };
  expect(missingRules([rule('get', '', 'pods')], [wide, wide])).toEqual([wide, wide]);
  expect(missingRules([rule('*', '*', '*')], [wide])).toEqual([]);
});

test('what is said twice counts once', () => {
  const repeated = { verbs: Array<string>(5_000).fill('get'), apiGroups: [''], resources: Array<string>(5_000).fill('pods') };
  expect(missingRules([], [repeated])).toEqual([rule('get', '', 'pods')]);
});
