// Lists as sets.
import { declareFunctions } from '../declarations.ts';
import type { Library } from '../types.ts';

export function setLibrary(): Library {
  return { functions: declareFunctions(setFunctions), variables: [] };
}

const setFunctions = `
sets.contains
  list_sets_contains_list: (list(T), list(T)) -> bool
sets.equivalent
  list_sets_equivalent_list: (list(T), list(T)) -> bool
sets.intersects
  list_sets_intersects_list: (list(T), list(T)) -> bool
`;
