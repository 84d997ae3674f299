import { createHash, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { type CertificateSigningRequest, certificateSigningRequest } from './certificate-signing-request.ts';
import { parseSigningRequest } from './signing-request.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const attribute = (id: number, value: string): Buffer =>
  der(0x31, der(0x30, der(0x06, Buffer.from([0x55, 0x04, id])), der(0x0c, Buffer.from(value))));
const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));

/** A request in PEM and base64, made by hand so that it can be made wrong. */
function aRequest({
  signedBy = keys.privateKey,
  algorithm = ecdsaWithSha256,
  hash = 'sha256',
  type = 'CERTIFICATE REQUEST',
  organizations = ['a', 'b'],
} = {}): string {
  const names = [...organizations.map((name) => attribute(10, name)), attribute(3, 'me')];
  const info = der(0x30, der(0x02, Buffer.from([0])), der(0x30, ...names), spki(), der(0xa0));
  const signature = createSign(hash).update(info).sign(signedBy);
  const all = der(0x30, info, algorithm, der(0x03, Buffer.from([0]), signature));
  const pem = `-----BEGIN ${type}-----\n${all
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END ${type}-----\n`;
  return Buffer.from(pem).toString('base64');
}

function spki(key: KeyObject = keys.publicKey): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

const fine = aRequest();
const aSigningRequest = (spec = '', request = fine): string =>
  `metadata: {name: a}\nspec: {request: ${request}, signerName: example.com/x, usages: [client auth]${spec}}`;
const signer = (name: string): string => `metadata: {name: a}\nspec: {request: ${fine}, signerName: "${name}", usages: [client auth]}`;
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

test('a request says who asks', () => {
  const parsed = parseSigningRequest(fine);
  expect([parsed.commonName, parsed.organizations, parsed.signatureProblem()]).toEqual(['me', ['a', 'b'], undefined]);
});

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ecdsaWithSha1 = der(0x30, der(0x06, Buffer.from('2a8648ce3d0401', 'hex')));
const md5WithRsa = der(0x30, der(0x06, Buffer.from('2a864886f70d010104', 'hex')));
const ecdsaWithSha224 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040301', 'hex')));
const broken = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n').toString('base64');

test.each<[string, string, string]>([
  ['no PEM', Buffer.from('x').toString('base64'), 'PEM block type must be CERTIFICATE REQUEST'],
  ['another block', aRequest({ type: 'CERTIFICATE' }), 'PEM block type must be CERTIFICATE REQUEST'],
  ['truncated', broken, 'asn1: syntax error: data truncated'],
  ['signed by somebody else', aRequest({ signedBy: other }), 'x509: ECDSA verification failure'],
  ['signed by an unknown algorithm', aRequest({ algorithm: ecdsaWithSha224 }), 'x509: cannot verify signature: algorithm unimplemented'],
  ['signed in a way that proves nothing', aRequest({ algorithm: md5WithRsa }), 'x509: cannot verify signature: insecure algorithm MD5-RSA'],
])('request: %s', (_name, request, expected) => {
  expect(createProblems(certificateSigningRequest, aSigningRequest('', request))).toEqual([
    `spec.request: Invalid value: "${request}": ${expected}`,
  ]);
});

test('a request may be signed over a SHA-1', () => {
  const request = aRequest({ algorithm: ecdsaWithSha1, hash: 'sha1' });
  expect(createProblems(certificateSigningRequest, aSigningRequest('', request))).toEqual([]);
});

test('bytes by chance are refused, never thrown at', () => {
  for (let at = 0; at < 200; at++) {
    const bytes = createHash('sha512').update(String(at)).digest();
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const problems = createProblems(certificateSigningRequest, aSigningRequest('', Buffer.from(pem).toString('base64')));
    expect(problems).toHaveLength(1);
  }
});

