import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { UsageError } from '#base/lifecycle.ts';
import type { ApiEndpoint, Credentials } from './endpoint.ts';

interface Named {
  readonly name: string;
}
interface ClusterEntry extends Named {
  readonly cluster?: Readonly<Record<string, unknown>>;
  /** Relative files are below it. */
  readonly folder: string;
}
interface UserEntry extends Named {
  readonly user?: Readonly<Record<string, unknown>>;
  readonly folder: string;
}
interface ContextEntry extends Named {
  readonly context?: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
}

/** What several kubeconfig files say together: of entries with one name the first file's counts. */
interface Kubeconfig {
  readonly currentContext: string;
  readonly contexts: readonly ContextEntry[];
  readonly clusters: readonly ClusterEntry[];
  readonly users: readonly UserEntry[];
}

interface KubeconfigPlace {
  /** `--kubeconfig`: this file alone, and it must exist. */
  readonly path?: string | undefined;
  readonly context?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const inClusterFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The files that count, in order: those of `$KUBECONFIG`, else `~/.kube/config`. Not all need exist. */
export function kubeconfigPaths(env: KubeconfigPlace['env']): readonly string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? [...new Set(listed)] : [join(env['HOME'] ?? '/root', '.kube', 'config')];
}

/** The file that a new entry belongs into, as kubectl chooses it: the first that exists, else the last. */
export function kubeconfigPathToWrite(env: KubeconfigPlace['env']): string {
  const paths = kubeconfigPaths(env);
  return paths.find((path) => existsSync(path)) ?? paths.at(-1) ?? '';
}

/** Where the API server is and as whom to come: the file given, else the user's files, else this pod's service account. */
export function findEndpoint(place: KubeconfigPlace): ApiEndpoint {
  if (place.path !== undefined && place.path !== '') {
    if (!existsSync(place.path)) throw new UsageError(`kubeconfig ${place.path} does not exist`);
    return endpointOf(readKubeconfig([place.path]), place.context);
  }
  const paths = kubeconfigPaths(place.env).filter((path) => existsSync(path));
  if (paths.length > 0) return endpointOf(readKubeconfig(paths), place.context);
  const pod = inClusterEndpoint(place.env);
  if (pod === undefined) throw new UsageError('no kubeconfig was given or found, and this is not a pod');
  return pod;
}

/** Reads files and merges them. Missing ones are left out; a broken one is a UsageError that names it. */
export function readKubeconfig(paths: readonly string[]): Kubeconfig {
  return merged(paths.filter((path) => existsSync(path)).map((path) => ({ folder: dirname(resolve(path)), content: parseFile(path) })));
}

/** A kubeconfig's text; `name` is what errors call it, and files that it names are below `folder`. */
export function parseKubeconfig(text: string, { name, folder }: { readonly name: string; readonly folder: string }): Kubeconfig {
  return merged([{ folder, content: parseContent(name, () => text) }]);
}

interface Content {
  readonly folder: string;
  readonly content: Readonly<Record<string, unknown>>;
}

function merged(files: readonly Content[]): Kubeconfig {
  const gather = <T extends Named>(list: string): T[] => {
    const all = files.flatMap(({ folder, content }) => entries(content[list]).map((entry) => ({ ...entry, folder }) as unknown as T));
    return [...new Map(all.toReversed().map((entry) => [entry.name, entry])).values()];
  };
  const current = files.map(({ content }) => content['current-context']).find((name) => typeof name === 'string' && name !== '');
  return {
    currentContext: typeof current === 'string' ? current : '',
    contexts: gather<ContextEntry>('contexts'),
    clusters: gather<ClusterEntry>('clusters'),
    users: gather<UserEntry>('users'),
  };
}

