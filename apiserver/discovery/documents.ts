// What the server says about itself. All documents follow from the kinds that the registry serves and are made anew when
// those change.
import { createHash } from 'node:crypto';
import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import type { Codec } from '#api/schema/codec.ts';
import type { ObjectSchema } from '#api/schema/schema.ts';
import type { SubresourceTable } from '../subresources/contract.ts';
import type { Encoding } from '../http/negotiate.ts';
import { yamlText } from '../http/yaml-text.ts';
import { aggregatedKind, aggregatedSchema } from './aggregated-schema.ts';
import { aggregatedDiscovery, type GroupResources } from './aggregated.ts';
import { type ApiResource, resourcesOf } from './resources.ts';

interface DiscoveryDeps {
  readonly kinds: () => readonly KindDefinition[];
  readonly subresources: SubresourceTable;
  readonly codec: Pick<Codec, 'protobuf' | 'schemas'>;
  /** `host:port` that clients outside reach the server at. */
  readonly serverAddress: () => string;
}

/** A document ready to be sent, with the tag that says whether it changed. */
export interface TaggedDocument {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

interface Snapshot {
  readonly kinds: readonly KindDefinition[];
  readonly groups: readonly GroupResources[];
  readonly aggregated: Map<string, TaggedDocument>;
}

export class DiscoveryDocuments {
  readonly #deps: DiscoveryDeps;
  #snapshot: Snapshot | undefined;
  #schema: ObjectSchema | undefined;

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
  }

  /** Whether anything of this group is served. */
  knowsGroup(group: string): boolean {
    return this.#current().groups.some(({ name }) => name === group);
  }

  /** The document at `/api`. */
  legacyVersions(): object {
    const versions = this.#group('')?.versions.map(({ version }) => version) ?? [];
    return {
      kind: 'APIVersions',
      versions,
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: this.#deps.serverAddress() }],
    };
  }

  /** The document at `/apis`. */
  groupList(): object {
    const groups = this.#current().groups.filter(({ name }) => name !== '');
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupEntry) };
  }

  /** The document at `/apis/GROUP`, undefined where there is no such group. */
  group(name: string): object | undefined {
    const group = name === '' ? undefined : this.#group(name);
    return group === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
  }

  /** The document at `/api/v1` and `/apis/GROUP/VERSION`, undefined where nothing is served there. */
  resourceList(groupName: string, version: string): object | undefined {
    const found = this.#group(groupName)?.versions.find((one) => one.version === version);
    if (found === undefined) return undefined;
    return {
      kind: 'APIResourceList',
      ...(groupName === '' ? {} : { apiVersion: 'v1' }),
      groupVersion: apiVersionOf({ group: groupName, version }),
      resources: found.resources,
    };
  }

  /** The aggregated document of `/api` (the core group) or `/apis` (all others). Its tag is the same in all encodings. */
  aggregated(root: 'api' | 'apis', encoding: Encoding): TaggedDocument {
    const { groups, aggregated } = this.#current();
    const key = `${root} ${encoding}`;
    let document = aggregated.get(key);
    if (document === undefined) {
      const value = aggregatedDiscovery(groups.filter(({ name }) => (name === '') === (root === 'api')));
      const json = Buffer.from(`${JSON.stringify(value)}\n`);
      const etag = `"${createHash('sha512').update(json).digest('hex').toUpperCase()}"`;
      document = { bytes: encoding === 'json' ? json : this.#encoded(value, encoding), etag };
      aggregated.set(key, document);
    }
    return document;
  }

  /** Every discovery path, for the index at `/`. */
  paths(): string[] {
    const { groups } = this.#current();
    const versioned = groups.flatMap(({ name, versions }) =>
      name === ''
        ? versions.map(({ version }) => `/api/${version}`)
        : [`/apis/${name}`, ...versions.map(({ version }) => `/apis/${name}/${version}`)],
    );
    return ['/api', '/apis', ...versioned];
  }

  #encoded(value: object, encoding: 'yaml' | 'protobuf'): Uint8Array {
    if (encoding === 'yaml') return Buffer.from(yamlText(value));
    const { protobuf, schemas } = this.#deps.codec;
    this.#schema ??= aggregatedSchema(schemas);
    return protobuf.envelope(aggregatedKind, this.#schema, value);
  }

  #group(name: string): GroupResources | undefined {
    return this.#current().groups.find((group) => group.name === name);
  }

  #current(): Snapshot {
    const kinds = this.#deps.kinds();
    const last = this.#snapshot;
    if (last !== undefined && (last.kinds === kinds || same(last.kinds, kinds))) return last;
    const snapshot: Snapshot = { kinds, groups: groupsOf(kinds, this.#deps.subresources), aggregated: new Map() };
    this.#snapshot = snapshot;
    return snapshot;
  }
}

function groupsOf(kinds: readonly KindDefinition[], subresources: SubresourceTable): GroupResources[] {
  const groups = new Map<string, Map<string, ApiResource[]>>();
  for (const kind of kinds) {
    const versions = groups.get(kind.group) ?? new Map<string, ApiResource[]>();
    groups.set(kind.group, versions);
    versions.set(kind.version, [...(versions.get(kind.version) ?? []), ...resourcesOf(kind, subresources)]);
  }
  return [...groups].map(([name, versions]) => ({
    name,
    versions: [...versions]
      .map(([version, resources]) => ({ version, resources: resources.sort((a, b) => (a.name < b.name ? -1 : 1)) }))
      .sort((a, b) => compareVersions(a.version, b.version)),
  }));
}

function groupEntry({ name, versions }: GroupResources): object {
  const entries = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

/** Upstream's order: stable before beta before alpha, newer before older, everything else last by name. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [versionRank(a), versionRank(b)];
  for (let at = 0; at < 3; at++) {
    const difference = (right[at] ?? 0) - (left[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function versionRank(version: string): readonly number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [0, 0, 0];
  const stability = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}

function same(a: readonly KindDefinition[], b: readonly KindDefinition[]): boolean {
  return a.length === b.length && a.every((kind, at) => kind === b[at]);
}
