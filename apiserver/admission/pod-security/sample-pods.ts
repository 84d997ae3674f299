// How tests say which pods keep and which break a check of the standards, by the versions in which it has that form.
import type { V1Container, V1ObjectMeta, V1PodSpec, V1PodSecurityContext, V1SecurityContext } from '#api/generated/types.ts';
import type { CheckedLevel } from './check.ts';

export interface SamplePod {
  readonly metadata: V1ObjectMeta;
  readonly spec: V1PodSpec;
}

/** What a sample has otherwise than a minimal good pod; of the container "c" and the init container "i". */
export interface Change {
  readonly spec?: Partial<V1PodSpec>;
  readonly pod?: Partial<V1PodSecurityContext>;
  readonly c?: Partial<V1SecurityContext>;
  readonly i?: Partial<V1SecurityContext>;
  readonly partsOfC?: Partial<V1Container>;
  readonly partsOfI?: Partial<V1Container>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Samples {
  readonly check: string;
  readonly level: CheckedLevel;
  readonly since: number;
  /** The first version in which it is otherwise. */
  readonly until?: number;
  /** From this version on restricted pods are judged by another check instead. */
  readonly onlyBaselineSince?: number;
  readonly good: readonly Change[];
  readonly bad: readonly Bad[];
}

/** `text` is the warning about the pod; `whenCreated` that or the complete rejection where creating it says something else. */
export type Bad = readonly [change: Change, text: string, whenCreated?: string];

/** A pod that says no more than a level demands of it. */
export function minimalPod(level: CheckedLevel, minor: number): SamplePod {
  if (level === 'baseline') return samplePod({}, {}, {});
  const context: V1SecurityContext = {
    ...(minor >= 8 ? { allowPrivilegeEscalation: false } : {}),
    ...(minor >= 22 ? { capabilities: { drop: ['ALL'] } } : {}),
  };
  const seccompProfile = minor >= 19 ? { seccompProfile: { type: 'RuntimeDefault' } } : {};
  return samplePod({ runAsNonRoot: true, ...seccompProfile }, context, context);
}

function samplePod(pod: V1PodSecurityContext, c: V1SecurityContext, i: V1SecurityContext): SamplePod {
  const spec = {
    initContainers: [{ name: 'i', image: 'pause', securityContext: i }],
    containers: [{ name: 'c', image: 'pause', securityContext: c }],
    securityContext: pod,
  };
  return { metadata: { name: 'sample' }, spec };
}

/** The pod with a change; what a change sets to undefined is gone. */
export function changed({ metadata, spec }: SamplePod, change: Change): SamplePod {
  const container = (before: V1Container | undefined, context: Change['c'], parts: Change['partsOfC']): V1Container => ({
    ...before,
    name: before?.name ?? '',
    securityContext: { ...before?.securityContext, ...context } as V1SecurityContext,
    ...parts,
  });
  const whole: SamplePod = {
    metadata: { ...metadata, ...(change.annotations === undefined ? {} : { annotations: change.annotations }) },
    spec: {
      ...spec,
      initContainers: [container(spec.initContainers?.[0], change.i, change.partsOfI)],
      containers: [container(spec.containers[0], change.c, change.partsOfC)],
      securityContext: { ...spec.securityContext, ...change.pod } as V1PodSecurityContext,
      ...change.spec,
    },
  };
  return JSON.parse(JSON.stringify(whole)) as SamplePod;
}

/** A change of both containers. */
export const both = (context: Partial<V1SecurityContext>): Change => ({ c: context, i: context });
