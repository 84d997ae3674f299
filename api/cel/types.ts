// The types of CEL and how functions over them are declared.
import type { Macro } from './macros.ts';

/** A type as the checker sees it. `param` stands for any type within one declaration: `list(A)`. */
export type CelType =
  | { readonly kind: 'dyn' | 'error' | 'null' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'duration' | 'timestamp' | 'any' }
  | { readonly kind: 'list'; readonly element: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  /** A type known by name: `optional_type(A)`, `kubernetes.Quantity`. */
  | { readonly kind: 'opaque'; readonly name: string; readonly parameters: readonly CelType[] }
  /** A message with fields, known to the environment by name. */
  | { readonly kind: 'object'; readonly name: string }
  /** A value that is itself a type: `type(1) == int`. */
  | { readonly kind: 'type'; readonly of: CelType | undefined }
  /** `google.protobuf.Int64Value` and its like: the primitive or null. */
  | { readonly kind: 'wrapper'; readonly of: 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' }
  | { readonly kind: 'param'; readonly name: string };

/** One signature of a function. */
export interface Overload {
  /** As upstream names it, which costs refer to: `string_to_quantity`. */
  readonly id: string;
  /** Called as `parameters[0].name(rest)`; otherwise `name(parameters)`. */
  readonly isMember: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
}

export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
}

export interface VariableDeclaration {
  readonly name: string;
  readonly type: CelType;
}

/** A set of functions and names that belongs together: the standard library, `ext.strings`, Kubernetes' quantities. */
export interface Library {
  readonly functions: readonly FunctionDeclaration[];
  readonly variables: readonly VariableDeclaration[];
  readonly macros?: readonly Macro[];
}
