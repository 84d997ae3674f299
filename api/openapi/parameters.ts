// The parameters of the API's operations, once for all of them. Version 2 of OpenAPI shares them by reference.

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
}

function query(name: string, type: Parameter['type'], description: string): Parameter {
  return { name, in: 'query', type, description };
}

export const namespaceParameter: Parameter = {
  name: 'namespace',
  in: 'path',
  type: 'string',
  description: 'object name and auth scope, such as for teams and projects',
};

/** The name of the addressed object. */
export function nameParameter(kind: string): Parameter {
  return { name: 'name', in: 'path', type: 'string', description: `name of the ${kind}` };
}

export const pretty = query('pretty', 'string', "If 'true', the answer is written with line breaks and indentation.");
export const dryRun = query(
  'dryRun',
  'string',
  'Runs every step of the request except for keeping its outcome. The one valid value is All.',
);
export const fieldManager = query('fieldManager', 'string', 'The name of who makes these changes, at most 128 printable characters.');
const applyManager = query(
  'fieldManager',
  'string',
  'The name of who makes these changes, at most 128 printable characters. Apply requests need it; other patches may leave it out.',
);
export const fieldValidation = query(
  'fieldValidation',
  'string',
  'What to do about unknown and repeated fields: Ignore drops them silently, Warn (the default) drops them and warns, Strict refuses the request.',
);
const force = query('force', 'boolean', 'Takes over fields that other managers own. Only for apply requests.');
const continuation = query('continue', 'string', 'The token of the list before, to go on where it ended. It lives for some minutes.');
const fieldSelector = query('fieldSelector', 'string', 'Restricts the objects by their fields. Default: all.');
const labelSelector = query('labelSelector', 'string', 'Restricts the objects by their labels. Default: all.');
const limit = query('limit', 'integer', 'The most objects to answer at once; where more are left, metadata.continue says how to go on.');
const resourceVersion = query(
  'resourceVersion',
  'string',
  'The version to read at, to start watching behind, or to be at least as new as.',
);
const resourceVersionMatch = query('resourceVersionMatch', 'string', 'How resourceVersion is meant in a list: Exact or NotOlderThan.');
const sendInitialEvents = query('sendInitialEvents', 'boolean', 'Starts a watch with an event for every object, ended by a bookmark.');
const shardSelector = query(
  'shardSelector',
  'string',
  'Restricts the objects to one shard of them. Needs a feature that is off by default.',
);
const timeoutSeconds = query('timeoutSeconds', 'integer', 'How long a list or watch may take, in seconds, whether it is busy or not.');
const watch = query('watch', 'boolean', 'Answers changes as they happen instead of a list.');
const allowWatchBookmarks = query('allowWatchBookmarks', 'boolean', 'Asks for events of type BOOKMARK in a watch.');
const gracePeriodSeconds = query('gracePeriodSeconds', 'integer', 'How long the object may take to end, in seconds; zero means at once.');
const ignoreStoreReadError = query(
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'boolean',
  'Deletes also what cannot be read, without any of the usual steps. Dangerous.',
);
const orphanDependents = query('orphanDependents', 'boolean', 'The old way of saying propagationPolicy: true is Orphan.');
const propagationPolicy = query(
  'propagationPolicy',
  'string',
  'What becomes of objects that this one owns: Orphan, Background or Foreground.',
);

/** What a list takes, and a watch. */
export const listParameters: readonly Parameter[] = [
  allowWatchBookmarks,
  continuation,
  fieldSelector,
  labelSelector,
  limit,
  resourceVersion,
  resourceVersionMatch,
  sendInitialEvents,
  shardSelector,
  timeoutSeconds,
  watch,
];
export const createParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];
export const patchParameters: readonly Parameter[] = [dryRun, applyManager, fieldValidation, force];
export const deleteParameters: readonly Parameter[] = [
  dryRun,
  gracePeriodSeconds,
  ignoreStoreReadError,
  orphanDependents,
  propagationPolicy,
];
export const deleteCollectionParameters: readonly Parameter[] = [
  ...deleteParameters,
  ...listParameters.filter((one) => one !== watch && one !== allowWatchBookmarks),
];

const streams = (): Parameter[] => [
  query('container', 'string', 'The container to reach. Default: the only one.'),
  query('stderr', 'boolean', 'Whether its standard error is wanted.'),
  query('stdin', 'boolean', 'Whether its standard input is to be written.'),
  query('stdout', 'boolean', 'Whether its standard output is wanted.'),
  query('tty', 'boolean', 'Whether a terminal stands between.'),
];
const proxyPath = (): Parameter[] => [query('path', 'string', 'What to ask the target for.')];

/** Parameters of the connecting sub-resources, by the kind that upstream bundles them in. */
export const connectParameters: Readonly<Record<string, readonly Parameter[]>> = {
  PodAttachOptions: streams(),
  PodExecOptions: [query('command', 'string', 'The command and its arguments; no shell stands between.'), ...streams()],
  PodPortForwardOptions: [query('ports', 'integer', 'The ports to forward.')],
  PodProxyOptions: proxyPath(),
  ServiceProxyOptions: proxyPath(),
  NodeProxyOptions: proxyPath(),
};

export const subpathParameter: Parameter = { name: 'path', in: 'path', type: 'string', description: 'path to the resource' };

export const logPathParameter: Parameter = { name: 'logpath', in: 'path', type: 'string', description: 'path to the log' };

export const logParameters: readonly Parameter[] = [
  query('container', 'string', 'The container whose log is wanted. Default: the only one.'),
  query('follow', 'boolean', 'Goes on as the log grows.'),
  query('insecureSkipTLSVerifyBackend', 'boolean', 'Trusts the kubelet without checking its certificate.'),
  query('limitBytes', 'integer', 'Ends after so many bytes, maybe in the middle of a line.'),
  query('previous', 'boolean', 'The log of the container before this one.'),
  query('sinceSeconds', 'integer', 'Only lines of the last so many seconds.'),
  query('stream', 'string', 'Which output: All, Stdout or Stderr.'),
  query('tailLines', 'integer', 'Only so many lines from the end.'),
  query('timestamps', 'boolean', 'Puts its time before each line.'),
];
