// What the older form (autoscaling/v1) has no fields for, it keeps in annotations: all metrics but the CPU's share, behavior, what was
// measured, and conditions. The names and the JSON in them are upstream's, which clients read.
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from '#api/generated/types.ts';
import type { Json } from '../meta/object.ts';

type Annotations = Readonly<Record<string, string>>;

const prefix = 'autoscaling.alpha.kubernetes.io/';
export const metricsAnnotation = `${prefix}metrics`;
export const behaviorAnnotation = `${prefix}behavior`;
export const currentMetricsAnnotation = `${prefix}current-metrics`;
export const conditionsAnnotation = `${prefix}conditions`;

/** What says something of the spec, and of the status. */
export const specAnnotations: readonly string[] = [metricsAnnotation, behaviorAnnotation];
export const statusAnnotations: readonly string[] = [currentMetricsAnnotation, conditionsAnnotation];
const all: readonly string[] = [...specAnnotations, ...statusAnnotations];

/** The annotations that are nothing but that. */
export function withoutRoundTrips(annotations: Annotations): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !all.includes(name)));
}

/** An annotation's text does not hold what it should. */
class AnnotationError extends Error {
  override readonly name = 'AnnotationError';
}

type Members = Readonly<Record<string, Json>>;

/** Reads an annotation; undefined where it is missing or holds something else, which counts for nothing. */
export function readAnnotation<T>(annotations: Annotations | undefined, name: string, read: (value: Json) => T): T | undefined {
  const text = annotations?.[name];
  if (text === undefined) return undefined;
  try {
    return read(JSON.parse(text) as Json);
  } catch (error) {
    if (error instanceof AnnotationError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The list that an annotation holds. */
export function listOf<T>(read: (value: Json) => T): (value: Json) => T[] {
  return (value) => {
    if (value === null) return [];
    if (!Array.isArray(value)) throw new AnnotationError('not a list');
    return value.map(read);
  };
}

/** The members of an object. */
export function membersOf(value: Json | undefined): Members {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new AnnotationError('not an object');
  return value;
}

export function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new AnnotationError('not a text');
  return value;
}

export function integerOf(value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value)) throw new AnnotationError('not an integer');
  return value as number;
}

/** An amount, as text. */
export function amountOf(value: Json | undefined): string | undefined {
  const text = typeof value === 'number' ? String(value) : textOf(value);
  if (text !== undefined && !/^[-+]?[0-9.]+(?:[eE][-+]?[0-9]+|[numkMGTPE]?i?|Ki)$/.test(text)) throw new AnnotationError('not an amount');
  return text;
}

/** An object without the members that are missing. */
export function compact<T extends object>(members: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

/** Upstream writes its inner type here, with Go's names. */
export function behaviorText({ scaleUp, scaleDown }: V2HorizontalPodAutoscalerBehavior): string {
  const shown = (rules: V2HPAScalingRules | undefined): object | null =>
    rules === undefined
      ? null
      : {
          StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
          SelectPolicy: rules.selectPolicy ?? null,
          Policies:
            rules.policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ?? null,
          Tolerance: rules.tolerance ?? null,
        };
  return JSON.stringify({ ScaleUp: shown(scaleUp), ScaleDown: shown(scaleDown) });
}

/** Undefined where it says nothing. Go's reader takes names in any case. */
export function readBehavior(value: Json): V2HorizontalPodAutoscalerBehavior | undefined {
  const { scaleup, scaledown } = lowerMembers(value);
  const behavior = compact<V2HorizontalPodAutoscalerBehavior>({ scaleUp: readRules(scaleup), scaleDown: readRules(scaledown) });
  return Object.keys(behavior).length === 0 ? undefined : behavior;
}

function readRules(value: Json | undefined): V2HPAScalingRules | undefined {
  if (value === undefined || value === null) return undefined;
  const { stabilizationwindowseconds: window, selectpolicy, policies, tolerance } = lowerMembers(value);
  const read = listOf((one) => {
    const { type, value: amount, periodseconds } = lowerMembers(one);
    return { type: textOf(type) ?? '', value: integerOf(amount) ?? 0, periodSeconds: integerOf(periodseconds) ?? 0 };
  });
  return compact<V2HPAScalingRules>({
    stabilizationWindowSeconds: integerOf(window),
    selectPolicy: textOf(selectpolicy),
    policies: policies === undefined || policies === null ? undefined : read(policies),
    tolerance: amountOf(tolerance),
  });
}

function lowerMembers(value: Json): Members {
  return Object.fromEntries(Object.entries(membersOf(value)).map(([name, member]) => [name.toLowerCase(), member]));
}
