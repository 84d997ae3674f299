// The operations that follow from the declared kinds, before they are written down in a version of OpenAPI. Names, order of words
// and parameters are upstream's (apiserver/pkg/endpoints/installer.go).
import type { KindDefinition, SubresourceRule } from '#api/kind.ts';
import type { GroupVersionKind, SchemaSet } from '#api/schema/schemas.ts';
import {
  connectParameters,
  createParameters,
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  logParameters,
  nameParameter,
  namespaceParameter,
  type Parameter,
  patchParameters,
  pretty,
  subpathParameter,
} from './parameters.ts';

type Method = 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';

/** What comes in or goes out: a definition's name, or bare text. */
export type Content = { readonly definition: string } | 'text';

export interface Operation {
  readonly method: Method;
  readonly id: string;
  readonly description: string | undefined;
  readonly tag: string;
  /** x-kubernetes-action; undefined outside of resources. */
  readonly action?: string;
  readonly kind?: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly definition: string; readonly isRequired: boolean };
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
  /** HTTP status -> what it carries. 401 comes by itself. */
  readonly responses: Readonly<Record<string, Content>>;
}

export interface Path {
  readonly path: string;
  readonly operations: readonly Operation[];
  /** Those that every operation of the path takes. */
  readonly parameters: readonly Parameter[];
}

export const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const protobuf = 'application/vnd.kubernetes.protobuf';
export const objectTypes: readonly string[] = ['application/json', 'application/yaml', protobuf];
const streamTypes = [...objectTypes, 'application/json;stream=watch', `${protobuf};stream=watch`];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const anyType = ['*/*'];
const statusCodes: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' };
const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** The text of a response's status. */
export function statusText(code: string): string {
  return statusCodes[code] ?? '';
}

/** The paths of one kind. */
export function pathsOf(kind: KindDefinition, schemas: SchemaSet): Path[] {
  return new KindPaths(kind, schemas).all();
}

