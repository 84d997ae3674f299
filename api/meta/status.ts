// Errors as the wire carries them: an ApiError is thrown by the server, travels as a Status, and is thrown again by the client.

/** Upstream's StatusReason values (apimachinery/pkg/apis/meta/v1/types.go). */
export type Reason =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'StoreReadError'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable'
  | '';

export interface StatusCause {
  /** FieldValueInvalid, FieldValueRequired, … ; upstream calls it reason. */
  reason?: string;
  message?: string;
  /** Path as `spec.containers[0].name`. */
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  /** The resource (plural) or kind, as upstream puts it for the reason. */
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** metav1.Status. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: Reason;
  details?: StatusDetails;
  code: number;
}

const codes: Record<Reason, number> = {
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Invalid: 422,
  ServerTimeout: 500,
  StoreReadError: 500,
  Timeout: 504,
  TooManyRequests: 429,
  BadRequest: 400,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  InternalError: 500,
  Expired: 410,
  ServiceUnavailable: 503,
  '': 500,
};

interface ApiErrorOptions {
  readonly reason: Reason;
  readonly message: string;
  /** HTTP status; default the usual one of the reason. */
  readonly code?: number;
  readonly details?: StatusDetails;
  /** What goes into the Status' metadata, such as the continue token of an expired list. */
  readonly metadata?: Status['metadata'];
  readonly cause?: unknown;
}

/** An answer the API gives on purpose: the server throws it, the wire carries it as Status, the client throws it again. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly reason: Reason;
  readonly code: number;
  readonly details: StatusDetails | undefined;
  readonly #metadata: Status['metadata'];

  constructor({ reason, message, code, details, metadata, cause }: ApiErrorOptions) {
    super(message, { cause });
    this.reason = reason;
    this.code = code ?? codes[reason];
    this.details = details;
    this.#metadata = metadata ?? {};
  }

  /** Set for TooManyRequests and the like: how long the caller should wait, in seconds. */
  get retryAfterSeconds(): number | undefined {
    return this.details?.retryAfterSeconds;
  }

  /** The object that goes over the wire. */
  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.#metadata,
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }

  /** The error that a received Status stands for. */
  static fromStatus(status: Status): ApiError {
    return new ApiError({
      reason: status.reason ?? '',
      message: status.message ?? 'unknown error',
      code: status.code,
      ...(status.details === undefined ? {} : { details: status.details }),
      metadata: status.metadata ?? {},
    });
  }
}

/** True when `error` is an ApiError with one of these reasons. */
export function hasReason(error: unknown, ...reasons: Reason[]): error is ApiError {
  return error instanceof ApiError && reasons.includes(error.reason);
}

/** `pods` or `deployments.apps`: how upstream's messages name a resource. */
export function resourceText(resource: { group: string; plural: string }): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

export function notFound(resource: { group: string; plural: string }, name: string): ApiError {
  return new ApiError({
    reason: 'NotFound',
    message: `${resourceText(resource)} ${JSON.stringify(name)} not found`,
    details: withoutEmpty({ name, group: resource.group, kind: resource.plural }),
  });
}

export function alreadyExists(resource: { group: string; plural: string }, name: string): ApiError {
  return new ApiError({
    reason: 'AlreadyExists',
    message: `${resourceText(resource)} ${JSON.stringify(name)} already exists`,
    details: withoutEmpty({ name, group: resource.group, kind: resource.plural }),
  });
}

/** A lost race or a failed precondition; `why` ends the message. */
export function conflict(resource: { group: string; plural: string }, name: string, why: string): ApiError {
  return new ApiError({
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${resourceText(resource)} ${JSON.stringify(name)}: ${why}`,
    details: withoutEmpty({ name, group: resource.group, kind: resource.plural }),
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError({ reason: 'BadRequest', message });
}

export function forbidden(resource: { group: string; plural: string }, name: string, why: string): ApiError {
  return new ApiError({
    reason: 'Forbidden',
    message:
      name === ''
        ? `${resourceText(resource)} is forbidden: ${why}`
        : `${resourceText(resource)} ${JSON.stringify(name)} is forbidden: ${why}`,
    details: withoutEmpty({ name, group: resource.group, kind: resource.plural }),
  });
}

/** A bug or a fault of ours, as upstream words it. */
export function internalError(error: unknown): ApiError {
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError({
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
    cause: error,
  });
}

function withoutEmpty(details: StatusDetails): StatusDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== '')) as StatusDetails;
}
