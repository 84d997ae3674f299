import { expect, test } from 'vitest';
import type { RequestedNames } from '#base/issue-certificate.ts';
import { requestEndMs } from './cleaner-controller.ts';
import { planLifetime } from './lifetime.ts';
import { type SignerName, signerProblem, signers } from './recognize.ts';

const node: RequestedNames = { commonName: 'system:node:n', organizations: ['system:nodes'], dnsNames: [], ips: [], emails: [], uris: [] };
const client = ['digital signature', 'client auth'];
const server = ['digital signature', 'server auth'];
test.each<[SignerName, Partial<RequestedNames>, string[], string | undefined]>([
  [signers.kubeletClient, {}, client, undefined],
  [signers.kubeletClient, {}, ['key encipherment', ...client], undefined],
  [signers.kubeletClient, { organizations: [] }, client, 'subject organization is not system:nodes'],
  [signers.kubeletClient, { organizations: ['system:nodes', 'x'] }, client, 'subject organization is not system:nodes'],
  [signers.kubeletClient, { commonName: 'ann' }, client, 'subject common name does not begin with system:node: '],
  [signers.kubeletClient, { dnsNames: ['a'] }, client, 'DNS subjectAltNames are not allowed'],
  [signers.kubeletClient, { ips: ['1.1.1.1'] }, client, 'IP subjectAltNames are not allowed'],
  [signers.kubeletClient, { emails: ['a@b'] }, client, 'Email subjectAltNames are not allowed'],
  [signers.kubeletClient, { uris: ['x:y'] }, client, 'URI subjectAltNames are not allowed'],
  [signers.kubeletClient, {}, server, 'usages did not match [client auth digital signature key encipherment]'],
  [signers.kubeletServing, { dnsNames: ['a'] }, server, undefined],
  [signers.kubeletServing, { ips: ['1.1.1.1'] }, server, undefined],
  [signers.kubeletServing, {}, server, 'DNS or IP subjectAltName is required'],
  [signers.kubeletServing, { ips: ['1.1.1.1'] }, client, 'usages did not match [digital signature key encipherment server auth]'],
  [signers.kubeletServing, { ips: ['1.1.1.1'], commonName: 'x' }, server, 'subject common name does not begin with system:node: '],
  [signers.apiServerClient, { organizations: ['any'] }, client, undefined],
  [signers.apiServerClient, {}, server, 'invalid usage for client certificate: server auth'],
  [signers.apiServerClient, {}, ['digital signature'], 'missing required usage for client certificate: client auth'],
  [signers.legacyUnknown, { commonName: 'x' }, server, undefined],
])('%s of %j for %j: %s', (signer, names, usages, expected) => {
  expect(signerProblem(signer, { names: { ...node, ...names }, usages })).toBe(expected);
});

const [minute, hour] = [60_000, 3_600_000];
const nowMs = Date.parse('2026-01-01T00:00:00Z');
test.each([
  ['the signer’s time', undefined, 1_000 * hour, -5 * minute, 1_000 * hour - 5 * minute],
  ['less', 20 * 3_600, 1_000 * hour, -5 * minute, 20 * hour - 5 * minute],
  ['more than there is', 10_000 * 3_600, 1_000 * hour, -5 * minute, 1_000 * hour - 5 * minute],
  ['little', 3_600, 1_000 * hour, -5 * minute, hour],
  ['too little', 60, 1_000 * hour, -5 * minute, 10 * minute],
])('a certificate of %s', (_name, expirationSeconds, durationMs, from, to) => {
  expect(planLifetime({ expirationSeconds, durationMs, nowMs })).toEqual({ notBeforeMs: nowMs + from, notAfterMs: nowMs + to });
});

const at = (ms: number): string => new Date(nowMs + ms).toISOString();
test.each<[string, object, number]>([
  ['nobody decides', {}, 24 * hour],
  ['approved and signed', { conditions: [{ type: 'Approved', lastUpdateTime: at(minute) }], certificate: 'eA==' }, hour + minute],
  ['approved, not signed', { conditions: [{ type: 'Approved', lastUpdateTime: at(minute) }] }, Infinity],
  ['denied', { conditions: [{ type: 'Denied', lastUpdateTime: at(minute) }] }, hour + minute],
  ['failed', { conditions: [{ type: 'Failed', lastUpdateTime: at(minute) }] }, hour + minute],
])('a request goes: %s', (_name, status, expected) => {
  expect(requestEndMs({ metadata: { name: 'r', creationTimestamp: at(0) }, status } as never) - nowMs).toBe(expected);
});
