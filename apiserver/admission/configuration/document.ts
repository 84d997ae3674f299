// A plugin's own configuration, as it stands in a file. Every mistake ends the start with a sentence that names the place.
import { parse } from 'yaml';
import { type Shape, shapeProblems } from '#base/document-shape.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { FieldProblem } from '#api/meta/field-problem.ts';
import { readFlagFile } from '../../authn/flags.ts';

export interface ConfigurationDocument {
  readonly content: unknown;
  /** The file, and the part of it, for messages. */
  readonly place: string;
}

/** What a document may be. Without `kind` it bears neither kind nor version. */
interface DocumentType {
  readonly kind?: string;
  readonly versions?: readonly string[];
  readonly shape: Readonly<Record<string, Shape>>;
}

export const configurationFlag = 'admission-control-config-file';

export function readDocument(path: string): ConfigurationDocument {
  const text = readFlagFile(path, configurationFlag);
  try {
    return { content: parse(text), place: path };
  } catch (error) {
    throw refused(path, error instanceof Error ? error.message : String(error));
  }
}

/** The document, known to be of that type. Throws UsageError, saying all that is wrong. */
export function checkDocument<T>({ content, place }: ConfigurationDocument, { kind, versions = [], shape }: DocumentType): T {
  const { kind: itsKind, apiVersion } = (content ?? {}) as { readonly kind?: unknown; readonly apiVersion?: unknown };
  if (kind !== undefined && (itsKind !== kind || !versions.includes(String(apiVersion)))) {
    throw refused(place, `it must be of kind ${kind}, version ${versions.join(' or ')}`);
  }
  const problems = shapeProblems(content, kind === undefined ? shape : { ...shape, kind: 'string', apiVersion: 'string' });
  if (problems.length > 0) throw refused(place, problems.join('; '));
  return withoutNulls(content ?? {}) as T;
}

/** Throws UsageError where there are any. */
export function refuseProblems(place: string, problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw refused(place, problems.map(({ field, message }) => `${field}: ${message}`).join('; '));
}

export function refused(place: string, why: string): UsageError {
  return new UsageError(`${place}: ${why}`, { exitCode: 1 });
}

/** Null stands for what is absent. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) => inner ?? undefined);
}
