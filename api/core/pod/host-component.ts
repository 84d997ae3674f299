// Which manifests say what a host runs as processes of its own: Coxswain's components and etcd, which need no image (ADR 12).
import type { V1Pod } from '#api/generated/types.ts';

/** Components that come with this package. */
export const bundledComponents: readonly string[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'cloud-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'coxswain-dns',
];

/**
 * The program and its arguments where a pod is one such component and nothing else; undefined for every other pod, and for what is none:
 * it is asked before anything is validated.
 */
export function hostCommandOf({ spec }: V1Pod): readonly [program: string, ...args: string[]] | undefined {
  const [container, ...others] = listOf(spec?.containers);
  if (container === undefined || others.length > 0 || listOf(spec?.initContainers).length > 0) return undefined;
  const [program = '', ...args] = [...listOf(container?.command), ...listOf(container?.args)];
  return program === 'etcd' || bundledComponents.includes(program) ? [program, ...args] : undefined;
}

function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [];
}

export function isHostComponent(pod: V1Pod): boolean {
  return hostCommandOf(pod) !== undefined;
}
