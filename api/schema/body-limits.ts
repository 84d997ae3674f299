import { ApiError } from '#api/meta/status.ts';

/**
 * As many values (numbers, texts, lists, objects; keys do not count) as a body may hold that is read between other requests. What fits
 * into 3 MB would be a million empty objects, and each costs every later step something. Whoever reads on a process of its own says
 * Infinity: there the size alone counts, as upstream.
 */
export const maxBodyValues = 100_000;

/** The 413 answer for bodies with more values. */
export function tooManyValues(most: number): ApiError {
  return new ApiError({ reason: 'RequestEntityTooLarge', message: `Request entity too large: limit is ${most} values` });
}
