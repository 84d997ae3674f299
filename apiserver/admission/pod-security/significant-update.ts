import type { V1Pod } from '#api/generated/types.ts';
import type { AnyContainer } from './check.ts';

const podAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';

/** Whether an update changes anything of a pod that the standards look at and that may be changed at all. */
export function isSignificantUpdate(next: V1Pod, previous: V1Pod): boolean {
  if (next.metadata?.annotations?.[podAnnotation] !== previous.metadata?.annotations?.[podAnnotation]) return true;
  const changed = (container: AnyContainer, before: AnyContainer | undefined): boolean => {
    if (before === undefined || container.image !== before.image) return true;
    const key = `${seccompAnnotation}${container.name}`;
    return next.metadata?.annotations?.[key] !== previous.metadata?.annotations?.[key];
  };
  for (const list of ['containers', 'initContainers'] as const) {
    const containers = next.spec?.[list] ?? [];
    const before = previous.spec?.[list] ?? [];
    if (containers.length !== before.length || containers.some((container, at) => changed(container, before[at]))) return true;
  }
  const before = previous.spec?.ephemeralContainers ?? [];
  return (next.spec?.ephemeralContainers ?? []).some((container) =>
    changed(
      container,
      before.find(({ name }) => name === container.name),
    ),
  );
}
