// The schemas of the built-in types: shapes derived from the pinned package, joined with the facts of our own beside this file.
import { descriptionsText } from '#api/generated/descriptions.ts';
import { schemasText } from '#api/generated/schemas.ts';
import { columnFacts } from './facts-columns.ts';
import { alwaysThere, noticedLists, pointerStrings, requiredPointers, valueScalars, valueTimes } from './facts-go.ts';
import { embeddedStructs, namedKeys, namedLists } from './facts-go-names.ts';
import { namedStrings } from './facts-string-types.ts';
import { atomicStructs, listFacts, mapTypeFacts } from './facts-lists.ts';
import { packageGroups } from './facts-names.ts';
import { specialReferences } from './facts-special.ts';
import type { ListRules, ObjectSchema, Presence, Property, Schema, SpecialSchema } from './schema.ts';

/** `p`: property -> type, `r`: required ones. scripts/generate-api.ts says how types are written. */
interface Shape {
  readonly p: Readonly<Record<string, string>>;
  readonly r?: readonly string[];
}

/** `of`: definition -> property ('' is the definition itself) -> index into `texts`. */
interface Texts {
  readonly texts: readonly string[];
  readonly of: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What a definition and its properties mean, as published. */
interface DefinitionTexts {
  readonly text: string | undefined;
  readonly property: (name: string) => string | undefined;
}

/** Definitions that are no structs, with the special type that stands for each. Time's and the like are published by type alone. */
const specialTypes: Readonly<Record<string, SpecialSchema['type']>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'raw',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'fields-v1',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'any',
};

