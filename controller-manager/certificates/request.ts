import type { CertificateSigningRequest } from '#api/certificates/certificate-signing-request.ts';
import type { V1CertificateSigningRequestCondition } from '#api/generated/types.ts';
import { timeText } from '#client/timestamps.ts';

type ConditionType = 'Approved' | 'Denied' | 'Failed';

export function hasCondition({ status }: CertificateSigningRequest, type: ConditionType): boolean {
  return status.conditions?.some((condition) => condition.type === type && condition.status !== 'False') === true;
}

export function requestPem({ spec }: CertificateSigningRequest): string {
  return Buffer.from(spec.request, 'base64').toString('latin1');
}

/** The request with one more condition. */
export function conditioned(
  request: CertificateSigningRequest,
  condition: { readonly type: ConditionType; readonly reason: string; readonly message: string },
  nowMs: number,
): CertificateSigningRequest {
  const now = timeText(nowMs);
  const whole: V1CertificateSigningRequestCondition = { ...condition, status: 'True', lastUpdateTime: now, lastTransitionTime: now };
  return { ...request, status: { ...request.status, conditions: [...(request.status.conditions ?? []), whole] } };
}
