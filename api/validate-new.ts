import type { KindDefinition, WriteContext } from './kind.ts';
import { addAll } from './meta/add-all.ts';
import type { FieldProblem } from './meta/field-problem.ts';
import { nameIsDnsSubdomain, nameIsPathSegment } from './meta/names.ts';
import type { KubeObject } from './meta/object.ts';
import { validateNames, validateObjectMeta } from './meta/object-meta.ts';

/** What is wrong with a new object that is complete: its metadata, then what the kind asks for. */
export function validateNew<T extends KubeObject>(kind: KindDefinition<T>, object: T, context: WriteContext): FieldProblem[] {
  const meta = object.metadata;
  const rules = { namespaced: kind.scope === 'namespaced', checkName: kind.validateName ?? nameIsDnsSubdomain };
  const problems = validateObjectMeta(meta, rules);
  if (kind.validate !== undefined) addAll(problems, kind.validate(object, context));
  // Whatever a kind allows, a name must fit into a path.
  if (problems.length === 0) addAll(problems, validateNames(meta, nameIsPathSegment));
  return problems;
}
