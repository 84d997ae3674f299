import type { KubeObject } from '#api/meta/object.ts';
import type { Body } from '../registry/contract.ts';
import type { RequestAudit } from './contract.ts';

/** Records the request body: decoded, or as raw bytes where another process decodes it. */
export function noteBody(audit: RequestAudit, object: KubeObject | undefined, undecoded: Body | undefined): void {
  if (undecoded === undefined && object !== undefined) audit.requested(object);
  else if (undecoded !== undefined && undecoded.mediaType !== 'application/vnd.kubernetes.protobuf') audit.patched(undecoded.bytes);
}
