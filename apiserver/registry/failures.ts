// Answers for what goes wrong below and around the store, in upstream's words.
import { ApiError, internalError } from '#api/meta/status.ts';
import { StoreError } from '../storage/contract.ts';
import type { ResourceCache } from '../storage/resource-cache.ts';
import type { WatchCache } from '../storage/watch-cache.ts';

/** An error that upstream lets through as plain text: code 500 without a reason. */
export function plainError(message: string, cause?: unknown): ApiError {
  return new ApiError({ reason: '', code: 500, message, cause });
}

/** The answer for a failure of the store; other errors pass. */
export function storeFailure(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  switch (error.code) {
    case 'full':
      return plainError('etcdserver: mvcc: database space exceeded', error);
    case 'too-large':
      return plainError(error.message, error);
    case 'closed':
      return new ApiError({ reason: 'ServiceUnavailable', message: 'apiserver is shutting down', cause: error });
    case 'timeout':
      return new ApiError({
        reason: 'Timeout',
        message: `Timeout: request did not complete within requested timeout - ${error.message}`,
        cause: error,
      });
    case 'unavailable':
      // Upstream lets etcd's own words through.
      return error.message.startsWith('etcdserver:') ? plainError(error.message, error) : internalError(error);
    case 'corrupt':
    case 'sealed':
    case 'compacted':
      return internalError(error);
  }
}

/** What is known of a kind's objects. Throws the error response while they cannot be read. */
export function readable(cache: WatchCache, { prefix }: { readonly prefix: string }): ResourceCache {
  const found = cache.resource(prefix);
  if (found.blocked !== undefined) throw storeFailure(found.blocked.trouble);
  return found;
}

/** A resourceVersion, as the request has it, that this server has not reached within the time it waits. */
export function tooLargeResourceVersion(revision: string, current: number): ApiError {
  const message = 'Too large resource version';
  return new ApiError({
    reason: 'Timeout',
    message: `Timeout: ${message}: ${revision}, current: ${current}`,
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message }], retryAfterSeconds: 1 },
  });
}

/** 410 with `message`; `continueToken` lets a client go on with an inconsistent list. */
export function expired(message: string, continueToken?: string): ApiError {
  return new ApiError({
    reason: 'Expired',
    message,
    ...(continueToken === undefined ? {} : { metadata: { continue: continueToken } }),
  });
}

const largestUint64 = 2n ** 64n - 1n;

/**
 * Reads a resourceVersion as upstream's ParseUint does; the answer is the message where it is none. What is larger than a safe integer is
 * only about right: no server has come so far.
 */
export function parseRevision(text: string): number | string {
  if (text === '') return 0;
  const isNumber = /^[0-9]+$/.test(text);
  const revision = Number(text);
  if (isNumber && (Number.isSafeInteger(revision) || BigInt(text) <= largestUint64)) return revision;
  const why = isNumber ? 'value out of range' : 'invalid syntax';
  const quoted = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`;
}
