import type { JsonObject } from '#api/meta/object.ts';
import type { DecodableKind } from '#api/schema/codec.ts';
import { warningsOf } from '#api/schema/strict-problems.ts';
import { objectBody } from '../http/body.ts';
import type { Exchange } from '../http/exchange.ts';
import { writeContext } from '../http/options.ts';
import type { VerbDeps } from '../http/verbs/verb.ts';
import type { RequestContext } from '../registry/contract.ts';

/** The object in the body of an act such as a binding, and what the query says about the write. Throws as the registry does. */
export async function actBody(
  exchange: Exchange,
  kind: DecodableKind,
  { codec }: VerbDeps,
): Promise<{ readonly body: JsonObject; readonly context: RequestContext }> {
  const context = writeContext(exchange, 'CreateOptions');
  const { object, warnings } = codec.decodeBody(await objectBody(exchange), kind, context.fieldValidation);
  for (const warning of warnings.flatMap(warningsOf)) exchange.warn(warning);
  exchange.audit?.requested(object);
  return { body: object as unknown as JsonObject, context };
}

/** A member that is an object, `{}` where it is absent or something else. */
export function member(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** A member that is a text, '' where it is absent or something else. */
export function text(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : '';
}
