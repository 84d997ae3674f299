// Which taints the pods of a namespace tolerate: its annotation (or the cluster's default) is merged into each new pod's tolerations,
// and all that a pod tolerates must be covered by what the namespace (or the cluster) allows.
import { qosClassOf } from '#api/core/pod/qos.ts';
import type { V1Namespace, V1Pod, V1Toleration } from '#api/generated/types.ts';
import { notFound } from '#api/meta/status.ts';
import type { Json } from '#api/meta/object.ts';
import { plainValue } from '#api/schema/decode-leaf.ts';
import { valueText } from '#api/schema/decode-state.ts';
import { JsonError, parseJson } from '#api/schema/json.ts';
import type { Shape } from '#base/document-shape.ts';
import type { AdmissionPlugin, AdmissionRequest, Encoded, Registry } from '../registry/contract.ts';
import { plainError } from '../registry/failures.ts';
import { compiled } from './compiled.ts';
import { covers, mergeTolerations } from './merge-tolerations.ts';
import { concerns } from './refusal.ts';
import { withNamespace } from './with-namespace.ts';

/** For namespaces without the annotations. */
export interface TolerationSettings {
  readonly defaults: readonly V1Toleration[];
  /** Empty: anything may be tolerated. */
  readonly allowed: readonly V1Toleration[];
}

export const openTolerations: TolerationSettings = { defaults: [], allowed: [] };

/** As they stand in the configuration. */
export const tolerationsShape = [
  { key: 'string', operator: 'string', value: 'string', effect: 'string', tolerationSeconds: 'number' },
] as const satisfies Shape;

const defaultsAnnotation = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const allowedAnnotation = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';
/** Who is promised memory stays where it becomes scarce. */
const memoryPressure: V1Toleration = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' };

export function podTolerationRestriction(registry: () => Registry, settings: TolerationSettings): AdmissionPlugin {
  // Read only when they are needed: an invalid annotation affects only the pods that it applies to.
  const defaultsOf = compiled(({ metadata }: V1Namespace) => tolerationsIn(metadata, defaultsAnnotation) ?? settings.defaults);
  const allowedIn = compiled(({ metadata }: V1Namespace) => tolerationsIn(metadata, allowedAnnotation) ?? settings.allowed);
  const check = ({ spec }: V1Pod, namespace: Encoded): void => {
    const tolerations = spec?.tolerations ?? [];
    if (tolerations.length === 0) return;
    const allowed = allowedIn(namespace);
    if (allowed.length === 0 || tolerations.every((one) => allowed.some((wide) => covers(wide, one)))) return;
    throw plainError('pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist');
  };
  const mutate = (pod: V1Pod, namespace: Encoded, operation: AdmissionRequest['operation']): void => {
    const { spec, status } = pod;
    if (spec === undefined) return;
    const added = operation === 'CREATE' ? defaultsOf(namespace) : [];
    const pressed = (status?.qosClass ?? qosClassOf(spec)) === 'BestEffort' ? [] : [memoryPressure];
    const merged = mergeTolerations(mergeTolerations(added, spec.tolerations ?? []), pressed);
    if (merged.length > 0) spec.tolerations = merged.map((one) => ({ ...one }));
    check(pod, namespace);
  };
  const onPods = (request: AdmissionRequest, act: (pod: V1Pod, namespace: Encoded) => void): Promise<void> | undefined => {
    const { operation, object } = request;
    if (!concerns(request, 'pods') || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
    const missing = (name: string) => notFound({ group: '', plural: 'namespaces' }, name);
    return withNamespace(registry, request, (namespace) => act(object as V1Pod, namespace), missing);
  };
  return {
    name: 'PodTolerationRestriction',
    mutate: (request) => onPods(request, (pod, namespace) => mutate(pod, namespace, request.operation)),
    validate: (request) => onPods(request, check),
  };
}

/** Undefined without the annotation. Throws a plain 500 where it is no list of tolerations. */
function tolerationsIn(metadata: V1Namespace['metadata'], annotation: string): readonly V1Toleration[] | undefined {
  const text = metadata?.annotations?.[annotation];
  if (text === undefined) return undefined;
  if (text === '') return [];
  let parsed: Json;
  try {
    parsed = plainValue(parseJson(Buffer.from(text)).value);
  } catch (error) {
    throw error instanceof JsonError ? plainError(error.message, error) : error;
  }
  if (parsed === null) return [];
  if (!Array.isArray(parsed)) throw mismatch(parsed, 'value', '[]v1.Toleration');
  return parsed.map(tolerationOf);
}

/** Go's types of its members, by their names in lower case: it takes any case, and whatever else there is. */
const memberTypes: Readonly<Record<string, readonly [name: keyof V1Toleration, type: string]>> = {
  effect: ['effect', 'v1.TaintEffect'],
  key: ['key', 'string'],
  operator: ['operator', 'v1.TolerationOperator'],
  tolerationseconds: ['tolerationSeconds', 'int64'],
  value: ['value', 'string'],
};

function tolerationOf(item: Json): V1Toleration {
  if (item === null) return {};
  if (typeof item !== 'object' || Array.isArray(item)) throw mismatch(item, 'value', 'v1.Toleration');
  const toleration: Record<string, Json> = {};
  for (const [given, value] of Object.entries(item)) {
    const known = given.toLowerCase();
    const [name, type] = (Object.hasOwn(memberTypes, known) ? memberTypes[known] : undefined) ?? [];
    if (name === undefined || type === undefined || value === null) continue;
    const fits = type === 'int64' ? Number.isSafeInteger(value) : typeof value === 'string';
    if (!fits) throw mismatch(value, `struct field Toleration.${name}`, type);
    toleration[name] = value;
  }
  return toleration as V1Toleration;
}

function mismatch(value: Json, place: string, type: string): Error {
  return plainError(`json: cannot unmarshal ${valueText(value, type)} into Go ${place} of type ${type}`);
}
