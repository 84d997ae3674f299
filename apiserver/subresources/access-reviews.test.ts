import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSubjectReview } from '#api/authentication/self-subject-review.ts';
import { tokenReview } from '#api/authentication/token-review.ts';
import { localSubjectAccessReview } from '#api/authorization/local-subject-access-review.ts';
import { selfSubjectAccessReview } from '#api/authorization/self-subject-access-review.ts';
import { selfSubjectRulesReview } from '#api/authorization/self-subject-rules-review.ts';
import { subjectAccessReview } from '#api/authorization/subject-access-review.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const { signal } = new AbortController();
let server: TestApiServer;
let admin: RestClient;
let bob: RestClient;

beforeAll(async () => {
  server = await startTestApiServer();
  admin = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  bob = connect(await server.clientConfigFor('bob', ['team']), { clock: systemClock, component: 'test' });
});

afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await bob[Symbol.asyncDispose]();
  await server.stop();
});

const ask = (client: RestClient, kind: unknown, object: object): Promise<KubeObject & Record<string, unknown>> =>
  client.create(kind as KindDefinition<KubeObject>, { metadata: {}, ...object } as KubeObject, {}, signal) as Promise<
    KubeObject & Record<string, unknown>
  >;
const pods = { verb: 'list', resource: 'pods', namespace: 'a' };

test.each<[string, unknown, object, string]>([
  [
    'nothing',
    selfSubjectAccessReview,
    { spec: {} },
    'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
  ],
  [
    'metadata',
    selfSubjectAccessReview,
    { metadata: { name: 'a' }, spec: { resourceAttributes: pods } },
    // Who owns what is there by then, as upstream shows it.
    '.authorization.k8s.io "" is invalid: metadata: Invalid value: {"name":"a","managedFields":[{"manager":"test",',
  ],
  [
    'nobody',
    subjectAccessReview,
    { spec: { resourceAttributes: pods } },
    'spec.user: Invalid value: "": at least one of user or group must be specified',
  ],
  [
    'another namespace',
    localSubjectAccessReview,
    { metadata: { namespace: 'b' }, spec: { user: 'u', resourceAttributes: pods } },
    'spec.resourceAttributes.namespace: Invalid value: "a": must match metadata.namespace',
  ],
  [
    'a path in a namespace',
    localSubjectAccessReview,
    { metadata: { namespace: 'b' }, spec: { user: 'u', nonResourceAttributes: { path: '/x', verb: 'get' } } },
    'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: disallowed on this kind of request',
  ],
  [
    'an empty selector',
    selfSubjectAccessReview,
    { spec: { resourceAttributes: { ...pods, fieldSelector: {} } } },
    'spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required',
  ],
  [
    'both at once',
    selfSubjectAccessReview,
    { spec: { resourceAttributes: pods, nonResourceAttributes: { path: '/x' } } },
    'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":""}: cannot be specified in combination with resourceAttributes',
  ],
  [
    'odd fields',
    selfSubjectAccessReview,
    {
      spec: {
        resourceAttributes: {
          ...pods,
          fieldSelector: {
            rawSelector: 'a=b',
            requirements: [
              { key: '', operator: 'In' },
              { key: 'a', operator: 'Exists', values: ['b'] },
              { key: 'a', operator: 'Near' },
            ],
          },
        },
      },
    },
    '.authorization.k8s.io "" is invalid: [' +
      'spec.resourceAttributes.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements, ' +
      'spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be specified, ' +
      "spec.resourceAttributes.fieldSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn', " +
      "spec.resourceAttributes.fieldSelector.requirements[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist']",
  ],
  [
    'odd labels',
    selfSubjectAccessReview,
    { spec: { resourceAttributes: { ...pods, labelSelector: { requirements: [{ key: '-', operator: 'NotIn', values: ['!'] }] } } } },
    'spec.resourceAttributes.labelSelector.requirements[0].key: Invalid value: "-"',
  ],
])('a question about %s is refused', async (_name, kind, object, expected) => {
  await expect(ask(admin, kind, object)).rejects.toThrow(expected);
});

