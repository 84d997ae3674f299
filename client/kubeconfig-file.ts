// Changes to a kubeconfig file that belongs to the user: everything that others wrote stays, comments included. Writers exclude each
// other by `<file>.lock`, as kubectl does; readers see the old file or the new one, never half of one.
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Clock } from '#base/clock.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Credentials } from './endpoint.ts';

/** A context with its cluster and its user. */
interface NewContext {
  readonly name: string;
  /** Names of cluster and user; the context's own where absent. */
  readonly clusterName?: string;
  readonly userName?: string;
  readonly server: string;
  /** PEM text. */
  readonly ca: string;
  readonly credentials: Credentials;
}

/** A context to take out, and the one to make current in its place. */
interface OldContext {
  readonly name: string;
  readonly restore?: string;
}

const lists = ['clusters', 'contexts', 'users'] as const;
const lockWaitMs = 10_000;
/** The lock is held for a moment only; one this old was left by a process that died. */
const staleLockMs = 60_000;

/** The text of a kubeconfig that holds one context alone. */
export function kubeconfigText(context: NewContext): string {
  const document = emptyDocument();
  put(document, context);
  return document.toString({ lineWidth: 0 });
}

/**
 * Adds or replaces a context in the file and makes it the current one. Makes the file (mode 0600) and its folder where needed.
 * Answers the context that was current before ('' for none).
 */
export async function addContext(path: string, context: NewContext, clock: Clock, signal: AbortSignal): Promise<string> {
  return await change(path, clock, signal, (document) => {
    const previous = document.get('current-context');
    put(document, context);
    return { result: typeof previous === 'string' ? previous : '', write: true };
  });
}

/**
 * Takes a context out of the file, with its cluster and user. If it was the current one, `restore` becomes current, if it is there.
 * Removes the file when nothing is left in it. Does nothing when file or context do not exist.
 */
export async function removeContext(path: string, context: OldContext, clock: Clock, signal: AbortSignal): Promise<void> {
  const { name, restore = '' } = context;
  try {
    await stat(path);
  } catch {
    return;
  }
  await change(path, clock, signal, (document) => {
    let found = false;
    for (const list of lists) found = dropEntry(document, list, name) || found;
    if (document.get('current-context') === name) {
      found = true;
      const contexts = document.get('contexts');
      const isThere = isSeq(contexts) && contexts.items.some((item) => isMap(item) && item.get('name') === restore);
      document.set('current-context', isThere ? restore : '');
    }
    return { result: undefined, write: found };
  });
}

type Changed<R> = { readonly result: R; readonly write: boolean };

async function change<R>(path: string, clock: Clock, signal: AbortSignal, edit: (document: Document) => Changed<R>): Promise<R> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  // A link to a file elsewhere stays a link.
  const target = await realpath(path).catch(() => path);
  const lock = `${target}.lock`;
  await takeLock(lock, clock, signal);
  try {
    const document = await read(target);
    const { result, write } = edit(document);
    if (write && isEmpty(document)) await rm(target, { force: true });
    else if (write) await writeWhole(target, document.toString({ lineWidth: 0 }));
    return result;
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw new UsageError(`cannot make ${lock}: ${String(error)}`, { exitCode: 1, cause: error });
    }
    const made = await stat(lock).catch(() => undefined);
    if (made !== undefined && clock.nowMs() - made.mtimeMs > staleLockMs) {
      await rm(lock, { force: true });
      continue;
    }
    if (clock.monotonicMs() - startedMs > lockWaitMs) {
      throw new UsageError(`another program holds ${lock}; remove it if there is none`, { exitCode: 1 });
    }
    await clock.sleep(50, signal);
  }
}

async function read(path: string): Promise<Document> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return emptyDocument();
    throw error;
  }
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) throw new UsageError(`kubeconfig ${path} cannot be read: ${problem.message}`, { exitCode: 1 });
  if (document.contents === null) return emptyDocument();
  if (!isMap(document.contents)) throw new UsageError(`kubeconfig ${path} cannot be read: not an object`, { exitCode: 1 });
  return document;
}

async function writeWhole(path: string, text: string): Promise<void> {
  const owner = await stat(path).catch(() => undefined);
  const temporary = join(dirname(path), `.${process.pid}-${Math.random().toString(36).slice(2)}.kubeconfig`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    // Root works in the files of others (sudo with their HOME): they stay theirs.
    if (owner !== undefined && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

function emptyDocument(): Document {
  return new Document({ apiVersion: 'v1', kind: 'Config', clusters: [], contexts: [], 'current-context': '', users: [] });
}

function isEmpty(document: Document): boolean {
  const left = lists.some((list) => {
    const items = document.get(list);
    return isSeq(items) && items.items.length > 0;
  });
  const known = new Set<unknown>(['apiVersion', 'kind', 'preferences', 'current-context', ...lists]);
  const foreign = isMap(document.contents) && document.contents.items.some(({ key }) => !known.has(textOfKey(key)));
  return !left && !foreign && (document.commentBefore ?? document.comment ?? '') === '';
}

function put(document: Document, context: NewContext): void {
  const { name, server, clusterName: cluster = name, userName: user = name } = context;
  putEntry(document, 'clusters', { name: cluster, cluster: { 'certificate-authority-data': base64(context.ca), server } });
  putEntry(document, 'contexts', { name, context: { cluster, user } });
  if (context.credentials.kind !== 'none') putEntry(document, 'users', { name: user, user: userOf(context.credentials) });
  document.set('current-context', name);
}

function userOf(credentials: Credentials): Readonly<Record<string, string>> {
  switch (credentials.kind) {
    case 'certificate':
      return { 'client-certificate-data': base64(credentials.cert), 'client-key-data': base64(credentials.key) };
    case 'certificate-files':
      return { 'client-certificate': credentials.certFile, 'client-key': credentials.keyFile };
    case 'token':
      return { token: credentials.token };
    case 'token-file':
      return { tokenFile: credentials.tokenFile };
    // Tokens that a process asks for live in it only.
    case 'token-source':
    case 'none':
      return {};
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function putEntry(document: Document, list: string, entry: { readonly name: string; readonly [other: string]: unknown }): void {
  dropEntry(document, list, entry.name);
  const items = document.get(list);
  const node = document.createNode(entry);
  if (isSeq(items)) {
    // A list that was written as `[]` would otherwise go on in one line.
    (items as YAMLSeq).flow = false;
    (items as YAMLSeq).add(node);
  } else document.set(list, [entry]);
}

function dropEntry(document: Document, list: string, name: string): boolean {
  const items = document.get(list);
  if (!isSeq(items)) return false;
  const at = items.items.findIndex((item) => isMap(item) && (item as YAMLMap).get('name') === name);
  if (at < 0) return false;
  items.items.splice(at, 1);
  return true;
}

function textOfKey(key: unknown): unknown {
  return typeof key === 'object' && key !== null && 'value' in key ? key.value : key;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