test.each<[string, string, string[]]>([
  ['fine', aSigningRequest(), []],
  ['any name', aSigningRequest().replace('name: a', 'name: "Node:1"'), []],
  [
    'short',
    aSigningRequest(', expirationSeconds: 599'),
    ['spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)'],
  ],
  ['no usages', aSigningRequest().replace('[client auth]', '[]'), ['spec.usages: Required value']],
  [
    'usages',
    aSigningRequest().replace('[client auth]', '[magic, any, any]'),
    [
      expect.stringMatching(
        /^spec\.usages\[0\]: Unsupported value: "magic": supported values: "any", "cert sign", "client auth", /,
      ) as unknown as string,
      'spec.usages[2]: Duplicate value: "any"',
    ],
  ],
  [
    'no signer',
    signer(''),
    [
      'spec.signerName: Required value',
      `spec.signerName: Invalid value: "": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    ],
  ],
  [
    'old signer',
    signer('kubernetes.io/legacy-unknown'),
    ['spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version'],
  ],
  [
    'short domain',
    signer('example/x'),
    ['spec.signerName: Invalid value: "example": should be a domain with at least two segments separated by dots'],
  ],
  ['bad domain', signer('Example.com/x'), [`spec.signerName: Invalid value: "Example.com": validating label "Example": ${label}`]],
  ['long domain', signer(`${'a.'.repeat(127)}a/x`), ['spec.signerName: Too long: may not be more than 253 bytes']],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(certificateSigningRequest, yaml)).toEqual(expected);
});

test('the server says who asks, and that nothing is decided', () => {
  const object = decoded(
    certificateSigningRequest,
    `${aSigningRequest(', username: root, groups: [g], extra: {k: [v]}')}\nstatus: {certificate: eA==}`,
  );
  const user = { name: 'me', uid: '1', groups: ['system:authenticated'], extra: {} };
  certificateSigningRequest.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0, user });
  expect(object.spec).toEqual({
    request: fine,
    signerName: 'example.com/x',
    usages: ['client auth'],
    username: 'me',
    uid: '1',
    groups: ['system:authenticated'],
  });
  expect(object.status).toEqual({});
});

type Conditions = NonNullable<CertificateSigningRequest['status']['conditions']>;
const approved = { type: 'Approved', status: 'True' };

/** What becomes of a status, and what is wrong with it. */
function change(
  before: Conditions,
  next: CertificateSigningRequest['status'],
  subresource: string,
): { status: object; problems: string[] } {
  let result: CertificateSigningRequest | undefined;
  const kind = { ...certificateSigningRequest, prepareCreate: undefined } as unknown as typeof certificateSigningRequest;
  const problems = updateProblems(
    kind,
    `${aSigningRequest()}\nstatus: {conditions: ${JSON.stringify(before)}}`,
    (object) => {
      object.status = structuredClone(next);
      object.spec.signerName = 'example.com/other';
      result = object;
    },
    subresource,
  );
  expect(result?.spec.signerName).toBe('example.com/x');
  return { status: result?.status ?? {}, problems };
}

const epoch = '1970-01-01T00:00:00Z';
const since = { lastUpdateTime: epoch, lastTransitionTime: epoch };

describe('decisions', () => {
  test('come at approval only', () => {
    const next = { conditions: [approved], certificate: 'eA==' };
    expect(change([], next, 'approval')).toEqual({ status: { conditions: [{ ...approved, ...since }] }, problems: [] });
    expect(change([], next, 'status').problems).toContain(
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    );
    const failed = [{ type: 'Failed', status: 'True' }];
    expect(change([], { conditions: failed }, 'status')).toEqual({ status: { conditions: [{ ...failed[0], ...since }] }, problems: [] });
  });

  test('stay as they are', () => {
    const made = [{ ...approved, reason: 'r', ...since }];
    const without = 'status.conditions: Forbidden: updates may not remove a condition of type "Approved"';
    expect(change(made, {}, 'approval').problems).toEqual([without]);
    expect(change(made, { conditions: [{ ...approved, reason: 'other' }] }, 'status')).toEqual({
      status: { conditions: made },
      problems: [],
    });
    expect(change(made, { conditions: [approved, { type: 'Denied', status: 'True' }] }, 'approval').problems).toEqual([
      'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    ]);
  });

  test('that were wrong before may stay wrong', () => {
    const both = [
      { ...approved, ...since },
      { type: 'Denied', status: 'True', ...since },
      { type: '', status: 'True', ...since },
      { type: '', status: 'True', ...since },
    ];
    expect(change(both, { conditions: both }, 'approval').problems).toEqual([]);
    expect(change(both.slice(0, 2), { conditions: both }, 'approval').problems).toEqual([
      'status.conditions[2].type: Required value',
      'status.conditions[3].type: Required value',
      'status.conditions[3].type: Duplicate value: ""',
    ]);
  });

  test('are judged before what the endpoint may not do', () => {
    const next = { conditions: [{ type: 'Denied', status: 'No' }] };
    expect(change([{ type: 'Failed', status: 'True' }], next, 'status').problems).toEqual([
      'status.conditions[0].status: Unsupported value: "No": supported values: "True"',
      'status.conditions: Forbidden: updates may not remove a condition of type "Failed"',
      'status.conditions: Forbidden: updates may not add a condition of type "Denied"',
    ]);
  });

  test('are made with care', () => {
    const odd = [
      { type: '', status: 'x' },
      { type: 'Approved', status: 'False' },
      { type: 'Approved', status: '' },
    ];
    expect(change([], { conditions: odd }, 'approval').problems).toEqual([
      'status.conditions[0].type: Required value',
      'status.conditions[0].status: Unsupported value: "x": supported values: "False", "True", "Unknown"',
      'status.conditions[1].status: Unsupported value: "False": supported values: "True"',
      'status.conditions[2].status: Required value',
      'status.conditions[2].type: Duplicate value: "Approved"',
    ]);
  });
});

test.each([
  ['x', 'must contain at least one CERTIFICATE PEM block'],
  ['-----BEGIN KEY-----\neA==\n-----END KEY-----\n', 'only CERTIFICATE PEM blocks are allowed, found "KEY"'],
  ['-----BEGIN CERTIFICATE-----\na: b\n\neA==\n-----END CERTIFICATE-----\n', 'no PEM block headers are permitted'],
  ['-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n', 'found CERTIFICATE PEM block containing 0 certificates'],
  ['-----BEGIN CERTIFICATE-----\neA==\n-----END CERTIFICATE-----\n', 'x509: malformed certificate'],
])('certificate: %j', (pem, expected) => {
  const certificate = Buffer.from(pem).toString('base64');
  expect(change([], { certificate }, 'status').problems).toEqual([`status.certificate: Invalid value: "<certificate data>": ${expected}`]);
});

test.each([
  ['', 'Pending'],
  ['conditions: [{type: Approved, status: "True"}], certificate: eA==', 'Approved,Issued'],
  ['conditions: [{type: Failed, status: "True"}, {type: Approved, status: "True"}, {type: Denied, status: "True"}]', 'Denied,Failed'],
])('columns with %j', (status, expected) => {
  const object = decoded(certificateSigningRequest, `${aSigningRequest(', username: u, expirationSeconds: 86400')}\nstatus: {${status}}`);
  expect(row(certificateSigningRequest, object)).toEqual({
    Name: 'a',
    Age: '<unknown>',
    SignerName: 'example.com/x',
    Requestor: 'u',
    RequestedDuration: '24h',
    Condition: expected,
  });
});