test.each<[string, unknown, object, object]>([
  [
    'SelfSubjectAccessReview',
    selfSubjectAccessReview,
    { spec: { resourceAttributes: pods } },
    { 'f:spec': { 'f:resourceAttributes': { '.': {}, 'f:namespace': {}, 'f:resource': {}, 'f:verb': {} } } },
  ],
  [
    'SubjectAccessReview',
    subjectAccessReview,
    { spec: { user: 'u', nonResourceAttributes: { path: '/x' } } },
    { 'f:spec': { 'f:nonResourceAttributes': { '.': {}, 'f:path': {} }, 'f:user': {} } },
  ],
  [
    'LocalSubjectAccessReview',
    localSubjectAccessReview,
    { metadata: { namespace: 'a' }, spec: { user: 'u', resourceAttributes: pods } },
    { 'f:spec': { 'f:resourceAttributes': { '.': {}, 'f:namespace': {}, 'f:resource': {}, 'f:verb': {} }, 'f:user': {} } },
  ],
  [
    'TokenReview',
    tokenReview,
    { metadata: { name: 'y', labels: { a: 'b' } }, spec: { token: 'x' } },
    { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } }, 'f:spec': { 'f:token': {} } },
  ],
])('a %s is answered with its metadata, and with who asked what', async (kind, definition, object, fieldsV1) => {
  const { metadata } = await ask(admin, definition, object);
  const apiVersion = `${kind === 'TokenReview' ? 'authentication' : 'authorization'}.k8s.io/v1`;
  const { managedFields, ...rest } = metadata;
  expect(managedFields).toMatchObject([{ manager: 'test', operation: 'Update', apiVersion, fieldsType: 'FieldsV1', fieldsV1 }]);
  expect(rest).toEqual((object as { metadata?: object }).metadata ?? {});
});

test("what is made for the answer alone has nobody's fields", async () => {
  expect((await ask(admin, selfSubjectReview, { metadata: { labels: { a: 'b' } } })).metadata).toEqual({
    creationTimestamp: expect.any(String) as string,
  });
  expect((await ask(admin, selfSubjectRulesReview, { metadata: { labels: { a: 'b' } }, spec: { namespace: 'a' } })).metadata).toEqual({});
});

test('a question about others is answered', async () => {
  const review = await ask(admin, subjectAccessReview, { spec: { groups: ['system:masters'], resourceAttributes: pods } });
  expect(review['status']).toEqual({ allowed: true });
  // Of cluster-wide questions the namespace is taken away, as of all objects without one.
  const nowhere = await ask(admin, selfSubjectAccessReview, { metadata: { namespace: 'a' }, spec: { resourceAttributes: pods } });
  expect(nowhere).toMatchObject({ metadata: {}, status: { allowed: true } });
  expect(nowhere.metadata.namespace).toBeUndefined();
  expect((await ask(admin, subjectAccessReview, { spec: { user: 'bob', resourceAttributes: pods } }))['status']).toEqual({
    allowed: false,
  });
});

const unread = (name: string, how = ''): string => `spec.resourceAttributes.${name} ${how}ignored due to parse error`;
test.each<[string, object, string | undefined]>([
  ['read', { fieldSelector: { rawSelector: 'spec.nodeName=a' }, labelSelector: { rawSelector: 'a in (b)' } }, undefined],
  [
    'not readable',
    { fieldSelector: { rawSelector: 'a in b' }, labelSelector: { rawSelector: '&' } },
    `${unread('fieldSelector')}; ${unread('labelSelector')}`,
  ],
  [
    'readable in part',
    {
      fieldSelector: {
        requirements: [
          { key: 'a', operator: 'In', values: ['b'] },
          { key: 'a', operator: 'In', values: ['b', 'c'] },
        ],
      },
      labelSelector: { requirements: [{ key: 'a', operator: 'Near' }] },
    },
    `${unread('fieldSelector', 'partially ')}; ${unread('labelSelector')}`,
  ],
])('selectors that can be %s', async (_name, selectors, evaluationError) => {
  const { status } = await ask(bob, selfSubjectAccessReview, { spec: { resourceAttributes: { ...pods, ...selectors } } });
  expect(status).toEqual({ allowed: false, ...(evaluationError === undefined ? {} : { evaluationError }) });
});

test('who one is has a time; a token must be there to be judged', async () => {
  const { metadata, ...review } = await ask(bob, selfSubjectReview, {});
  expect(metadata.creationTimestamp).toMatch(/^\d{4}-.*Z$/);
  expect(review).toMatchObject({ status: { userInfo: { username: 'bob', groups: ['team', 'system:authenticated'] } } });
  await expect(ask(admin, tokenReview, { spec: { token: '' } })).rejects.toThrow('token is required for TokenReview in authentication');
});

test('rights can be listed', async () => {
  const all = await ask(admin, selfSubjectRulesReview, { spec: { namespace: 'a' } });
  expect(all).toMatchObject({
    spec: {},
    status: { incomplete: false, resourceRules: expect.arrayContaining([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]) },
  });
  const { status } = (await ask(bob, selfSubjectRulesReview, { spec: { namespace: 'a' } })) as unknown as {
    status: { resourceRules: { resources: string[] }[]; nonResourceRules: { nonResourceURLs: string[] }[] };
  };
  expect(status.resourceRules.flatMap(({ resources }) => resources).toSorted()).toEqual([
    'selfsubjectaccessreviews',
    'selfsubjectreviews',
    'selfsubjectrulesreviews',
  ]);
  expect(status.nonResourceRules.flatMap(({ nonResourceURLs }) => nonResourceURLs)).toContain('/openapi/*');
  await expect(ask(bob, selfSubjectRulesReview, { spec: {} })).rejects.toThrow('no namespace on request');
});