const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const metaTypes: readonly string[] = [`${metaPackage}.ObjectMeta`, `${metaPackage}.ListMeta`];
/** Top-level types of the meta package; those of other packages have metadata. */
const metaKinds = new Set(['APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'DeleteOptions', 'Status', 'WatchEvent']);

/** The schemas of the built-in types, built as they are asked for. Trees are shared and never change once given out. */
export class SchemaSet {
  readonly #shapes: Readonly<Record<string, Shape>>;
  readonly #built = new Map<string, ObjectSchema>();
  readonly #rules = new Map<string, ListRules>();
  readonly #mapTypes = new Map<string, 'atomic' | 'granular'>();
  readonly #atomic: ReadonlySet<string>;
  readonly #special = new Map<string, string>();
  readonly #presence = new Map<string, Presence>();
  readonly #typeNames = new Map<string, string>();
  readonly #keyNames = new Map<string, string>();
  readonly #listNames = new Map<string, string>();
  readonly #embedded = new Map<string, string>();
  #texts: Texts | undefined;

  /** @param shapesText the data that scripts/generate-api.ts derives. */
  constructor(shapesText: string) {
    this.#shapes = JSON.parse(shapesText) as Record<string, Shape>;
    for (const { rules, of } of listFacts) for (const site of sitesOf(of)) this.#rules.set(site, rules);
    for (const type of ['atomic', 'granular'] as const) for (const site of sitesOf(mapTypeFacts[type])) this.#mapTypes.set(site, type);
    this.#atomic = new Set(sitesOf(atomicStructs));
    for (const [definition, of] of Object.entries(specialReferences)) for (const site of sitesOf(of)) this.#special.set(site, definition);
    for (const site of sitesOf(pointerStrings)) this.#presence.set(site, 'keep');
    for (const site of sitesOf(noticedLists)) this.#presence.set(site, 'keep');
    for (const site of sitesOf(requiredPointers)) this.#presence.set(site, 'keep');
    for (const site of sitesOf(valueScalars)) this.#presence.set(site, 'drop');
    for (const site of sitesOf(alwaysThere)) this.#presence.set(site, 'fill');
    for (const site of sitesOf(valueTimes)) this.#presence.set(site, 'fill');
    setAll(this.#typeNames, namedStrings);
    setAll(this.#keyNames, namedKeys);
    setAll(this.#listNames, namedLists);
    setAll(this.#embedded, embeddedStructs);
  }

  /** Every definition that is a struct. */
  names(): string[] {
    return Object.keys(this.#shapes);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#shapes, name) || isPropertyless(name);
  }

  /** The schema of a definition, such as io.k8s.api.apps.v1.Deployment. Throws for names that upstream does not have. */
  get(name: string): ObjectSchema {
    const known = this.#built.get(name);
    if (known !== undefined) return known;
    const shape = Object.hasOwn(this.#shapes, name) ? this.#shapes[name] : undefined;
    if (shape === undefined && !isPropertyless(name)) throw new Error(`no built-in type is called ${name}`);
    const properties: Record<string, Property> = {};
    const required = shape?.r ?? [];
    const mapType = this.#atomic.has(name) ? 'atomic' : undefined;
    const schema: ObjectSchema = { type: 'object', name, properties, required, mapType };
    // Known before its properties are, since types may hold themselves.
    this.#built.set(name, schema);
    for (const [property, type] of Object.entries(shape?.p ?? {})) {
      properties[property] = this.#property(name, property, type, required.includes(property));
    }
    return schema;
  }

  /** What a definition and its properties mean. */
  texts(name: string): DefinitionTexts {
    this.#texts ??= JSON.parse(descriptionsText) as Texts;
    const { texts, of } = this.#texts;
    const own = Object.hasOwn(of, name) ? of[name] : undefined;
    const at = (property: string): string | undefined => {
      const index = own !== undefined && Object.hasOwn(own, property) ? own[property] : undefined;
      return index === undefined ? undefined : texts[index];
    };
    return { text: at(''), property: at };
  }

  /** What a column of a kind's table means, where that is what a field means; '' where it is not. */
  columnText(definition: string, column: string): string {
    const facts = Object.hasOwn(columnFacts, definition) ? columnFacts[definition] : undefined;
    const site = facts !== undefined && Object.hasOwn(facts, column) ? facts[column] : undefined;
    if (site === undefined) return '';
    const packageName = definition.slice(0, definition.lastIndexOf('.'));
    const whole = site.startsWith('io.') ? site : `${packageName}.${site}`;
    const at = whole.lastIndexOf('.');
    return this.texts(whole.slice(0, at)).property(whole.slice(at + 1)) ?? '';
  }

  /** The definition of a kind, such as autoscaling/v1 Scale; undefined where upstream has none. */
  find({ group, version, kind }: GroupVersionKind): string | undefined {
    return Object.keys(packageGroups)
      .filter((name) => packageGroups[name] === group)
      .map((name) => `${name}.${version}.${kind}`)
      .find((name) => this.has(name));
  }

  /** The kind that a top-level definition is; undefined for parts of kinds. */
  kindOf(name: string): GroupVersionKind | undefined {
    const shape = Object.hasOwn(this.#shapes, name) ? this.#shapes[name] : undefined;
    const segments = name.split('.');
    const kind = segments.pop() ?? '';
    const version = segments.pop() ?? '';
    const group = packageGroups[segments.join('.')];
    if (shape === undefined || group === undefined) return undefined;
    const isTop = `${segments.join('.')}.${version}` === metaPackage ? metaKinds.has(kind) : isTopLevel(shape);
    return isTop ? { group, version, kind } : undefined;
  }

  #property(definition: string, property: string, type: string, isRequired: boolean): Property {
    const site = `${definition}.${property}`;
    const schema = this.#schema(site, type);
    const presence = this.#presence.get(site) ?? this.#usualPresence(definition, property, schema, isRequired);
    const mapType = this.#mapTypes.get(site);
    const embeddedIn = this.#embedded.get(site);
    return {
      schema,
      presence,
      ...(mapType === undefined ? {} : { mapType }),
      ...this.#rules.get(site),
      ...(embeddedIn === undefined ? {} : { embeddedIn }),
    };
  }

  #usualPresence(definition: string, property: string, schema: Schema, isRequired: boolean): Presence {
    switch (schema.type) {
      case 'object':
        return isRequired || this.#isValueStruct(definition, property, schema.name ?? '') ? 'fill' : 'keep';
      case 'string':
        if (schema.format === 'byte') return isRequired ? 'keep' : 'drop';
        return isRequired ? 'fill' : 'drop';
      case 'array':
      case 'map':
        return isRequired ? 'fill' : 'drop';
      case 'integer':
      case 'number':
      case 'boolean':
      case 'quantity':
      case 'int-or-string':
        return isRequired ? 'fill' : 'keep';
      case 'time':
      case 'micro-time':
      case 'any':
      case 'raw':
      case 'fields-v1':
        return 'keep';
    }
  }

  /** Metadata everywhere, spec and status of kinds: the structs that Go holds by value although they are optional. */
  #isValueStruct(definition: string, property: string, type: string): boolean {
    if (property === 'metadata') return metaTypes.includes(type);
    return (property === 'spec' || property === 'status') && this.kindOf(definition) !== undefined;
  }

  #list(site: string, type: string): Schema {
    const typeName = this.#listNames.get(site);
    return { type: 'array', items: this.#schema(site, type.slice(2)), ...(typeName === undefined ? {} : { typeName }) };
  }

  #map(site: string, type: string): Schema {
    const keyName = this.#keyNames.get(site);
    return { type: 'map', values: this.#schema(site, type.slice(2)), ...(keyName === undefined ? {} : { keyName }) };
  }

  #schema(site: string, type: string): Schema {
    if (type.startsWith('[]')) return this.#list(site, type);
    if (type.startsWith('{}')) return this.#map(site, type);
    if (type.startsWith('#')) return this.get(type.slice(1));
    const special = this.#special.get(site);
    if (special !== undefined) {
      const kind = specialTypes[special];
      return kind === undefined ? this.get(special) : { type: kind, name: special };
    }
    switch (type) {
      case 'string':
        return { type, typeName: this.#typeNames.get(site) };
      case 'boolean':
      case 'time':
      case 'micro-time':
      case 'int-or-string':
      case 'any':
        return { type };
      case 'int32':
      case 'int64':
        return { type: 'integer', format: type };
      case 'double':
        return { type: 'number', format: type };
      case 'byte':
        return { type: 'string', format: type };
      default:
        throw new Error(`no type is written ${type}`);
    }
  }
}

/** The schemas of every built-in type of v1.36. Costs a millisecond; keep what you get. */
export function builtinSchemas(): SchemaSet {
  return new SchemaSet(schemasText);
}

function isTopLevel({ p }: Shape): boolean {
  return p.apiVersion !== undefined && p.kind !== undefined && metaTypes.some((type) => p.metadata === `#${type}`);
}

/** Structs without properties: the package with the field facts shows them as anything. */
function isPropertyless(name: string): boolean {
  return Object.hasOwn(specialReferences, name) && !Object.hasOwn(specialTypes, name);
}

/** `package.Kind.property` (or `package.Kind`) of each word. */
function* sitesOf(words: Readonly<Record<string, string>>): Iterable<string> {
  for (const [name, list] of Object.entries(words)) for (const word of list.trim().split(/\s+/)) yield `${name}.${word}`;
}

/** Each site gets the name that it stands under. */
function setAll(to: Map<string, string>, names: Readonly<Record<string, Readonly<Record<string, string>>>>): void {
  for (const [name, of] of Object.entries(names)) for (const site of sitesOf(of)) to.set(site, name);
}
