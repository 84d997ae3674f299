import type { DeploymentStep } from './plan.ts';
import { type DeploymentView, sizeOf } from './view.ts';

/**
 * Recreate: no pod of the new template before the last old one has ended. Answers the steps that lead there, empty while it must be
 * waited for; undefined when the way is free.
 */
export function planRecreate({ old }: DeploymentView, oldPodsRun: () => boolean): readonly DeploymentStep[] | undefined {
  const active = old.filter((set) => sizeOf(set) > 0);
  if (active.length > 0) return active.map((set) => ({ do: 'scale', set, size: 0 }));
  return oldPodsRun() ? [] : undefined;
}
