// Rules of certificate signing requests (pkg/apis/certificates/validation/validation.go).
import { X509Certificate } from 'node:crypto';
import type { V1CertificateSigningRequestCondition } from '#api/generated/types.ts';
import type { WriteContext } from '../kind.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, notSupported, required, tooLong } from '../meta/field-problem.ts';
import { byteLength, dnsLabelProblems, dnsSubdomainProblems } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import type { CertificateSigningRequest } from './certificate-signing-request.ts';
import { DerError } from './der.ts';
import { pemBlocks } from './pem.ts';
import { parseSigningRequest } from './signing-request.ts';

const usages = `any|cert sign|client auth|code signing|content commitment|crl sign|data encipherment|decipher only|digital signature|\
email protection|encipher only|ipsec end system|ipsec tunnel|ipsec user|key agreement|key encipherment|microsoft sgc|netscape sgc|\
ocsp signing|s/mime|server auth|signing|timestamping`.split('|');
const minSeconds = 600;
const maxDomainBytes = 253;
/** A domain, a slash, a name, a dot and a namespace. */
const maxSignerBytes = 571;
/** These conditions are there or not; they are never False. */
const decisions: ReadonlySet<string> = new Set(['Approved', 'Denied', 'Failed']);

/** What was wrong before may stay so: objects of older servers must remain writable. */
interface Tolerance {
  readonly bothDecisions: boolean;
  readonly repeatedTypes: boolean;
  readonly emptyTypes: boolean;
}

const strict: Tolerance = { bothDecisions: false, repeatedTypes: false, emptyTypes: false };

export function validateSigningRequest({ spec, status }: CertificateSigningRequest, { verb }: WriteContext): FieldProblem[] {
  // Updates are judged with the object before; the spec never changes, so it is judged once.
  return verb === 'create' ? [...validateSpec(spec), ...validateConditions(status.conditions ?? [], strict)] : [];
}

export function validateSigningRequestUpdate(
  next: CertificateSigningRequest,
  prev: CertificateSigningRequest,
  { subresource }: WriteContext,
): FieldProblem[] {
  const certificate = next.status.certificate ?? '';
  const before = prev.status.certificate ?? '';
  const problems = validateConditions(next.status.conditions ?? [], toleranceFor(prev.status.conditions ?? []));
  const problem = certificate === before || certificateProblem(before) !== undefined ? undefined : certificateProblem(certificate);
  if (problem !== undefined) problems.push(invalid('status.certificate', '<certificate data>', problem));
  problems.push(...validateDecisions(next, prev, subresource));
  if (certificate === before) return problems;
  if (subresource !== 'status') problems.push(forbiddenField('status.certificate', 'updates may not set certificate content'));
  else if (before !== '') problems.push(forbiddenField('status.certificate', 'updates may not modify existing certificate content'));
  return problems;
}

function validateDecisions(next: CertificateSigningRequest, prev: CertificateSigningRequest, subresource: string): FieldProblem[] {
  const count = ({ status }: CertificateSigningRequest, type: string): number =>
    (status.conditions ?? []).filter((condition) => condition.type === type).length;
  const forbid = (verb: string, type: string): FieldProblem =>
    forbiddenField('status.conditions', `updates may not ${verb} a condition of type "${type}"`);
  const less = [...decisions].filter((type) => count(next, type) < count(prev, type));
  const mayDecide = subresource === 'approval';
  const more = mayDecide ? [] : ['Approved', 'Denied'].filter((type) => count(next, type) > count(prev, type));
  return [...less.map((type) => forbid('remove', type)), ...more.map((type) => forbid('add', type))];
}

function toleranceFor(conditions: readonly Unchecked<V1CertificateSigningRequestCondition>[]): Tolerance {
  const types = conditions.map(({ type = '' }) => type);
  return {
    bothDecisions: types.includes('Approved') && types.includes('Denied'),
    repeatedTypes: new Set(types).size < types.length,
    emptyTypes: types.includes(''),
  };
}

