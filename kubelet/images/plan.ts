// What to do about a container's image, from its pull policy and what is known. Pure.

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

export interface ImageView {
  readonly policy: PullPolicy;
  readonly isPresent: boolean;
  /** Until when pulls of this image for this pod wait after failures; undefined: no wait. */
  readonly backOffUntilMs: number | undefined;
  readonly nowMs: number;
}

export type ImagePlan =
  | { readonly kind: 'use' }
  | { readonly kind: 'pull' }
  /** Not before `ms` have passed. */
  | { readonly kind: 'backOff'; readonly ms: number }
  | { readonly kind: 'neverPull' };

export function planImage({ policy, isPresent, backOffUntilMs, nowMs }: ImageView): ImagePlan {
  if (isPresent && policy !== 'Always') return { kind: 'use' };
  if (policy === 'Never') return { kind: 'neverPull' };
  if (backOffUntilMs !== undefined && backOffUntilMs > nowMs) return { kind: 'backOff', ms: backOffUntilMs - nowMs };
  return { kind: 'pull' };
}
