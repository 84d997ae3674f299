// Paths beside those of the kinds: discovery, the version, the token issuer's pages.
import type { KindDefinition } from '#api/kind.ts';
import { groupName, metaPackage, type Content, objectTypes, type Operation, type Path, tagOf } from './operations.ts';
import { logPathParameter, type Parameter } from './parameters.ts';

const jsonOnly = ['application/json'];

interface Page {
  readonly path: string;
  readonly id: string;
  readonly description?: string;
  readonly tag: string;
  /** Undefined where upstream does not say what it answers. */
  readonly content?: Content;
  readonly parameters?: readonly Parameter[];
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
}

const logPages: readonly Page[] = [
  { path: '/logs/', id: 'logFileListHandler', tag: 'logs', consumes: [], produces: [] },
  { path: '/logs/{logpath}', id: 'logFileHandler', tag: 'logs', parameters: [logPathParameter], consumes: [], produces: [] },
];

/** What else documents depend on. */
export interface PublishingOptions {
  /** The server's version, such as v1.36.2. */
  readonly version?: string;
  /** False where the server does not serve the host's logs. */
  readonly hasLogs?: boolean;
}

/** The pages of the server itself, and the resource list of every group and version. */
export function commonPaths(kinds: readonly KindDefinition[], { hasLogs = true }: PublishingOptions = {}): Path[] {
  const pages: Page[] = [
    { path: '/api/', id: 'getCoreAPIVersions', description: 'get available API versions', tag: 'core', content: meta('APIVersions') },
    { path: '/apis/', id: 'getAPIVersions', description: 'get available API versions', tag: 'apis', content: meta('APIGroupList') },
    {
      path: '/version/',
      id: 'getCodeVersion',
      description: 'get the version information for this server',
      tag: 'version',
      content: { definition: 'io.k8s.apimachinery.pkg.version.Info' },
      consumes: jsonOnly,
      produces: jsonOnly,
    },
    {
      path: '/.well-known/openid-configuration/',
      id: 'getServiceAccountIssuerOpenIDConfiguration',
      description: 'get the OpenID configuration of the service account token issuer',
      tag: 'WellKnown',
      content: 'text',
      consumes: [],
      produces: jsonOnly,
    },
    {
      path: '/openid/v1/jwks/',
      id: 'getServiceAccountIssuerOpenIDKeyset',
      description: 'get the public keys that verify service account tokens',
      tag: 'openid',
      content: 'text',
      consumes: [],
      produces: ['application/jwk-set+json'],
    },
    ...(hasLogs ? logPages : []),
  ];
  for (const { group, version } of groupVersionsOf(kinds)) {
    pages.push({
      path: `${basePath(group, version)}/`,
      id: `get${groupName(group)}${version.slice(0, 1).toUpperCase()}${version.slice(1)}APIResources`,
      description: 'get available resources',
      tag: tagOf(group, version),
      content: meta('APIResourceList'),
    });
  }
  for (const group of new Set(kinds.map((kind) => kind.group))) {
    if (group === '') continue;
    pages.push({
      path: `/apis/${group}/`,
      id: `get${groupName(group)}APIGroup`,
      description: 'get information of a group',
      tag: tagOf(group),
      content: meta('APIGroup'),
    });
  }
  return pages.map(pathOf);
}

/** The group versions of these kinds, each once, in their order. */
export function groupVersionsOf(kinds: readonly KindDefinition[]): { group: string; version: string }[] {
  const found = new Map<string, { group: string; version: string }>();
  for (const { group, version } of kinds) found.set(`${group}/${version}`, { group, version });
  return [...found.values()];
}

/** `/api/v1`, `/apis/apps/v1`. */
function basePath(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

function meta(kind: string): Content {
  return { definition: `${metaPackage}.${kind}` };
}

function pathOf({ path, id, description, tag, content, parameters = [], consumes = objectTypes, produces = objectTypes }: Page): Path {
  const responses = content === undefined ? {} : { 200: content };
  const operation: Operation = { method: 'get', id, description, tag, parameters: [], consumes, produces, responses };
  return { path, operations: [operation], parameters };
}
