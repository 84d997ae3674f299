// Declarations of functions as text. A line that begins at the margin names a function, the indented ones below it are its overloads:
//
//   startsWith
//     starts_with_string: string.(string) -> bool        called as `a.startsWith(b)`
//   size
//     size_list: (list(A)) -> int                        called as `size(a)`
//
// Types are written as upstream prints them. A single capital letter stands for any type; a name followed by parentheses that is none of
// the built-in ones is a type known by name (`net.IP()`, `optional_type(A)`), a bare one a message (`kubernetes.Quantity`).
import assert from 'node:assert';
import type { CelType, FunctionDeclaration, Overload } from './types.ts';

const simpleTypes = new Map<string, CelType>(
  (['dyn', 'null', 'bool', 'int', 'uint', 'double', 'string', 'bytes', 'duration', 'timestamp', 'any'] as const).map((kind) => [
    kind,
    { kind },
  ]),
);

/** Throws an assertion where the text is not of the form above. */
export function declareFunctions(text: string): FunctionDeclaration[] {
  const functions: { name: string; overloads: Overload[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const isOverload = /^\s/.test(line);
    if (isOverload) {
      const last = functions.at(-1);
      assert(last !== undefined, `an overload without a function: ${line}`);
      last.overloads.push(parseOverload(line.trim()));
    } else {
      functions.push({ name: line.trim(), overloads: [] });
    }
  }
  return functions;
}

/** The type that a text names: `map(string, list(A))`. */
export function parseType(text: string): CelType {
  const reader = new TypeReader(text);
  const type = reader.type();
  reader.end();
  return type;
}

function parseOverload(text: string): Overload {
  const colon = text.indexOf(': ');
  const arrow = text.lastIndexOf(' -> ');
  assert(colon > 0 && arrow > colon, `not a declaration: ${text}`);
  const reader = new TypeReader(text.slice(colon + 2, arrow));
  const isMember = !reader.isAt('(');
  const target = isMember ? [reader.type()] : [];
  if (isMember) reader.take('.');
  const parameters = [...target, ...reader.list()];
  reader.end();
  return { id: text.slice(0, colon), isMember, parameters, result: parseType(text.slice(arrow + 4)) };
}

class TypeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAt(sign: string): boolean {
    return this.#text.startsWith(sign, this.#at);
  }

  take(sign: string): void {
    assert(this.isAt(sign), `${sign} is missing in ${this.#text} at ${this.#at}`);
    this.#at += sign.length;
  }

  end(): void {
    assert(this.#at === this.#text.length, `more than a type: ${this.#text}`);
  }

  list(): CelType[] {
    const types: CelType[] = [];
    this.take('(');
    while (!this.isAt(')')) {
      if (types.length > 0) this.take(', ');
      types.push(this.type());
    }
    this.take(')');
    return types;
  }

  type(): CelType {
    const name = /^[\w.]*\w/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    this.take(name);
    const simple = simpleTypes.get(name);
    if (simple !== undefined) return simple;
    const parameters = this.isAt('(') ? this.list() : undefined;
    return typeOf(name, parameters);
  }
}

function typeOf(name: string, parameters: CelType[] | undefined): CelType {
  const [first, second] = parameters ?? [];
  switch (name) {
    case 'list':
      assert(first !== undefined);
      return { kind: 'list', element: first };
    case 'map':
      assert(first !== undefined && second !== undefined);
      return { kind: 'map', key: first, value: second };
    case 'type':
      return { kind: 'type', of: first };
    case 'wrapper':
      return wrapperOf(first);
  }
  assert(name !== '', 'a type has a name');
  if (parameters !== undefined) return { kind: 'opaque', name, parameters };
  return /^[A-Z]$/.test(name) ? { kind: 'param', name } : { kind: 'object', name };
}

const primitives = ['bool', 'int', 'uint', 'double', 'string', 'bytes'] as const;

function wrapperOf(type: CelType | undefined): CelType {
  const primitive = primitives.find((kind) => kind === type?.kind);
  assert(primitive !== undefined, 'only primitives have wrappers');
  return { kind: 'wrapper', of: primitive };
}
