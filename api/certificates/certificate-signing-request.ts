import type {
  V1CertificateSigningRequest,
  V1CertificateSigningRequestCondition,
  V1CertificateSigningRequestStatus,
} from '#api/generated/types.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, durationText, nameColumn } from '../meta/columns.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { timeText } from '../meta/time-text.ts';
import { validateSigningRequest, validateSigningRequestUpdate } from './validate.ts';

export interface CertificateSigningRequest extends V1CertificateSigningRequest {
  metadata: ObjectMeta;
  status: V1CertificateSigningRequestStatus;
}

export const certificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  scope: 'cluster',
  names: { plural: 'certificatesigningrequests', short: ['csr'] },
  schema: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  defaults: [
    (object) => {
      object.status ??= {};
    },
  ],
  validateName: () => [],
  prepareCreate,
  prepareUpdate,
  validate: validateSigningRequest,
  validateUpdate: validateSigningRequestUpdate,
  columns: [
    nameColumn,
    ageColumn,
    { name: 'SignerName', value: ({ spec }) => spec.signerName || '<none>' },
    { name: 'Requestor', value: ({ spec }) => spec.username ?? '' },
    {
      name: 'RequestedDuration',
      value: ({ spec }) => (spec.expirationSeconds === undefined ? '<none>' : durationText(spec.expirationSeconds * 1_000)),
    },
    { name: 'Condition', value: ({ status }) => conditionText(status) },
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
  resetFields: { '': ['spec', 'status'], status: ['spec', 'status.conditions'], approval: ['spec', 'status.certificate'] },
  subresources: { status: true, other: { approval: { verbs: ['get', 'patch', 'update'], kind: 'CertificateSigningRequest' } } },
});

function conditionText({ conditions = [], certificate = '' }: V1CertificateSigningRequestStatus): string {
  const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decision}${has('Failed') ? ',Failed' : ''}${certificate === '' ? '' : ',Issued'}`;
}

/** Who asks is what the server knows, whatever the request says; nothing is decided yet. */
function prepareCreate(created: CertificateSigningRequest, { user }: WriteContext): void {
  const { expirationSeconds, request, signerName, usages } = created.spec;
  const { name = '', uid = '', groups = [], extra = {} } = user ?? {};
  created.spec = {
    request,
    signerName,
    ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    ...(usages === undefined ? {} : { usages }),
    ...(name === '' ? {} : { username: name }),
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(Object.keys(extra).length === 0 ? {} : { extra: structuredClone(extra) as Record<string, string[]> }),
  };
  created.status = {};
}

/** What was asked for stays; approving and signing are separate rights at separate endpoints. */
function prepareUpdate(next: CertificateSigningRequest, prev: CertificateSigningRequest, { subresource, nowMs }: WriteContext): void {
  next.spec = prev.spec;
  if (subresource === '') return;
  if (subresource === 'status') {
    keepConditions(next, prev, 'Approved');
    keepConditions(next, prev, 'Denied');
  }
  const conditions = withTimes(next.status.conditions ?? [], prev.status.conditions ?? [], nowMs);
  const { conditions: _old, ...rest } = subresource === 'approval' ? prev.status : next.status;
  next.status = conditions.length === 0 ? rest : { ...rest, conditions };
}

/** Signers do not touch decisions. Where there are more or fewer than before, validation refuses. */
function keepConditions(next: CertificateSigningRequest, prev: CertificateSigningRequest, type: string): void {
  const old = (prev.status.conditions ?? []).filter((condition) => condition.type === type);
  const conditions = next.status.conditions ?? [];
  if (conditions.filter((condition) => condition.type === type).length !== old.length || old.length === 0) return;
  next.status.conditions = conditions.map((condition) => (condition.type === type ? (old.shift() ?? condition) : condition));
}

function withTimes(
  next: readonly V1CertificateSigningRequestCondition[],
  prev: readonly V1CertificateSigningRequestCondition[],
  nowMs: number,
): V1CertificateSigningRequestCondition[] {
  const now = timeText(nowMs);
  return next.map((condition) => {
    const before = prev.find(({ type, status, lastTransitionTime }) => {
      return type === condition.type && status === condition.status && (lastTransitionTime ?? null) !== null;
    });
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? before?.lastTransitionTime ?? now,
    };
  });
}
