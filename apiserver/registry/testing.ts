// A registry in a test: memory store, fake time, no admission unless given.
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { createCodec, type Codec } from '#api/schema/codec.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import type { LargeWork } from '../large/contract.ts';
import type { Store } from '../storage/contract.ts';
import { MemoryStore } from '../storage/memory.ts';
import type { AdmissionPlugin, Body, DeleteRequest, ListRequest, RequestContext, WatchRequest } from './contract.ts';
import { GenericRegistry } from './registry.ts';

interface TestRegistryOptions {
  readonly kinds: readonly KindDefinition[];
  readonly admission?: readonly AdmissionPlugin[];
  readonly clock?: FakeClock;
  /** Default: a new memory store, closed with the registry. */
  readonly store?: Store;
  readonly largeWork?: LargeWork;
}

export interface TestRegistry extends AsyncDisposable {
  readonly registry: GenericRegistry;
  readonly store: Store;
  readonly clock: FakeClock;
}

/** Schemas take a while to build; tests share them. */
export const testCodec: Codec = createCodec();

/** Starts a registry and waits until it serves. */
export async function startRegistry({
  kinds,
  admission = [],
  clock = new FakeClock(),
  store,
  largeWork,
}: TestRegistryOptions): Promise<TestRegistry> {
  const stop = new AbortController();
  const used = store ?? new MemoryStore({ clock });
  const registry = new GenericRegistry({ store: used, kinds, codec: testCodec, admission, clock, log: silentLog, largeWork });
  const ready = Promise.withResolvers<void>();
  const ended = registry.run(stop.signal, () => ready.resolve());
  await Promise.race([ready.promise, ended]);
  return {
    registry,
    store: used,
    clock,
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('the test is over'));
      await ended;
      if (store === undefined) await used[Symbol.asyncDispose]();
    },
  };
}

/** A built-in kind by its plural, of the first group that has it. */
export function aKind(plural: string, group?: string): KindDefinition {
  const found = builtinKinds.find((kind) => kind.names.plural === plural && (group === undefined || kind.group === group));
  if (found === undefined) throw new Error(`no built-in kind ${plural}`);
  return found;
}

const { signal } = new AbortController();

/** A request's context in namespace `default`. */
export function aContext(parts: Partial<RequestContext> = {}): RequestContext {
  return {
    user: { name: 'tester', groups: [] },
    namespace: 'default',
    subresource: '',
    fieldManager: 'test',
    fieldValidation: 'Strict',
    dryRun: false,
    warn: () => undefined,
    signal,
    ...parts,
  };
}

export function aBody(object: unknown): Body {
  return { bytes: Buffer.from(JSON.stringify(object)), mediaType: 'application/json' };
}

export function aList(parts: Partial<ListRequest> = {}): ListRequest {
  return {
    labelSelector: '',
    fieldSelector: '',
    limit: undefined,
    continue: '',
    resourceVersion: '',
    resourceVersionMatch: '',
    ...parts,
  };
}

export function aWatch(parts: Partial<WatchRequest> = {}): WatchRequest {
  return { ...aList(), allowBookmarks: false, sendInitialEvents: undefined, timeoutSeconds: undefined, ...parts };
}

export function aDelete(parts: Partial<DeleteRequest> = {}): DeleteRequest {
  return {
    gracePeriodSeconds: undefined,
    propagationPolicy: undefined,
    orphanDependents: undefined,
    uid: undefined,
    resourceVersion: undefined,
    ...parts,
  };
}

/** What is on the wire. */
export function wire(encoded: { readonly json: Uint8Array }): KubeObject & Record<string, unknown> {
  return JSON.parse(Buffer.from(encoded.json).toString());
}
