import { ApiError, type Reason, type Status } from '#api/meta/status.ts';

/** Statuses up to this size are worth nothing special. */
const plainBytes = 64 * 1_024;

/** An error whose Status is too large to be decoded here: a hundred thousand causes. */
export class EncodedApiError extends ApiError {
  /** The JSON of the Status and a line's end. */
  readonly json: Uint8Array;

  constructor(json: Uint8Array, { reason, code }: { readonly reason: Reason; readonly code: number }) {
    super({ reason, code, message: 'an error that is too long to be sent' });
    this.json = json;
  }

  override toStatus(): Status {
    return JSON.parse(textOf(this.json)) as Status;
  }
}

/** The error that a Status stands for which another process has written. */
export function decodedError(json: Uint8Array, about: { readonly reason: string; readonly code: number }): ApiError {
  if (json.length > plainBytes) return new EncodedApiError(json, { reason: about.reason as Reason, code: about.code });
  return ApiError.fromStatus(JSON.parse(textOf(json)) as Status);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
