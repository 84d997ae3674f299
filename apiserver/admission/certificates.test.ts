import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { certificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { type Authorizer, noRights } from '../authz/contract.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../registry/contract.ts';
import { aContext } from '../registry/testing.ts';
import { certificateApproval } from './certificate-approval.ts';
import { certificateSigning } from './certificate-signing.ts';
import { certificateSubjectRestriction } from './certificate-subject-restriction.ts';

/** Allows what is listed as `verb name`. */
const allowing = (...rights: string[]): Authorizer => ({
  authorize: ({ verb, name, group, resource }) => ({
    verdict: group === 'certificates.k8s.io' && resource === 'signers' && rights.includes(`${verb} ${name}`) ? 'allow' : 'none',
    reason: '',
  }),
  rightsOf: () => noRights,
});

async function judge(plugin: AdmissionPlugin, parts: Partial<AdmissionRequest> & { subresource: string }): Promise<string> {
  const { subresource, ...rest } = parts;
  const context = aContext({ namespace: '', subresource });
  const request = {
    kind: certificateSigningRequest,
    operation: 'UPDATE',
    name: 'a',
    context,
    object: undefined,
    previous: undefined,
    ...rest,
  };
  try {
    await plugin.validate?.(request as AdmissionRequest);
    return 'fine';
  } catch (error) {
    return (error as Error).message;
  }
}

const withStatus = (status: object): KubeObject =>
  ({ metadata: { name: 'a' }, spec: { signerName: 'example.com/x' }, status }) as KubeObject;
const previous = withStatus({});
const refused = (verb: string): string =>
  `certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to ${verb} requests with signerName "example.com/x"`;

describe('rights on signers', () => {
  test.each<[string, Authorizer, string, string]>([
    ['none', allowing(), 'approval', refused('approve')],
    ['another', allowing('sign example.com/x'), 'approval', refused('approve')],
    ['the one', allowing('approve example.com/x'), 'approval', 'fine'],
    ['a whole domain', allowing('approve example.com/*'), 'approval', 'fine'],
    ['none, elsewhere', allowing(), 'status', 'fine'],
  ])('to approve: %s', async (_name, authorizer, subresource, expected) => {
    const object = withStatus({ conditions: [{ type: 'Approved', status: 'True' }] });
    expect(await judge(certificateApproval(authorizer), { subresource, object, previous })).toBe(expected);
  });

  test.each<[string, Authorizer, object, string]>([
    ['a certificate', allowing(), { certificate: 'eA==' }, refused('sign')],
    ['a condition', allowing(), { conditions: [{ type: 'Failed', status: 'True' }] }, refused('sign')],
    ['nothing', allowing(), {}, 'fine'],
    ['a certificate, with the right', allowing('sign example.com/x'), { certificate: 'eA==' }, 'fine'],
  ])('to sign: %s', async (_name, authorizer, status, expected) => {
    expect(await judge(certificateSigning(authorizer), { subresource: 'status', object: withStatus(status), previous })).toBe(expected);
  });
});

test.each([
  [
    'system:masters',
    'kubernetes.io/kube-apiserver-client',
    'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  ],
  ['system:masters', 'example.com/x', 'fine'],
  ['others', 'kubernetes.io/kube-apiserver-client', 'fine'],
])('members of %s by %s: %s', async (group, signerName, expected) => {
  const args = [
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-subj',
    `/O=a/O=${group}/CN=me`,
  ];
  const pem = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const object = { metadata: { name: 'a' }, spec: { signerName, request: pem.toString('base64') } } as unknown as KubeObject;
  const verdict = await judge(certificateSubjectRestriction, { operation: 'CREATE', subresource: '', object });
  expect(verdict.replace(/^.* is forbidden: /, '')).toBe(expected);
});
