import type { V1Pod, V1PodSpec } from '#api/generated/types.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../registry/contract.ts';
import { concerns, refusal } from './refusal.ts';

/** The classes that every cluster has. */
const systemClasses: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};
const defaultPolicy = 'PreemptLowerPriority';

/** Fills in a pod's priority from its class: the two of the system, or none (0), until PriorityClass objects are served. */
export const priority: AdmissionPlugin = {
  name: 'Priority',
  mutate: (request) => {
    if (!concerns(request, 'pods')) return;
    const { spec } = (request.object ?? {}) as V1Pod;
    if (spec === undefined) return;
    if (request.operation === 'CREATE') admit(request, spec);
    if (request.operation === 'UPDATE') keep(spec, (request.previous as V1Pod | undefined)?.spec);
  },
};

function admit(request: AdmissionRequest, spec: V1PodSpec): void {
  const className = spec.priorityClassName ?? '';
  const computed = className === '' ? 0 : systemClasses[className];
  if (computed === undefined) throw refusal(request, `no PriorityClass with name ${className} was found`);
  const source = 'priority admission controller computed';
  if (spec.priority !== undefined && spec.priority !== computed) {
    throw refusal(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ${source} ${computed} from the given PriorityClass name`,
    );
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== defaultPolicy) {
    throw refusal(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ${source} ${defaultPolicy} from the given PriorityClass name`,
    );
  }
  spec.priority = computed;
  spec.preemptionPolicy = defaultPolicy;
}

/** Clients that send a pod without what was filled in do not mean to clear it. */
function keep(spec: V1PodSpec, previous: V1PodSpec | undefined): void {
  if (spec.priority === undefined && previous?.priority !== undefined) spec.priority = previous.priority;
  if (spec.preemptionPolicy === undefined && previous?.preemptionPolicy !== undefined) spec.preemptionPolicy = previous.preemptionPolicy;
}
