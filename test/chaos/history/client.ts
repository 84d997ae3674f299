// A program that uses a cluster while it is broken, and records what it did and heard: `client.ts KUBECONFIG HISTORY [CLIENTS [KEYS]]`. It
// ends when its standard input does. Several clients at a time each do one thing after the other, through connections that they leave after
// some requests, so that all API servers behind a balancer are asked; a watch follows all of it and resumes where it was cut.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { findEndpoint } from '#client/kubeconfig.ts';
import type { LeaseVersion, Operation, Version, WatchEvent } from './operation.ts';

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly data?: { readonly value?: string };
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseTransitions?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseDurationSeconds?: number;
}

const [kubeconfig = '', historyPath = '', clients = '6', keyCount = '12'] = process.argv.slice(2);
const base = '/api/v1/namespaces/default/configmaps';
const selector = 'labelSelector=history%3Dyes';
const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
/** Those that components lead by. */
const leaseNames = /^kube-(scheduler|controller-manager)$/;
const answerLimitMs = 10_000;
const pauseMs = 20;
const requestsPerConnection = 40;
const tellOfSilenceMicros = 2_000_000;
/** Two in a thousand: every one of them asks for all keys. */
const listShare = 0.02;

const { server, ca = '', credentials } = findEndpoint({ path: kubeconfig, env: {} });
if (credentials.kind !== 'certificate') throw new Error('a kubeconfig with a client certificate is needed');
const tls = { ca, cert: credentials.cert, key: credentials.key };
const options = { connect: { ...tls, timeout: 3_000 }, headersTimeout: answerLimitMs, bodyTimeout: answerLimitMs };
const pool = new Pool(server, { ...options, connections: Number(clients), maxRequestsPerClient: requestsPerConnection });
const watchPool = new Pool(server, { ...options, bodyTimeout: 0 });
const keys = Array.from({ length: Number(keyCount) }, (_, at) => `history-${at}`);
const operations: Operation[] = [];
const events: WatchEvent[] = [];
const leases: LeaseVersion[] = [];
const micros = (): number => Math.round(performance.now() * 1_000);
let isOver = false;
let nextId = 0;
let longestSilenceMicros = 0;
let lastDoneMicros = micros();

process.stdin.resume().on('end', () => (isOver = true));
const startRevision = await firstRevision();
const watching = new AbortController();
const watched = Promise.all([
  follow(`${base}?${selector}`, startRevision, watching.signal, keepEvent),
  follow(leasePath, startRevision, watching.signal, keepLease),
]);
await Promise.all(Array.from({ length: Number(clients) }, () => work()));
await settle();
watching.abort(new Error('all was seen'));
await watched;
writeFileSync(historyPath, JSON.stringify({ operations, events, leases }));
process.stdout.write(
  `done: ${operations.length} operations, ${events.length} events, longest time without an answer ${Math.round(longestSilenceMicros / 1_000)} ms\n`,
);
process.exit(0);

/** One client's life. It knows the versions that it saw last. */
async function work(): Promise<void> {
  const seen = new Map<string, ConfigMap>();
  while (!isOver) {
    const key = keys[Math.floor(Math.random() * keys.length)] ?? '';
    const operation = await act(key, seen);
    operations.push(operation);
    if (operations.length % 1_000 === 0) process.stdout.write(`operations ${operations.length}\n`);
    if (operation.outcome === 'unknown') await sleep(pauseMs);
    else noteAnswer(operation.endMicros);
  }
}

function noteAnswer(endMicros: number): void {
  const silenceMicros = endMicros - lastDoneMicros;
  longestSilenceMicros = Math.max(longestSilenceMicros, silenceMicros);
  if (silenceMicros > tellOfSilenceMicros) process.stdout.write(`nobody answered for ${Math.round(silenceMicros / 1_000)} ms\n`);
  lastDoneMicros = Math.max(lastDoneMicros, endMicros);
}

async function act(key: string, seen: Map<string, ConfigMap>): Promise<Operation> {
  const id = nextId++;
  const value = `${id}`;
  const known = seen.get(key);
  const dice = Math.random();
  if (dice < listShare) return await list(id);
  if (dice < 0.4) return await read(id, key, seen);
  if (known === undefined)
    return await write(id, { kind: 'create', key, value, method: 'POST', path: base, body: objectOf(key, value) }, seen);
  if (dice < 0.7) {
    const body = {
      ...objectOf(key, value),
      metadata: { ...objectOf(key, value).metadata, resourceVersion: known.metadata.resourceVersion },
    };
    return await write(id, { kind: 'update', key, value, method: 'PUT', path: `${base}/${key}`, body }, seen);
  }
  if (dice < 0.9)
    return await write(id, { kind: 'patch', key, value, method: 'PATCH', path: `${base}/${key}`, body: { data: { value } } }, seen);
  return await remove(id, key, known, seen);
}

function objectOf(name: string, value: string): { readonly metadata: object; readonly data: object } {
  return { metadata: { name, labels: { history: 'yes' } }, data: { value } };
}

async function read(id: number, key: string, seen: Map<string, ConfigMap>): Promise<Operation> {
  const startMicros = micros();
  const { status, body } = await send('GET', `${base}/${key}`);
  const common = { id, kind: 'read', key, startMicros, endMicros: micros() } as const;
  if (status === 404) {
    seen.delete(key);
    return { ...common, outcome: 'done' };
  }
  if (status !== 200) return { ...common, outcome: 'unknown' };
  const found = body as ConfigMap;
  seen.set(key, found);
  return { ...common, outcome: 'done', found: versionOf(found) };
}

