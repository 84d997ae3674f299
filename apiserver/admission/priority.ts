import type { V1Pod, V1PodSpec } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { defaultPreemption, type PriorityClass } from '#api/scheduling/priority-class.ts';
import { hasReason } from '#api/meta/status.ts';
import { internalContext } from '../internal-context.ts';
import type { AdmissionPlugin, AdmissionRequest, Registry } from '../registry/contract.ts';
import { concerns, refusal } from './refusal.ts';

/** What a pod's class says of it. */
type Priority = Pick<PriorityClass, 'value' | 'preemptionPolicy'> & { readonly className: string };

const noClass: Priority = { className: '', value: 0, preemptionPolicy: defaultPreemption };

/** Gives pods the priority of their class or of the default class, and sees to it that there is one default at most. */
export function priority(registry: () => Registry): AdmissionPlugin {
  return {
    name: 'Priority',
    mutate: (request) => {
      if (!concerns(request, 'pods')) return undefined;
      const { spec } = (request.object ?? {}) as V1Pod;
      if (spec === undefined) return undefined;
      if (request.operation === 'UPDATE') keep(spec, (request.previous as V1Pod | undefined)?.spec);
      return request.operation === 'CREATE' ? admit(registry(), request, spec) : undefined;
    },
    validate: (request) => {
      const { kind, operation, object } = request;
      if (kind.group !== 'scheduling.k8s.io' || kind.kind !== 'PriorityClass' || operation === 'DELETE') return;
      if ((object as PriorityClass).globalDefault === true) checkOnlyDefault(registry(), request);
    },
  };
}

function admit(registry: Registry, request: AdmissionRequest, spec: V1PodSpec): Promise<void> | undefined {
  const className = spec.priorityClassName ?? '';
  const kind = priorityClasses(registry);
  if (className === '') {
    const found = kind && defaultClass(registry, kind);
    apply(request, spec, found === undefined ? noClass : priorityOf(found));
    return undefined;
  }
  const known = kind && registry.peek(kind, '', className);
  if (known !== undefined) {
    apply(request, spec, priorityOf(known.object() as PriorityClass));
    return undefined;
  }
  const missing = refusal(request, `no PriorityClass with name ${className} was found`);
  if (kind === undefined) throw missing;
  // Another API server may have made it just now.
  return registry.get(kind, className, '', internalContext({}, request.context.signal)).then(
    (found) => apply(request, spec, priorityOf(found.object() as PriorityClass)),
    (error: unknown) => {
      throw hasReason(error, 'NotFound') ? missing : error;
    },
  );
}

function priorityClasses(registry: Registry): KindDefinition | undefined {
  return registry.find('scheduling.k8s.io', 'v1', 'priorityclasses');
}

/** The default class; the lowest, should two have become it in a race. */
function defaultClass(registry: Registry, kind: KindDefinition): PriorityClass | undefined {
  const classes = registry.peekAll(kind, '').map((encoded) => encoded.object() as PriorityClass);
  return classes.filter(({ globalDefault }) => globalDefault === true).toSorted((a, b) => a.value - b.value)[0];
}

function priorityOf({ metadata, value, preemptionPolicy }: PriorityClass): Priority {
  return { className: metadata.name ?? '', value, ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }) };
}

function apply(request: AdmissionRequest, spec: V1PodSpec, { className, value, preemptionPolicy }: Priority): void {
  const source = 'priority admission controller computed';
  if (className !== '') spec.priorityClassName = className;
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refusal(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ${source} ${value} from the given PriorityClass name`,
    );
  }
  spec.priority = value;
  if (preemptionPolicy === undefined) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw refusal(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ${source} ${preemptionPolicy} from the given PriorityClass name`,
    );
  }
  spec.preemptionPolicy = preemptionPolicy;
}

/** Clients that send a pod without what was filled in do not mean to clear it. */
function keep(spec: V1PodSpec, previous: V1PodSpec | undefined): void {
  if (spec.priority === undefined && previous?.priority !== undefined) spec.priority = previous.priority;
  if (spec.preemptionPolicy === undefined && previous?.preemptionPolicy !== undefined) spec.preemptionPolicy = previous.preemptionPolicy;
}

function checkOnlyDefault(registry: Registry, request: AdmissionRequest): void {
  const current = defaultClass(registry, request.kind)?.metadata.name;
  if (current === undefined || (request.operation === 'UPDATE' && current === request.name)) return;
  throw refusal(request, `PriorityClass ${current} is already marked as default. Only one default can exist`);
}
