// What an expression may name: functions, variables, types and messages. Built once per use (selectors of devices, rules of a schema) and
// shared by all expressions of that use.
import type { Macro } from './macros.ts';
import { crossTypeComparisons } from './standard-library.ts';
import type { CelType, FunctionDeclaration, Library, Overload } from './types.ts';

/** A message: the type that its name stands for, and its fields. */
export interface MessageType {
  readonly type: CelType;
  readonly fields: Pick<ReadonlyMap<string, CelType>, 'get'>;
}

export interface EnvironmentOptions {
  readonly libraries: readonly Library[];
  readonly messages?: ReadonlyMap<string, MessageType>;
  /** Names of numbers: members of enumerations. */
  readonly constants?: ReadonlyMap<string, bigint>;
  /** The namespace in which names are looked up first, `a.b.c`. */
  readonly container?: string;
  /** Short names for qualified ones. */
  readonly aliases?: ReadonlyMap<string, string>;
  readonly hasOptionals?: boolean;
  /** `1 < 2.0` is refused where false. */
  readonly comparesAcrossTypes?: boolean;
}

export interface Named {
  readonly type: CelType;
  /** Set for members of enumerations. */
  readonly constant?: bigint;
}

export class Environment {
  readonly container: string;
  readonly macros: readonly Macro[];
  /** `a.?b` and its like can be written. */
  readonly hasOptionals: boolean;
  readonly disabledOverloads: ReadonlySet<string>;
  readonly #options: EnvironmentOptions;
  readonly #functions = new Map<string, { name: string; overloads: Overload[] }>();
  readonly #variables = new Map<string, CelType>();

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.container = options.container ?? '';
    this.macros = options.libraries.flatMap(({ macros = [] }) => macros);
    this.hasOptionals = options.hasOptionals ?? false;
    this.disabledOverloads = new Set(options.comparesAcrossTypes === false ? crossTypeComparisons : []);
    for (const { functions, variables } of options.libraries) {
      for (const declared of functions) this.#declare(declared);
      for (const { name, type } of variables) this.#variables.set(name, type);
    }
  }

  /** Libraries may each add overloads to one function. */
  #declare({ name, overloads }: FunctionDeclaration): void {
    const known = this.#functions.get(name);
    if (known === undefined) {
      this.#functions.set(name, { name, overloads: [...overloads] });
    } else {
      known.overloads.push(...overloads.filter(({ id }) => known.overloads.every((one) => one.id !== id)));
    }
  }

  findFunction(name: string): FunctionDeclaration | undefined {
    return first(this.candidates(name), (candidate) => this.#functions.get(candidate));
  }

  /** A name outside of comprehensions, together with the full one under which it was found. */
  findName(name: string): (Named & { readonly name: string }) | undefined {
    return first(this.candidates(name), (candidate) => {
      const named = this.#global(candidate);
      return named === undefined ? undefined : { ...named, name: candidate };
    });
  }

  #global(name: string): Named | undefined {
    const variable = this.#variables.get(name);
    if (variable !== undefined) return { type: variable };
    const message = this.#options.messages?.get(name);
    if (message !== undefined) return { type: { kind: 'type', of: message.type } };
    const constant = this.#options.constants?.get(name);
    return constant === undefined ? undefined : { type: { kind: 'int' }, constant };
  }

  /** What `name{…}` makes: the type and the full name; undefined where no type has the name. */
  findType(name: string): { readonly name: string; readonly type: CelType } | undefined {
    return first(this.candidates(name), (candidate) => {
      const variable = this.#variables.get(candidate);
      const known = variable?.kind === 'type' ? variable.of : undefined;
      const type = known ?? this.#options.messages?.get(candidate)?.type;
      return type === undefined ? undefined : { name: candidate, type };
    });
  }

  /** True for names of types that values have; a message that only its fields are known of is none. */
  isTypeName(name: string): boolean {
    return this.#variables.get(name)?.kind === 'type';
  }

  isMessage(name: string): boolean {
    return this.#options.messages?.has(name) === true;
  }

  findField(message: string, field: string): CelType | undefined {
    return this.#options.messages?.get(message)?.fields.get(field);
  }

  /** The full names that a name may stand for, innermost namespace first. */
  candidates(name: string): string[] {
    const isRooted = name.startsWith('.');
    const bare = isRooted ? name.slice(1) : name;
    const dot = bare.indexOf('.');
    const head = dot < 0 ? bare : bare.slice(0, dot);
    const alias = this.#options.aliases?.get(head);
    if (alias !== undefined) return [alias + bare.slice(head.length)];
    if (isRooted || this.container === '') return [bare];
    const parts = this.container.split('.');
    return [...parts.map((_, at) => `${parts.slice(0, parts.length - at).join('.')}.${bare}`), bare];
  }
}

function first<T>(names: readonly string[], find: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = find(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
