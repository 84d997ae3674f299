// What a regular expression finds in a string.
import { declareFunctions } from '../declarations.ts';
import type { Library } from '../types.ts';

export function regexLibrary(): Library {
  return { functions: declareFunctions(regexFunctions), variables: [] };
}

const regexFunctions = `
find
  string_find_string: string.(string) -> string
findAll
  string_find_all_string: string.(string) -> list(string)
  string_find_all_string_int: string.(string, int) -> list(string)
`;
