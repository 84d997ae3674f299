// Derives api/generated from the two pinned packages that carry the field facts of the built-in types: interfaces (types.ts), compact data
// (schemas.ts) and texts (descriptions.ts, parameters.ts). Reads them, never imports them; does nothing when the outputs belong to the inputs.
//
// The data is one JSON text: definition -> { p: property -> type, r: required }. A type is a scalar's name (string, boolean, int32,
// int64, double, byte, time, int-or-string, any), `#definition`, or one of these behind `[]` (list) or `{}` (map).
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageDefinitions, packageGroups, parameterOperations } from '#api/schema/facts-names.ts';

interface Attribute {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

interface Model {
  readonly definition: string;
  readonly className: string;
  readonly attributes: readonly Attribute[];
  readonly required: ReadonlySet<string>;
  /** '' is the type's own; properties by name as in the class. */
  readonly descriptions: ReadonlyMap<string, string>;
}

const root = join(import.meta.dirname, '..');
const models = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
const operations = join(models, '../apis/CoreV1Api.js');
const described = join(root, 'node_modules/kubernetes-models');
const describedMeta = join(root, 'node_modules/@kubernetes-models/apimachinery');
const out = join(root, 'api/generated');

const stamp = inputStamp();
const stampFile = join(out, '.stamp');
const isCurrent =
  existsSync(stampFile) &&
  readFileSync(stampFile, 'utf8') === stamp &&
  existsSync(join(out, 'types.ts')) &&
  existsSync(join(out, 'schemas.ts')) &&
  existsSync(join(out, 'descriptions.ts')) &&
  existsSync(join(out, 'parameters.ts'));
if (!isCurrent) generate();

function generate(): void {
  const classes = classNames();
  const definitions = new Map([...classes].map(([definition, className]) => [className, definition]));
  const all = [...classes].map(([definition, className]) => readModel(definition, className));
  mkdirSync(out, { recursive: true });
  write('types.ts', typesText(all));
  write(
    'schemas.ts',
    constantText('schemasText', 'Shapes of all definitions, as scripts/generate-api.ts describes.', shapes(all, definitions)),
  );
  write('descriptions.ts', constantText('descriptionsText', '`{ texts, of }`: definition -> property -> index of its text.', texts(all)));
  write('parameters.ts', parametersText());
  write('.stamp', stamp);
}

function write(name: string, text: string): void {
  // Renamed into place: a compiler that runs at the same time sees the old file or the new one, never half of it.
  const temporary = join(out, `.${name}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(out, name));
}

/** What the outputs depend on: both packages' versions, the names, and this script. */
function inputStamp(): string {
  const hash = createHash('sha256');
  for (const file of [join(models, '../../../package.json'), join(described, 'package.json'), join(describedMeta, 'package.json')]) {
    hash.update(String((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version));
  }
  for (const file of [join(root, 'api/schema/facts-names.ts'), import.meta.filename]) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** Definition -> class of client-node, for the definitions that have one. A class with the group in its name wins: the other is stale. */
function classNames(): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, words] of Object.entries(packageDefinitions)) {
    const segments = name.split('.');
    const version = capital(segments.at(-1) ?? '');
    const group = capital(segments.at(-2) ?? '');
    for (const kind of words.trim().split(/\s+/)) {
      const candidates = [`${group}${version}${kind}`, `${version}${kind}`];
      const className = candidates.find((candidate) => existsSync(join(models, `${candidate}.d.ts`)));
      if (className !== undefined) result.set(`${name}.${kind}`, className);
    }
  }
  return result;
}

function readModel(definition: string, className: string): Model {
  const code = readFileSync(join(models, `${className}.js`), 'utf8');
  const declaration = readFileSync(join(models, `${className}.d.ts`), 'utf8');
  const map = /attributeTypeMap = (\[[\s\S]*?\n\]|\[\]);/.exec(code)?.[1] ?? '[]';
  const attributes = JSON.parse(map) as Attribute[];
  const required = new Set([...declaration.matchAll(/^ {4}'([^']+)': /gm)].map((match) => match[1] ?? ''));
  const descriptions = commentsOf(declaration, /'/);
  // Fields of these types carry the type's text instead of their own.
  for (const { name, type } of attributes) if (type === 'IntOrString' || type === 'V1MicroTime') descriptions.delete(name);
  return { definition, className, attributes, required, descriptions: completed(descriptions, definition) };
}

/** Client-node's descriptions, with line breaks and the reference fields' texts from kubernetes-models where it has the type. */
function completed(own: Map<string, string>, definition: string): Map<string, string> {
  const segments = definition.split('.');
  const kind = segments.pop() ?? '';
  const version = segments.pop() ?? '';
  const name = segments.join('.');
  const file = name.startsWith('io.k8s.apimachinery.')
    ? join(describedMeta, name.slice('io.k8s.apimachinery.pkg.'.length).replaceAll('.', '/'), version, `${kind}.d.ts`)
    : join(described, packageGroups[name] ?? '', version, `${kind}.d.ts`);
  if (!existsSync(file)) return own;
  for (const [property, text] of commentsOf(readFileSync(file, 'utf8'), /"/)) {
    const mine = own.get(property);
    if (mine === undefined || collapse(mine) === collapse(text)) own.set(property, text);
  }
  return own;
}

/** The doc comments of a declaration file: the type's own under '', each property's under its name. */
function commentsOf(text: string, quote: RegExp): Map<string, string> {
  const result = new Map<string, string>();
  const pattern = new RegExp(
    `/\\*\\*\\n((?: *\\*[^\\n]*\\n)+?) *\\*/\\n(?:export (?:declare class|interface) \\w+|    ${quote.source}([^'"]+)${quote.source}\\??:)`,
    'g',
  );
  for (const [, body = '', property = ''] of text.matchAll(pattern)) {
    if (result.has(property)) continue;
    const lines = body.split('\n').map((line) => line.replace(/^ *\* ?/, ''));
    result.set(property, unescaped(lines.join('\n').trim()));
  }
  return result;
}

/** What operations say of their parameters, by what they stand for. */
function parametersText(): string {
  const code = readFileSync(operations, 'utf8');
  const texts = Object.entries(parameterOperations).map(([group, operation]) => {
    const comment = new RegExp(`/\\*\\*\\n((?: *\\*[^\\n]*\\n)+?) *\\*/\\n *async ${operation}\\(`).exec(code)?.[1];
    if (comment === undefined) throw new Error(`no operation ${operation}`);
    const entries = [...comment.matchAll(/@param (\w+) (.+)/g)].map(
      ([, name = '', text = '']) => [name.replace(/^_/, ''), plain(text)] as const,
    );
    return [group, Object.fromEntries(entries)] as const;
  });
  const literal = JSON.stringify(Object.fromEntries(texts), null, 2);
  return `// Generated by scripts/generate-api.ts. Do not edit.\n/** What an operation says of its parameters. */\nexport const parameterTexts = ${literal} as const;\n`;
}

/** A comment's text without HTML's escapes and backslashes, and with the colons of addresses, which were lost there. */
function plain(text: string): string {
  const characters: Readonly<Record<string, string>> = { quot: '"', amp: '&', lt: '<', gt: '>', '#39': "'", '#x60': '`', '#x3D': '=' };
  return text
    .trim()
    .replaceAll(/&(\w+|#\w+);/g, (whole, name: string) => characters[name] ?? whole)
    .replaceAll(/\\(["'])/g, '$1')
    .replaceAll(/\b(https?) \/\//g, '$1://');
}

/** A text without what protected it in a comment: quotes and stars, and slashes beside stars. */
function unescaped(text: string): string {
  return text
    .replaceAll(/\\(['"*/])/g, '$1')
    .replaceAll('*_/', '*/')
    .replaceAll('/_*', '/*');
}

function typesText(all: readonly Model[]): string {
  const parts = [
    '// Generated by scripts/generate-api.ts from @kubernetes/client-node. Do not edit.',
    'export type IntOrString = number | string;',
    'export type V1MicroTime = string;',
    'export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };',
  ];
  for (const model of all) {
    const isTop = isTopLevel(model);
    const lines = model.attributes.map(({ name, baseName, type }) => {
      // Top-level objects always have metadata once they are decoded.
      const optional = model.required.has(name) || (isTop && name === 'metadata') ? '' : '?';
      return `  ${/^\w+$/.test(baseName) ? baseName : JSON.stringify(baseName)}${optional}: ${typeText(type)};`;
    });
    parts.push(
      lines.length === 0
        ? `export type ${model.className} = Record<string, never>;`
        : `export interface ${model.className} {\n${lines.join('\n')}\n}`,
    );
  }
  return `${parts.join('\n')}\n`;
}

function isTopLevel({ attributes }: Model): boolean {
  const has = (property: string): boolean => attributes.some(({ name }) => name === property);
  return has('apiVersion') && has('kind') && attributes.some(({ name, type }) => name === 'metadata' && /^V1(Object|List)Meta$/.test(type));
}

function typeText(type: string): string {
  return type.replace(/\bDate\b/g, 'string').replace(/\bany\b/g, 'JsonValue');
}

function shapes(all: readonly Model[], definitions: ReadonlyMap<string, string>): unknown {
  const result: Record<string, unknown> = {};
  for (const { definition, attributes, required } of all) {
    const p = Object.fromEntries(attributes.map(({ baseName, type, format }) => [baseName, shapeOf(type, format, definitions)]));
    const r = attributes.filter(({ name }) => required.has(name)).map(({ baseName }) => baseName);
    result[definition] = r.length === 0 ? { p } : { p, r };
  }
  return result;
}

function shapeOf(type: string, format: string, definitions: ReadonlyMap<string, string>): string {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return `[]${shapeOf(list, format, definitions)}`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) return `{}${shapeOf(map, format, definitions)}`;
  if (type === 'number') return format;
  if (type === 'Date') return 'time';
  if (type === 'V1MicroTime') return 'micro-time';
  if (type === 'IntOrString') return 'int-or-string';
  if (type === 'string') return format === 'byte' ? 'byte' : 'string';
  if (type === 'boolean' || type === 'any') return type;
  const definition = definitions.get(type);
  if (definition === undefined) throw new Error(`no definition for the type ${type}`);
  return `#${definition}`;
}

function texts(all: readonly Model[]): unknown {
  const index = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = index.get(text);
    if (known !== undefined) return known;
    index.set(text, index.size);
    return index.size - 1;
  };
  const of = Object.fromEntries(
    all.map(({ definition, attributes, descriptions }) => {
      const entries: [string, number][] = [];
      const own = descriptions.get('');
      if (own !== undefined) entries.push(['', numberOf(own)]);
      for (const { name, baseName } of attributes) {
        const text = descriptions.get(name) ?? descriptions.get(baseName);
        if (text !== undefined) entries.push([baseName, numberOf(text)]);
      }
      return [definition, Object.fromEntries(entries)];
    }),
  );
  return { texts: [...index.keys()], of };
}

/** A module with one long JSON text: engines skip over a string at no cost, and it is parsed on first use. */
function constantText(name: string, comment: string, value: unknown): string {
  const literal = JSON.stringify(JSON.stringify(value)).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  return `// Generated by scripts/generate-api.ts. Do not edit.\n/** ${comment} */\nexport const ${name}: string =\n  ${literal};\n`;
}

function capital(text: string): string {
  return text === '' ? '' : (text[0] ?? '').toUpperCase() + text.slice(1);
}

function collapse(text: string): string {
  return text.replace(/\s+/g, ' ');
}
