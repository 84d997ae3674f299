import { type ApiError, badRequest } from '#api/meta/status.ts';

/**
 * The refusal of a value that is nested deeper than some step's stack allows, which is a few thousand levels; undefined for other failures.
 * Reading has no such bound but upstream's, of 10,000 levels; some of the steps behind it recurse, which they may, for who else goes so deep?
 */
export function tooDeep(error: unknown): ApiError | undefined {
  return error instanceof RangeError && error.message.startsWith('Maximum call stack size')
    ? badRequest('json: exceeded max depth')
    : undefined;
}