/** What a context means. Throws a UsageError for names that lead nowhere and for ways to log in that are not supported. */
export function endpointOf(config: Kubeconfig, contextName = config.currentContext): ApiEndpoint {
  if (contextName === '') throw new UsageError('the kubeconfig names no current context');
  const context = config.contexts.find(({ name }) => name === contextName);
  if (context === undefined) throw new UsageError(`the kubeconfig has no context ${JSON.stringify(contextName)}`);
  const { cluster: clusterName = '', user: userName = '' } = context.context ?? {};
  const cluster = config.clusters.find(({ name }) => name === clusterName);
  if (cluster === undefined) throw new UsageError(`the kubeconfig has no cluster ${JSON.stringify(clusterName)}`);
  const user = config.users.find(({ name }) => name === userName);
  if (user === undefined && userName !== '') throw new UsageError(`the kubeconfig has no user ${JSON.stringify(userName)}`);

  const server = textOf(cluster.cluster, 'server');
  if (server === undefined || !URL.canParse(server)) throw new UsageError(`cluster ${JSON.stringify(clusterName)} has no usable server`);
  if (textOf(cluster.cluster, 'proxy-url') !== undefined) throw new UsageError('proxy-url in a kubeconfig is not supported');
  const serverName = textOf(cluster.cluster, 'tls-server-name');
  return {
    server,
    ca: dataOrFile(cluster.cluster, 'certificate-authority', cluster.folder),
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster.cluster?.['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
    credentials: user === undefined ? { kind: 'none' } : credentialsOf(user),
  };
}

/** The API server as a pod sees it; undefined outside of pods. */
export function inClusterEndpoint(env: KubeconfigPlace['env'], folder = inClusterFolder): ApiEndpoint | undefined {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  const tokenFile = join(folder, 'token');
  if (host === undefined || host === '' || port === undefined || port === '' || !existsSync(tokenFile)) return undefined;
  const caFile = join(folder, 'ca.crt');
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ...(existsSync(caFile) ? { ca: readFileSync(caFile, 'utf8') } : {}),
    credentials: { kind: 'token-file', tokenFile },
  };
}

function credentialsOf({ name, user, folder }: UserEntry): Credentials {
  for (const unsupported of ['exec', 'auth-provider', 'username', 'password']) {
    if (user?.[unsupported] !== undefined) throw new UsageError(`user ${JSON.stringify(name)}: ${unsupported} is not supported`);
  }
  const tokenFile = textOf(user, 'tokenFile');
  if (tokenFile !== undefined) return { kind: 'token-file', tokenFile: below(folder, tokenFile) };
  const token = textOf(user, 'token');
  if (token !== undefined) return { kind: 'token', token };

  const certFile = textOf(user, 'client-certificate');
  const keyFile = textOf(user, 'client-key');
  const hasData = user?.['client-certificate-data'] !== undefined || user?.['client-key-data'] !== undefined;
  if (certFile !== undefined && keyFile !== undefined && !hasData) {
    return { kind: 'certificate-files', certFile: below(folder, certFile), keyFile: below(folder, keyFile) };
  }
  const cert = dataOrFile(user, 'client-certificate', folder);
  const key = dataOrFile(user, 'client-key', folder);
  if (cert === undefined && key === undefined) return { kind: 'none' };
  if (cert === undefined || key === undefined) {
    throw new UsageError(`user ${JSON.stringify(name)} has a client certificate or a key, but not both`);
  }
  return { kind: 'certificate', cert, key };
}

function dataOrFile(from: Readonly<Record<string, unknown>> | undefined, name: string, folder: string): string | undefined {
  const data = textOf(from, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const file = textOf(from, name);
  if (file === undefined) return undefined;
  const path = below(folder, file);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`the kubeconfig names ${path}, which cannot be read`, { cause: error });
  }
}

function below(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function textOf(from: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const value = from?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parseFile(path: string): Readonly<Record<string, unknown>> {
  return parseContent(path, () => readFileSync(path, 'utf8'));
}

function parseContent(path: string, read: () => string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = parse(read()) ?? {};
    if (typeof content !== 'object' || content === null || Array.isArray(content)) throw new Error('not an object');
    return content as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`kubeconfig ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function entries(list: unknown): Named[] {
  const isNamed = (entry: unknown): entry is Named =>
    typeof entry === 'object' && entry !== null && typeof (entry as Partial<Named>).name === 'string';
  return Array.isArray(list) ? list.filter(isNamed) : [];
}