function validateSpec(spec: Unchecked<CertificateSigningRequest['spec']>): FieldProblem[] {
  const { request = '', usages: asked = [], signerName = '', expirationSeconds } = spec;
  const problem = requestProblem(request);
  const problems = problem === undefined ? [] : [invalid('spec.request', request, problem)];
  if (asked.length === 0) problems.push(required('spec.usages'));
  asked.forEach((usage, at) => {
    if (!usages.includes(usage)) problems.push(notSupported(`spec.usages[${at}]`, usage, usages));
    if (asked.indexOf(usage) < at) problems.push(duplicate(`spec.usages[${at}]`, usage));
  });
  if (signerName === 'kubernetes.io/legacy-unknown') {
    problems.push(invalid('spec.signerName', signerName, 'the legacy signerName is not allowed via this API version'));
  } else {
    problems.push(...validateSignerName(signerName, 'spec.signerName'));
  }
  if (expirationSeconds !== undefined && expirationSeconds < minSeconds) {
    const text = 'may not specify a duration less than 600 seconds (10 minutes)';
    problems.push(invalid('spec.expirationSeconds', expirationSeconds, text));
  }
  return problems;
}

function requestProblem(request: string): string | undefined {
  try {
    return parseSigningRequest(request).signatureProblem();
  } catch (error) {
    if (error instanceof DerError) return error.message;
    throw error;
  }
}

/** `example.com/signer`: a domain of two parts at least, and a path of such names. */
function validateSignerName(name: string, field: string): FieldProblem[] {
  const problems = name === '' ? [required(field)] : [];
  const [domain = '', path = '', ...rest] = name.split('/');
  if (!name.includes('/') || rest.length > 0) {
    const text = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [...problems, invalid(field, name, text)];
  }
  if (byteLength(domain) > maxDomainBytes) problems.push(tooLong(field, maxDomainBytes));
  const labels = domain.split('.');
  problems.push(...firstBadLabel(field, domain, labels, dnsLabelProblems));
  if (labels.length < 2) problems.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  problems.push(...firstBadLabel(field, path, path.split('.'), dnsSubdomainProblems));
  if (byteLength(name) > maxSignerBytes) problems.push(tooLong(field, maxSignerBytes));
  return problems;
}

function firstBadLabel(
  field: string,
  value: string,
  labels: readonly string[],
  check: (label: string) => readonly string[],
): FieldProblem[] {
  const label = labels.find((one) => check(one).length > 0);
  if (label === undefined) return [];
  return check(label).map((text) => invalid(field, value, `validating label ${JSON.stringify(label)}: ${text}`));
}

function validateConditions(
  conditions: readonly Unchecked<V1CertificateSigningRequestCondition>[],
  { bothDecisions, repeatedTypes, emptyTypes }: Tolerance,
): FieldProblem[] {
  const seen = new Set<string>();
  return conditions.flatMap(({ type = '', status = '' }, at) => {
    const path = `status.conditions[${at}]`;
    const problems = type === '' && !emptyTypes ? [required(`${path}.type`)] : [];
    const allowed = decisions.has(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (status === '') problems.push(required(`${path}.status`));
    else if (!allowed.includes(status)) problems.push(notSupported(`${path}.status`, status, allowed));
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined;
    if (!bothDecisions && opposite !== undefined && seen.has(opposite)) {
      problems.push(invalid(`${path}.type`, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (!repeatedTypes && seen.has(type)) problems.push(duplicate(`${path}.type`, type));
    seen.add(type);
    return problems;
  });
}

/** What is wrong with the base64 of a PEM text of certificates; an empty one is fine. */
function certificateProblem(base64: string): string | undefined {
  if (base64 === '') return undefined;
  const blocks = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'));
  for (const { type, hasHeaders, bytes } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    try {
      new X509Certificate(bytes);
    } catch {
      return 'x509: malformed certificate';
    }
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}
