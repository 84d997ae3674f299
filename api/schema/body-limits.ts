import { ApiError } from '#api/meta/status.ts';

/**
 * As many values (numbers, texts, lists, objects; keys do not count) as a body may hold. What fits into 3 MB would be a million
 * empty objects, and each costs every later step something: they would hold up everybody else for many seconds. Objects that people
 * make have some tens of thousands at most.
 */
export const maxBodyValues = 100_000;

/** The 413 answer for bodies with more values. */
export function tooManyValues(): ApiError {
  return new ApiError({ reason: 'RequestEntityTooLarge', message: `Request entity too large: limit is ${maxBodyValues} values` });
}
