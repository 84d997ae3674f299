// For the paths of JSON patches. Only mutating policies have it.
import { declareFunctions } from '../declarations.ts';
import type { Library } from '../types.ts';

export function jsonPatchLibrary(): Library {
  return { functions: declareFunctions(jsonPatchFunctions), variables: [] };
}

const jsonPatchFunctions = `
jsonpatch.escapeKey
  string_jsonpatch_escapeKey_string: (string) -> string
`;