async function list(id: number): Promise<Operation> {
  const startMicros = micros();
  const { status, body } = await send('GET', `${base}?${selector}`);
  const common = { id, kind: 'list', key: '', startMicros, endMicros: micros() } as const;
  if (status !== 200) return { ...common, outcome: 'unknown' };
  const { metadata, items } = body as { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly ConfigMap[] };
  const all = Object.fromEntries(items.map((item) => [item.metadata.name, versionOf(item)]));
  return { ...common, outcome: 'done', revision: Number(metadata.resourceVersion), all };
}

interface Write {
  readonly kind: 'create' | 'update' | 'patch';
  readonly key: string;
  readonly value: string;
  readonly method: string;
  readonly path: string;
  readonly body: object;
}

async function write(id: number, { kind, key, value, method, path, body }: Write, seen: Map<string, ConfigMap>): Promise<Operation> {
  const startMicros = micros();
  const answer = await send(method, path, body);
  const common = { id, kind, key, value, startMicros, endMicros: micros() } as const;
  if (answer.status === 200 || answer.status === 201) {
    const made = answer.body as ConfigMap;
    seen.set(key, made);
    return { ...common, outcome: 'done', revision: Number(made.metadata.resourceVersion) };
  }
  seen.delete(key);
  return { ...common, outcome: answer.status === 409 || answer.status === 404 ? 'refused' : 'unknown' };
}

async function remove(id: number, key: string, known: ConfigMap, seen: Map<string, ConfigMap>): Promise<Operation> {
  const { uid } = known.metadata;
  const startMicros = micros();
  const { status } = await send('DELETE', `${base}/${key}`, { preconditions: { uid } });
  seen.delete(key);
  const outcome = status === 200 ? 'done' : status === 409 || status === 404 ? 'refused' : 'unknown';
  // A refused deletion says nothing of this uid: somebody else may have deleted it.
  return { id, kind: 'delete', key, startMicros, endMicros: micros(), outcome, ...(outcome === 'refused' ? {} : { uid }) };
}

/** Status 0: nobody answered. */
async function send(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  try {
    const answer = await pool.request({
      method: method as 'GET',
      path,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } }),
      signal: AbortSignal.timeout(answerLimitMs),
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  } catch {
    return { status: 0, body: undefined }; // Cut off: what became of it is not known.
  }
}

function versionOf({ metadata, data }: ConfigMap): Version {
  return { revision: Number(metadata.resourceVersion), value: data?.value ?? '' };
}

async function firstRevision(): Promise<string> {
  for (;;) {
    const { status, body } = await send('GET', `${base}?${selector}`);
    if (status === 200) return (body as { readonly metadata: { readonly resourceVersion: string } }).metadata.resourceVersion;
    await sleep(pauseMs);
  }
}

/** Watches from a revision on until the signal; a cut connection is taken up again behind what came. What cannot be resumed ends the program. */
async function follow(what: string, from: string, signal: AbortSignal, keep: (event: Told) => void): Promise<void> {
  let revision = from;
  while (!signal.aborted) {
    try {
      const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${revision}`;
      const path = `${what}${what.includes('?') ? '&' : '?'}${query}`;
      const { statusCode, body } = await watchPool.request({ method: 'GET', path, signal });
      if (statusCode !== 200) throw new Error(`a watch was answered with ${statusCode}`);
      let rest = '';
      for await (const chunk of body) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) revision = take(line, keep) ?? revision;
      }
    } catch {
      await sleep(pauseMs); // Cut off: goes on where it was.
    }
  }
}

interface Told {
  readonly type: string;
  readonly object: ConfigMap & { readonly code?: number; readonly message?: string; readonly spec?: LeaseSpec };
}

/** Keeps an event; answers where the watch is now. */
function take(line: string, keep: (event: Told) => void): string | undefined {
  if (line === '') return undefined;
  const event = JSON.parse(line) as Told;
  const { type, object } = event;
  if (type === 'ERROR') {
    process.stderr.write(`the watch cannot go on: ${object.code} ${object.message}\n`);
    process.exit(1);
  }
  if (type !== 'BOOKMARK') keep(event);
  return object.metadata.resourceVersion;
}

function keepEvent({ type, object }: Told): void {
  const { name: key, uid, resourceVersion } = object.metadata;
  events.push({ type: type as WatchEvent['type'], key, uid, revision: Number(resourceVersion), value: object.data?.value ?? '' });
}

function keepLease({ object: { metadata, spec } }: Told): void {
  if (spec === undefined || !leaseNames.test(metadata.name)) return;
  leases.push({
    name: metadata.name,
    revision: Number(metadata.resourceVersion),
    holder: spec.holderIdentity ?? '',
    transitions: spec.leaseTransitions ?? 0,
    acquiredMs: Date.parse(spec.acquireTime ?? ''),
    renewedMs: Date.parse(spec.renewTime ?? ''),
    durationSeconds: spec.leaseDurationSeconds ?? 0,
    heardMs: Date.now(),
  });
}

/** Makes a last change and waits until the watch has told of it: then it has told of everything before. */
async function settle(): Promise<void> {
  for (let at = 0; ; at++) {
    const id = nextId++;
    const key = `history-end-${at}`;
    const operation = await write(
      id,
      { kind: 'create', key, value: `${id}`, method: 'POST', path: base, body: objectOf(key, `${id}`) },
      new Map(),
    );
    operations.push(operation);
    if (operation.outcome !== 'done') continue;
    while (!events.some((event) => event.key === key)) await sleep(pauseMs);
    return;
  }
}
