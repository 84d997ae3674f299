// Annotations of nodes that clients of long ago wrote, and that are judged still (pkg/apis/core/validation/validation.go).
import type { V1Taint } from '#api/generated/types.ts';
import { type FieldProblem, invalid, required } from '../../meta/field-problem.ts';
import type { Json } from '../../meta/object.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { JsonError, parseJson } from '../../schema/json.ts';
import { validateTaints } from './taints.ts';

const taintsKey = 'scheduler.alpha.kubernetes.io/taints';
const avoidKey = 'scheduler.alpha.kubernetes.io/preferAvoidPods';

interface AvoidPods {
  readonly preferAvoidPods?: readonly { readonly podSignature?: { readonly podController?: { readonly controller?: boolean } } }[];
}

export function validateNodeAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: string): FieldProblem[] {
  if (annotations === undefined) return [];
  return [...validateOldTaints(annotations[taintsKey] ?? '', path), ...validateAvoidPods(annotations[avoidKey] ?? '', path)];
}

/** Taints were an annotation once; by their names in Go, for want of others. */
function validateOldTaints(text: string, path: string): FieldProblem[] {
  if (text === '') return [];
  const parsed = parsedOr(text, (why) => invalid(path, taintsKey, why));
  if ('problem' in parsed) return [parsed.problem];
  const taints = Array.isArray(parsed.value) ? parsed.value : [];
  return validateTaints(taints.map(taintOf), `${path}.${taintsKey}`);
}

/** Go takes the names of members in any case. */
function taintOf(value: Json): Unchecked<V1Taint> {
  const members = Object.entries(value ?? {}).map(([name, member]) => [name.toLowerCase(), member]);
  return Object.fromEntries(members) as Unchecked<V1Taint>;
}

/** Whose pods had better go elsewhere: those of controllers. */
function validateAvoidPods(text: string, path: string): FieldProblem[] {
  if (text === '') return [];
  const parsed = parsedOr(text, (why) => invalid(`${path}.AvoidPods`, avoidKey, why));
  if ('problem' in parsed) return [parsed.problem];
  const entries = (parsed.value as AvoidPods | null)?.preferAvoidPods ?? [];
  return entries.flatMap(({ podSignature }, at) => {
    const field = `${path}.${avoidKey}[${at}].PodSignature`;
    const controller = podSignature?.podController;
    if (controller === undefined) return [required(field)];
    return controller.controller === true ? [] : [invalid(`${field}.PodController.Controller`, false, 'must point to a controller')];
  });
}

function parsedOr(text: string, problemOf: (why: string) => FieldProblem): { readonly value: Json } | { readonly problem: FieldProblem } {
  try {
    return { value: parseJson(Buffer.from(text)).value as Json };
  } catch (error) {
    if (error instanceof JsonError) return { problem: problemOf(error.message) };
    throw error;
  }
}
