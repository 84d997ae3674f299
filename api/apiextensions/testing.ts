// CustomResourceDefinitions as YAML, from parts that a test replaces.
export const names = 'names: {plural: widgets, kind: Widget}';
/** The least that a version's schema may be. */
export const schema = '{openAPIV3Schema: {type: object}}';
/** One member of spec.versions; `v1` is the stored one. */
export const version = (more: string, name = 'v1'): string => `{name: ${name}, served: true, storage: ${name === 'v1'}, ${more}}`;
/** A definition with these versions and, in `more`, further members of its spec. */
export const definition = (versions: string, more = ''): string =>
  `metadata: {name: widgets.acme.io}\nspec: {group: acme.io, scope: Namespaced, ${names}, versions: [${versions}]${more === '' ? '' : `, ${more}`}}`;
/** A valid definition. */
export const fine = definition(version(`schema: ${schema}`));
/** A definition with one version, whose schema has these members besides `type: object`. */
export const shaped = (members: string): string => definition(version(`schema: {openAPIV3Schema: {type: object, ${members}}}`));
/** The same with one property `p`. */
export const below = (property: string): string => shaped(`properties: {p: {${property}}}`);

/** Where errors place the schema of a single version. */
export const root = 'spec.validation.openAPIV3Schema';
/** Where they place that of the property `p`. */
export const at = `${root}.properties[p]`;
