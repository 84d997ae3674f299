// How a volume says what it is: it has members for all types, of which exactly one may be set. Pods and PersistentVolumes walk through
// theirs in upstream's order, and the first one counts.
import { type FieldProblem, forbiddenField, required } from '../../meta/field-problem.ts';

/** A type of volume: where it is found, and what it must be. */
export interface SourceRule<Volume> {
  readonly kind: string & keyof Volume;
  /** Problems of the volume, which has this source. `path` is the source's. */
  readonly check: (volume: Volume, path: string) => FieldProblem[];
  /** How upstream calls the source in its own problems, where that is not its name. */
  readonly calledAs?: string;
  /** How upstream calls it where it is one too many, where that is not its name. */
  readonly clashesAs?: string;
  /** Judged even behind another source. */
  readonly isAlways?: true;
}

/** The problems of a volume's source. */
export function validateOneSource<Volume>(rules: readonly SourceRule<Volume>[], volume: Volume, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  let isFound = false;
  for (const { kind, check, calledAs = kind, clashesAs = kind, isAlways } of rules) {
    if (volume[kind] === undefined) continue;
    if (isFound && isAlways !== true) problems.push(forbiddenField(`${path}.${clashesAs}`, 'may not specify more than 1 volume type'));
    else problems.push(...check(volume, `${path}.${calledAs}`));
    isFound = true;
  }
  return isFound ? problems : [required(path, 'must specify a volume type')];
}

/** `Required value` for each member that is missing or empty, in this order. */
export function requireMembers<Source extends object>(
  source: Source | undefined,
  path: string,
  members: readonly (string & keyof Source)[],
): FieldProblem[] {
  return members.flatMap((member) => (isEmpty(source?.[member]) ? [required(`${path}.${member}`)] : []));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}
