/** What a plugin says about a pod on a node. */
export type Verdict =
  | { readonly kind: 'fits' }
  /** Not while things are as they are: pods that go from this node could change it. */
  | { readonly kind: 'notNow'; readonly reasons: readonly string[] }
  /** No pod's going would help: the node or the pod itself must change. */
  | { readonly kind: 'neverHere'; readonly reasons: readonly string[] };

export const fits: Verdict = { kind: 'fits' };

/** Reasons in upstream's words; they are counted over all nodes and shown to users. */
export function notNow(...reasons: string[]): Verdict {
  return { kind: 'notNow', reasons };
}

/** Reasons in upstream's words; they are counted over all nodes and shown to users. */
export function neverHere(...reasons: string[]): Verdict {
  return { kind: 'neverHere', reasons };
}
