import { describe, expect, test } from 'vitest';
import { Query } from '../http/query.ts';
import { parseRequestInfo } from '../http/request-info.ts';
import type { Level } from './contract.ts';
import { compilePolicy, type PolicyRule } from './policy.ts';
import { readPolicy } from './policy-file.ts';

const user = { name: 'jane', groups: ['team', 'system:authenticated'] };

function matches(rule: Omit<PolicyRule, 'level'>, request: string, as: typeof user | undefined = user): boolean {
  const [method = '', uri = ''] = request.split(' ');
  const [path = '', query = ''] = uri.split('?');
  const info = parseRequestInfo(method, path, new Query(query));
  if (info === undefined) throw new Error(`no request: ${request}`);
  return compilePolicy({ rules: [{ level: 'Metadata', ...rule }] })(info, as).level === 'Metadata';
}

const pods = 'GET /api/v1/namespaces/default/pods';
const core = (...resources: string[]): Omit<PolicyRule, 'level'> => ({ resources: [{ resources }] });

describe('a rule', () => {
  test.each<[string, Omit<PolicyRule, 'level'>, string, boolean]>([
    ['without conditions', {}, pods, true],
    ['for its user', { users: ['jane'] }, pods, true],
    ['for another user', { users: ['john'] }, pods, false],
    ['for one of the groups', { userGroups: ['x', 'team'] }, pods, true],
    ['for other groups', { userGroups: ['x'] }, pods, false],
    ['for its verb', { verbs: ['list'] }, pods, true],
    ['for another verb', { verbs: ['get'] }, pods, false],
    ['for its namespace', { namespaces: ['default'] }, pods, true],
    ['for what has no namespace', { namespaces: [''] }, 'GET /api/v1/nodes', true],
    ['for another namespace', { namespaces: ['kube-system'] }, pods, false],
    ['for namespaces, asked about a path', { namespaces: [''] }, 'GET /version', false],
    ['for a group', { resources: [{ group: 'apps' }] }, 'GET /apis/apps/v1/deployments', true],
    ['for another group', { resources: [{ group: 'apps' }] }, pods, false],
    [
      'for every group',
      { resources: [{ group: '*', resources: ['*/status'] }] },
      'PUT /apis/apps/v1/namespaces/a/deployments/x/status',
      true,
    ],
    ['for every group, of other things', { resources: [{ group: '*', resources: ['*/status'] }] }, pods, false],
    ['for its resource', core('pods'), pods, true],
    ['for a resource, not for parts of it', core('pods'), 'GET /api/v1/namespaces/default/pods/x/log', false],
    ['for a part', core('pods/log'), 'GET /api/v1/namespaces/default/pods/x/log', true],
    ['for all parts of a resource', core('pods/*'), 'GET /api/v1/namespaces/default/pods/x/log', true],
    ['for all parts of a resource and itself', core('pods/*'), pods, true],
    ['for a part of all', core('*/status'), 'PATCH /api/v1/nodes/x/status', true],
    ['for everything', core('*'), 'PATCH /api/v1/nodes/x/status', true],
    ['for a name', { resources: [{ resources: ['nodes'], resourceNames: ['x'] }] }, 'GET /api/v1/nodes/x', true],
    ['for another name', { resources: [{ resources: ['nodes'], resourceNames: ['y'] }] }, 'GET /api/v1/nodes/x', false],
    ['for a path', { nonResourceURLs: ['/version'] }, 'GET /version', true],
    ['for a path, not what is below it', { nonResourceURLs: ['/healthz'] }, 'GET /healthz/ping', false],
    ['for what is below a path', { nonResourceURLs: ['/healthz*'] }, 'GET /healthz/ping', true],
    ['for all paths, asked about a resource', { nonResourceURLs: ['*'] }, pods, false],
  ])('%s', (_name, rule, request, expected) => {
    expect(matches(rule, request)).toBe(expected);
  });

  test('for users concerns nobody who is not known', () => {
    expect(matches({ users: ['jane'] }, pods, undefined)).toBe(true);
    const info = parseRequestInfo('GET', '/version', Query.empty);
    const level = (rule: Omit<PolicyRule, 'level'>): Level | undefined =>
      info && compilePolicy({ rules: [{ level: 'Metadata', ...rule }] })(info, undefined).level;
    expect([level({ users: ['jane'] }), level({ userGroups: ['team'] }), level({ verbs: ['get'] })]).toEqual(['None', 'None', 'Metadata']);
  });

  test('is used before those behind it, with the stages that the whole policy leaves out', () => {
    const policy = compilePolicy({
      rules: [{ level: 'Request', verbs: ['list'], omitStages: ['Panic'], omitManagedFields: false }, { level: 'None' }],
      omitStages: ['RequestReceived'],
      omitManagedFields: true,
    });
    const info = parseRequestInfo('GET', '/api/v1/nodes', Query.empty);
    expect(info && policy(info, user)).toEqual({
      level: 'Request',
      omitStages: new Set(['RequestReceived', 'Panic']),
      omitManagedFields: false,
    });
  });
});

describe("a policy's file", () => {
  const head = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n';

  test('is read as upstream reads it', () => {
    const text = `${head}omitStages: [RequestReceived]\nrules:\n- level: Metadata\n  users: [a]\n- level: None\n  nonResourceURLs: ['/x*']\n`;
    expect(readPolicy(text, 'p.yaml')).toMatchObject({
      omitStages: ['RequestReceived'],
      rules: [
        { level: 'Metadata', users: ['a'] },
        { level: 'None', nonResourceURLs: ['/x*'] },
      ],
    });
  });

  test.each([
    ['rules: []', 'loaded illegal policy with 0 rules'],
    ['rules: [{}]', 'rules[0].level: Required value'],
    [
      'rules: [{level: Everything}]',
      'rules[0].level: Unsupported value: "Everything": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [
      'rules: [{level: None, nonResourceURLs: [x, "/a*b"]}]',
      `[rules[0].nonResourceURLs[0]: Invalid value: "x": non-resource URL rules must begin with a '/' character, rules[0].nonResourceURLs[1]: Invalid value: "/a*b": non-resource URL wildcards '*' must be the final character of the rule]`,
    ],
    [
      'rules: [{level: None, nonResourceURLs: ["/x"], namespaces: [a]}]',
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
    [
      'rules: [{level: None, resources: [{resourceNames: [x]}]}]',
      'rules[0].resources.resourceNames: Invalid value: ["x"]: using resourceNames requires at least one resource',
    ],
    [
      'rules: [{level: None, omitStages: [Never]}]',
      'rules[0].omitStages[0]: Invalid value: "Never": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
    ],
    ['rules: [{level: None, uses: [x]}]', 'failed decoding: unknown field "rules[0].uses"'],
  ])('%s is refused', (rules, why) => {
    expect(() => readPolicy(`${head}${rules}\n`, 'p.yaml')).toThrow(`loading audit policy file: ${why}: from file p.yaml`);
  });

  test('of another kind is refused', () => {
    expect(() => readPolicy('apiVersion: v1\nkind: Pod\n', 'p.yaml')).toThrow('no kind "Pod" is registered for version "v1"');
    expect(() => readPolicy('rules: []\n', 'p.yaml')).toThrow("Object 'Kind' is missing");
  });
});
