// Kubernetes' own functions of lists.
import { declareFunctions } from '../declarations.ts';
import type { Library } from '../types.ts';

export function kubernetesListLibrary(): Library {
  const each = (types: readonly string[], overload: (type: string) => string): string[] => types.map((type) => `  ${overload(type)}`);
  const text = [
    'isSorted',
    ...each(comparable, (type) => `list_${type}_is_sorted_bool: list(${type}).() -> bool`),
    'sum',
    ...each(summable, (type) => `list_${type}_sum_${type}: list(${type}).() -> ${type}`),
    'max',
    ...each(comparable, (type) => `list_${type}_max_${type}: list(${type}).() -> ${type}`),
    'min',
    ...each(comparable, (type) => `list_${type}_min_${type}: list(${type}).() -> ${type}`),
    'indexOf',
    '  list_a_index_of_int: list(A).(A) -> int',
    'lastIndexOf',
    '  list_a_last_index_of_int: list(A).(A) -> int',
  ];
  return { functions: declareFunctions(text.join('\n')), variables: [] };
}

const summable = ['int', 'uint', 'double', 'duration'];
const comparable = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];
