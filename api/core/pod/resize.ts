import { equalValues } from '../../meta/equality.ts';
import { type FieldProblem, forbiddenField, invalid } from '../../meta/field-problem.ts';
import type { Pod } from './pod.ts';
import { isSidecar } from './pod-resources.ts';
import { qosClassOf } from './qos.ts';

/** What the resize endpoint may change: CPU and memory of running containers, without changing the pod's QoS class. */
export function validateResize(next: Pod, prev: Pod): FieldProblem[] {
  if (qosClassOf(next.spec) !== (prev.status?.qosClass ?? qosClassOf(prev.spec))) {
    return [invalid('spec', next.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing')];
  }
  const problems: FieldProblem[] = [];
  for (const list of ['containers', 'initContainers'] as const) {
    const before = prev.spec[list] ?? [];
    const now = next.spec[list] ?? [];
    if (now.length !== before.length || now.some(({ name }, at) => name !== before[at]?.name)) {
      return [forbiddenField(`spec.${list}`, `${list} may not be added, removed, renamed or reordered`)];
    }
    now.forEach((container, at) => {
      const old = before[at];
      if (old === undefined || equalValues(container.resources, old.resources)) return;
      const path = `spec.${list}[${at}].resources`;
      if (list === 'initContainers' && !isSidecar(container)) {
        problems.push(forbiddenField(path, 'resources for non-sidecar init containers are immutable'));
      }
      for (const which of ['limits', 'requests'] as const) {
        problems.push(...validateChange(container.resources?.[which] ?? {}, old.resources?.[which] ?? {}, `${path}.${which}`));
      }
    });
  }
  return problems;
}

function validateChange(next: Record<string, string>, prev: Record<string, string>, path: string): FieldProblem[] {
  const names = [...new Set([...Object.keys(next), ...Object.keys(prev)])].filter((name) => next[name] !== prev[name]);
  return names.flatMap((name) => {
    if (name !== 'cpu' && name !== 'memory') return [forbiddenField(path, 'only cpu and memory resources are mutable')];
    return next[name] === undefined
      ? [forbiddenField(path, `resource ${path.endsWith('limits') ? 'limits' : 'requests'} cannot be removed`)]
      : [];
  });
}