/** `Core`, `Apps`, `RbacAuthorization`: how operations name a group. */
export function groupName(group: string): string {
  const words = (group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')).split('.');
  return words.map(capital).join('');
}

/** `core_v1`, `rbacAuthorization_v1`. */
export function tagOf(group: string, version?: string): string {
  const name = groupName(group);
  const lower = name.slice(0, 1).toLowerCase() + name.slice(1);
  return version === undefined ? lower : `${lower}_${version}`;
}

class KindPaths {
  readonly #kind: KindDefinition;
  readonly #schemas: SchemaSet;
  /** `CoreV1`. */
  readonly #prefix: string;
  /** `Namespaced` or nothing. */
  readonly #scope: string;
  readonly #base: string;
  readonly #gvk: GroupVersionKind;
  readonly #object: Content;

  constructor(kind: KindDefinition, schemas: SchemaSet) {
    const { group, version } = kind;
    this.#kind = kind;
    this.#schemas = schemas;
    this.#prefix = `${groupName(group)}${capital(version)}`;
    this.#scope = kind.scope === 'namespaced' ? 'Namespaced' : '';
    this.#base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    this.#gvk = { group, version, kind: kind.kind };
    this.#object = { definition: kind.schema };
  }

  all(): Path[] {
    const { names, scope } = this.#kind;
    const isNamespaced = scope === 'namespaced';
    const place = isNamespaced ? `/namespaces/{namespace}/${names.plural}` : `/${names.plural}`;
    const [collection, item] = [this.#collection(), this.#item()];
    const paths = [
      this.#path(`${this.#base}${place}`, [], collection),
      this.#path(`${this.#base}${place}/{name}`, [nameParameter(this.#kind.kind)], item),
      ...this.#subresources(`${this.#base}${place}/{name}`),
      ...this.#watches(place),
    ];
    if (isNamespaced && this.#has('list')) {
      const id = `list${this.#prefix}${this.#kind.kind}ForAllNamespaces`;
      paths.push(this.#path(`${this.#base}/${names.plural}`, [], [{ ...this.#list(), id }]));
    }
    return paths.filter(({ operations }) => operations.length > 0);
  }

  #has(verb: string): boolean {
    return (this.#kind.verbs ?? allVerbs).includes(verb);
  }

  #path(path: string, extra: readonly Parameter[], operations: readonly Operation[]): Path {
    const own = [...extra, ...(path.includes('{namespace}') ? [namespaceParameter] : [])];
    const isConnect = operations.some(({ action }) => action === 'connect');
    const common = operations[0]?.parameters.filter((one) => operations.every(({ parameters }) => parameters.includes(one))) ?? [];
    const parameters = [...own, ...(isConnect ? [] : [pretty]), ...common];
    const left = operations.map((one) => ({
      ...one,
      parameters: byName(one.parameters.filter((parameter) => !common.includes(parameter))),
    }));
    return { path, operations: left, parameters: byName(parameters) };
  }

  /** What all operations on this kind share. */
  #operation(method: Method, words: { id: string; action: string; description: string }): Operation {
    return {
      method,
      ...words,
      tag: tagOf(this.#kind.group, this.#kind.version),
      kind: this.#gvk,
      parameters: [],
      consumes: anyType,
      produces: objectTypes,
      responses: { 200: this.#object },
    };
  }

  #id(verb: string, suffix = ''): string {
    return `${verb}${this.#prefix}${this.#scope}${this.#kind.kind}${suffix}`;
  }

  #list(): Operation {
    const { kind } = this.#kind;
    const description = `${this.#has('watch') ? 'list or watch' : 'list'} objects of kind ${kind}`;
    return {
      ...this.#operation('get', { id: this.#id('list'), action: 'list', description }),
      parameters: listParameters,
      produces: streamTypes,
      responses: { 200: { definition: `${this.#kind.schema}List` } },
    };
  }

  #collection(): Operation[] {
    const { kind } = this.#kind;
    const operations: Operation[] = [];
    if (this.#has('deletecollection')) {
      const id = `delete${this.#prefix}Collection${this.#scope}${kind}`;
      operations.push({
        ...this.#operation('delete', { id, action: 'deletecollection', description: `delete collection of ${kind}` }),
        parameters: deleteCollectionParameters,
        body: { definition: `${metaPackage}.DeleteOptions`, isRequired: false },
        responses: { 200: { definition: `${metaPackage}.Status` } },
      });
    }
    if (this.#has('list')) operations.push(this.#list());
    if (this.#has('create')) operations.push(this.#create(this.#id('create'), `create${article(kind)}${kind}`, this.#object, this.#gvk));
    return operations;
  }

  #create(id: string, description: string, content: Content, gvk: GroupVersionKind): Operation {
    return {
      ...this.#operation('post', { id, action: 'post', description }),
      kind: gvk,
      parameters: createParameters,
      ...bodyOf(content),
      responses: { 200: content, 201: content, 202: content },
    };
  }

  #item(): Operation[] {
    const operations = this.#readAndWrite(
      '',
      ['get', 'patch', 'update'].filter((verb) => this.#has(verb)),
      this.#object,
      this.#gvk,
    );
    if (!this.#has('delete')) return operations;
    const { kind, answersDeleted = false } = this.#kind;
    const answer: Content = answersDeleted ? this.#object : { definition: `${metaPackage}.Status` };
    const deletion: Operation = {
      ...this.#operation('delete', { id: this.#id('delete'), action: 'delete', description: `delete${article(kind)}${kind}` }),
      parameters: deleteParameters,
      body: { definition: `${metaPackage}.DeleteOptions`, isRequired: false },
      responses: { 200: answer, 202: answer },
    };
    return [deletion, ...operations];
  }

  /** GET, PATCH and PUT of the object or of a part of it. */
  #readAndWrite(part: string, verbs: readonly string[], content: Content, gvk: GroupVersionKind): Operation[] {
    const { kind } = this.#kind;
    const of = `${part === '' ? '' : `${part} of `}the specified ${kind}`;
    const suffix = capital(part);
    const operations: Operation[] = [];
    if (verbs.includes('get')) {
      operations.push({
        ...this.#operation('get', { id: this.#id('read', suffix), action: 'get', description: `read ${of}` }),
        kind: gvk,
        responses: { 200: content },
      });
    }
    if (verbs.includes('patch')) {
      operations.push({
        ...this.#operation('patch', { id: this.#id('patch', suffix), action: 'patch', description: `partially update ${of}` }),
        kind: gvk,
        parameters: patchParameters,
        body: { definition: `${metaPackage}.Patch`, isRequired: true },
        consumes: patchTypes,
        responses: { 200: content, 201: content },
      });
    }
    if (verbs.includes('update')) {
      operations.push({
        ...this.#operation('put', { id: this.#id('replace', suffix), action: 'put', description: `replace ${of}` }),
        kind: gvk,
        parameters: createParameters,
        ...bodyOf(content),
        responses: { 200: content, 201: content },
      });
    }
    return operations;
  }

  #subresources(item: string): Path[] {
    const { subresources, kind, group, version } = this.#kind;
    const name = nameParameter(kind);
    const rules: [string, SubresourceRule][] = Object.entries(subresources?.other ?? {});
    const verbs = ['get', 'patch', 'update'] as const;
    if (subresources?.status === true) rules.push(['status', { verbs, kind }]);
    if (subresources?.scale !== undefined) rules.push(['scale', { verbs, kind: 'Scale', group: 'autoscaling', version: 'v1' }]);
    return rules.flatMap(([part, rule]) => {
      const gvk = { group: rule.group ?? group, version: rule.version ?? version, kind: rule.kind };
      if (rule.kind.endsWith('Options')) return this.#connections(`${item}/${part}`, part, rule, gvk);
      const content = this.#contentOf(part, gvk);
      const operations = this.#readAndWrite(part, rule.verbs, content, gvk);
      if (rule.verbs.includes('create')) {
        operations.push(this.#create(this.#id('create', capital(part)), `create ${part} of${article(kind)}${kind}`, content, gvk));
      }
      const shaped =
        part === 'log'
          ? operations.map((one) => ({ ...one, parameters: logParameters, produces: ['text/plain', ...objectTypes] }))
          : operations;
      return [this.#path(`${item}/${part}`, [name], shaped)];
    });
  }

  #contentOf(part: string, gvk: GroupVersionKind): Content {
    if (part === 'log') return 'text';
    const definition = gvk.kind === this.#kind.kind ? this.#kind.schema : this.#schemas.find(gvk);
    return definition === undefined ? 'text' : { definition };
  }

  /** Sub-resources that are a stream or a way through. */
  #connections(path: string, part: string, rule: SubresourceRule, gvk: GroupVersionKind): Path[] {
    const { kind } = this.#kind;
    const isProxy = part === 'proxy';
    const methods: Method[] = isProxy ? ['delete', 'get', 'head', 'options', 'patch', 'post', 'put'] : ['get', 'post'];
    const own = [nameParameter(kind), ...(connectParameters[rule.kind] ?? [])];
    const operations = (suffix: string): Operation[] =>
      methods.map((method) => ({
        ...this.#operation(method, {
          id: `connect${this.#prefix}${capital(method)}${this.#scope}${kind}${capital(part)}${suffix}`,
          action: 'connect',
          description: `connect ${method.toUpperCase()} requests to ${part} of ${kind}`,
        }),
        kind: gvk,
        produces: anyType,
        responses: { 200: 'text' },
      }));
    const paths = [this.#path(path, own, operations(''))];
    if (isProxy) paths.push(this.#path(`${path}/{path}`, [...own, subpathParameter], operations('WithPath')));
    return paths;
  }

  /** The old way to watch, by a path of its own. */
  #watches(place: string): Path[] {
    if (!this.#has('watch')) return [];
    const { kind, names, scope } = this.#kind;
    const use = "deprecated: use the 'watch' parameter with a list operation instead";
    const many = (id: string): Operation => ({
      ...this.#list(),
      id,
      action: 'watchlist',
      description: `watch individual changes to a list of ${kind}. ${use}.`,
      responses: { 200: { definition: `${metaPackage}.WatchEvent` } },
    });
    const one: Operation = {
      ...many(this.#id('watch')),
      action: 'watch',
      description: `watch changes to an object of kind ${kind}. ${use}, filtered to a single item with the 'fieldSelector' parameter.`,
    };
    const paths = [this.#path(`${this.#base}/watch${place}`, [], [many(this.#id('watch', 'List'))])];
    if (this.#has('get')) paths.push(this.#path(`${this.#base}/watch${place}/{name}`, [nameParameter(kind)], [one]));
    if (scope === 'namespaced') {
      paths.push(this.#path(`${this.#base}/watch/${names.plural}`, [], [many(`watch${this.#prefix}${kind}ListForAllNamespaces`)]));
    }
    return paths;
  }
}

function bodyOf(content: Content): Pick<Operation, 'body'> {
  return content === 'text' ? {} : { body: { definition: content.definition, isRequired: true } };
}

/** ` a `, ` an `, or a space alone before a plural. */
function article(noun: string): string {
  if (noun.endsWith('s') && !noun.endsWith('ss')) return ' ';
  return /^[AEIOU]/.test(noun) ? ' an ' : ' a ';
}

function byName(parameters: readonly Parameter[]): Parameter[] {
  return parameters.toSorted((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
