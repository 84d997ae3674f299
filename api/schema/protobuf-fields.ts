import { protobufFields } from './facts-protobuf.ts';
import type { ObjectSchema } from './schema.ts';

/** What stands at a field number of a message. */
export interface NumberedField {
  readonly number: number;
  /** The property of the JSON form; '' for a message whose fields stand in its parent there. */
  readonly name: string;
  /** The fields of such a message. */
  readonly inlined: readonly NumberedField[] | undefined;
  /** A list with a message of its own around it. */
  readonly isWrapped: boolean;
  /** Held by value in Go, which writes it also where JSON has nothing. */
  readonly isAlways: boolean;
}

const listFields = parse('', 'metadata items');

/** The fields of a type in the order of their numbers; undefined for types that upstream does not have in protobuf. */
export function numberedFields(schema: ObjectSchema): readonly NumberedField[] | undefined {
  const { name = '', properties } = schema;
  const split = name.lastIndexOf('.');
  const packageName = name.slice(0, split);
  const text = factsOf(packageName, name.slice(split + 1));
  if (text !== undefined) return parse(packageName, text);
  if (name !== '' && Object.keys(properties).length === 0) return [];
  return name.endsWith('List') && properties['items'] !== undefined ? listFields : undefined;
}

function parse(packageName: string, text: string): readonly NumberedField[] {
  const fields: NumberedField[] = [];
  let number = 0;
  for (const token of text.split(' ')) {
    const [word = '', at] = token.split('=');
    number = at === undefined ? number + 1 : Number(at);
    if (word === '-') continue;
    const isInlined = word.startsWith('+');
    fields.push({
      number,
      name: isInlined ? '' : word.replace(/[*!]$/, ''),
      inlined: isInlined ? inlinedFields(packageName, word.slice(1)) : undefined,
      isWrapped: word.endsWith('*'),
      isAlways: word.endsWith('!'),
    });
  }
  return fields;
}

/** @param type of the same package, or written out. */
function inlinedFields(packageName: string, type: string): readonly NumberedField[] {
  const split = type.lastIndexOf('.');
  const home = split < 0 ? packageName : type.slice(0, split);
  return parse(home, factsOf(home, type.slice(split + 1)) ?? '-');
}

function factsOf(packageName: string, type: string): string | undefined {
  const types = Object.hasOwn(protobufFields, packageName) ? protobufFields[packageName] : undefined;
  return types !== undefined && Object.hasOwn(types, type) ? types[type] : undefined;
}
