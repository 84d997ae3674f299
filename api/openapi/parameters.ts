// The parameters of the API's operations, once for all of them. Version 2 of OpenAPI shares them by reference.
import { parameterTexts as texts } from '#api/generated/parameters.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
}

function query(name: string, type: Parameter['type'], description: string): Parameter {
  return { name, in: 'query', type, description };
}

/** Query parameters with their descriptions, in the order of `types`. */
function described<Name extends string>(
  text: Readonly<Record<Name, string>>,
  types: Readonly<Record<Name, Parameter['type']>>,
): Parameter[] {
  return (Object.keys(types) as Name[]).map((name) => query(name, types[name], text[name]));
}

export const namespaceParameter: Parameter = { name: 'namespace', in: 'path', type: 'string', description: texts.list.namespace };

/** The name of the addressed object. */
export function nameParameter(kind: string): Parameter {
  return { name: 'name', in: 'path', type: 'string', description: `name of the ${kind}` };
}

export const pretty = query('pretty', 'string', texts.list.pretty);
export const dryRun = query('dryRun', 'string', texts.create.dryRun);
const fieldManager = query('fieldManager', 'string', texts.create.fieldManager);
export const fieldValidation = query('fieldValidation', 'string', texts.create.fieldValidation);

/** What a list takes, and a watch. */
export const listParameters: readonly Parameter[] = described<Exclude<keyof typeof texts.list, 'namespace' | 'pretty'>>(texts.list, {
  allowWatchBookmarks: 'boolean',
  continue: 'string',
  fieldSelector: 'string',
  labelSelector: 'string',
  limit: 'integer',
  resourceVersion: 'string',
  resourceVersionMatch: 'string',
  sendInitialEvents: 'boolean',
  shardSelector: 'string',
  timeoutSeconds: 'integer',
  watch: 'boolean',
});
export const createParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];
export const patchParameters: readonly Parameter[] = [
  dryRun,
  query('fieldManager', 'string', texts.patch.fieldManager),
  fieldValidation,
  query('force', 'boolean', texts.patch.force),
];
export const deleteParameters: readonly Parameter[] = [
  dryRun,
  ...described<Exclude<keyof typeof texts.delete, 'name' | 'namespace' | 'pretty' | 'dryRun'>>(texts.delete, {
    gracePeriodSeconds: 'integer',
    ignoreStoreReadErrorWithClusterBreakingPotential: 'boolean',
    orphanDependents: 'boolean',
    propagationPolicy: 'string',
  }),
];
export const deleteCollectionParameters: readonly Parameter[] = [
  ...deleteParameters,
  ...listParameters.filter(({ name }) => name !== 'watch' && name !== 'allowWatchBookmarks'),
];

const streams = { container: 'string', stderr: 'boolean', stdin: 'boolean', stdout: 'boolean', tty: 'boolean' } as const;

/** Parameters of the connecting sub-resources, by the kind that upstream bundles them in. */
export const connectParameters: Readonly<Record<string, readonly Parameter[]>> = {
  PodAttachOptions: described<keyof typeof streams>(texts.attach, streams),
  PodExecOptions: described<'command' | keyof typeof streams>(texts.exec, { command: 'string', ...streams }),
  PodPortForwardOptions: [query('ports', 'integer', texts.portForward.ports)],
  PodProxyOptions: [query('path', 'string', texts.podProxy.path)],
  ServiceProxyOptions: [query('path', 'string', texts.serviceProxy.path)],
  NodeProxyOptions: [query('path', 'string', texts.nodeProxy.path)],
};

export const subpathParameter: Parameter = { name: 'path', in: 'path', type: 'string', description: 'path to the resource' };

export const logPathParameter: Parameter = { name: 'logpath', in: 'path', type: 'string', description: 'path to the log' };

export const logParameters: readonly Parameter[] = described<Exclude<keyof typeof texts.log, 'name' | 'namespace' | 'pretty'>>(texts.log, {
  container: 'string',
  follow: 'boolean',
  insecureSkipTLSVerifyBackend: 'boolean',
  limitBytes: 'integer',
  previous: 'boolean',
  sinceSeconds: 'integer',
  stream: 'string',
  tailLines: 'integer',
  timestamps: 'boolean',
});
