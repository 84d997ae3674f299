import { expect, test } from 'vitest';
import { administrators, components } from './built-in.ts';
import type { AuthorizationRequest } from './contract.ts';
import { firstOpinion } from './union.ts';

const authorizer = firstOpinion([administrators, components]);

test.each<[string, string[], 'allow' | 'none']>([
  ['ann', ['system:masters'], 'allow'],
  ['system:kube-scheduler', [], 'allow'],
  ['system:node:n1', ['system:nodes'], 'allow'],
  ['system:node:n1', [], 'none'],
  ['ann', ['system:nodes'], 'none'],
  ['system:anonymous', ['system:unauthenticated'], 'none'],
  // Whoever may make accounts in kube-system must not become more by how he calls them.
  ['system:serviceaccount:kube-system:my-controller', ['system:serviceaccounts', 'system:serviceaccounts:kube-system'], 'none'],
  ['system:serviceaccount:kube-system:coredns', ['system:serviceaccounts', 'system:serviceaccounts:kube-system'], 'none'],
])('%s of %j may read Secrets: %s', async (name, groups, verdict) => {
  const request: AuthorizationRequest = {
    user: { name, groups: [...groups, 'system:authenticated'] },
    isResource: true,
    verb: 'get',
    path: '',
    group: '',
    version: 'v1',
    resource: 'secrets',
    subresource: '',
    namespace: 'default',
    name: 's',
  };
  expect((await authorizer.authorize(request)).verdict).toBe(verdict);
});
