import { parse } from 'yaml';
import type { JsonObject } from '#api/meta/object.ts';
import { badRequest } from '#api/meta/status.ts';
import type { Exchange } from '../http/exchange.ts';
import { objectBody } from '../http/verbs/write.ts';

/** The object in the body of an act such as a binding. Throws BadRequest for what is no object, or an object of another kind. */
export async function actBody(exchange: Exchange, kind: string): Promise<JsonObject> {
  const { bytes, mediaType } = await objectBody(exchange);
  let value: unknown;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    value = mediaType === 'application/yaml' ? parse(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  }
  const object = value as JsonObject;
  if (object['kind'] !== undefined && object['kind'] !== '' && object['kind'] !== kind) {
    const given = `${String(object['apiVersion'] ?? '')}, Kind=${String(object['kind'])}`;
    throw badRequest(`${kind} in version "v1" cannot be handled as a ${kind}: the object given is ${given}`);
  }
  return object;
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
