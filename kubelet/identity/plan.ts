import type { Validity } from './certificate-file.ts';

/**
 * When a certificate is to be replaced: somewhere in the last third to tenth of its life, `random` (0 to 1) says where, so that the nodes
 * of a cluster do not all come at once. From upstream's certificate manager (70 to 90 % of the life).
 */
export function rotationMs({ notBeforeMs, notAfterMs }: Validity, random: number): number {
  return notBeforeMs + (notAfterMs - notBeforeMs) * (0.7 + 0.2 * random);
}
