import protobuf from 'protobufjs';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let agent: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  const { ca, credentials } = server.adminClientConfig;
  agent = new Agent({
    connect: { ca: ca ?? '', ...(credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {}) },
  });
});

afterAll(async () => {
  await agent.destroy();
  await server.stop();
});

async function get(path: string, accept: string, headers: Record<string, string> = {}) {
  const answer = await request(`${server.url}${path}`, { dispatcher: agent, headers: { accept, ...headers } });
  return { code: answer.statusCode, headers: answer.headers, bytes: Buffer.from(await answer.body.arrayBuffer()) };
}

/** What upstream's .proto files say of these types. */
const messages = protobuf.parse(`
  syntax = "proto2";
  message TypeMeta { optional string apiVersion = 1; optional string kind = 2; }
  message Unknown { optional TypeMeta typeMeta = 1; optional bytes raw = 2; optional string contentEncoding = 3; optional string contentType = 4; }
  message ListMeta { optional string selfLink = 1; optional string resourceVersion = 2; optional string continue = 3; }
  message ObjectMeta { optional string name = 1; }
  message GroupVersionKind { optional string group = 1; optional string version = 2; optional string kind = 3; }
  message APISubresourceDiscovery {
    optional string subresource = 1; optional GroupVersionKind responseKind = 2;
    repeated GroupVersionKind acceptedTypes = 3; repeated string verbs = 4;
  }
  message APIResourceDiscovery {
    optional string resource = 1; optional GroupVersionKind responseKind = 2; optional string scope = 3; optional string singularResource = 4;
    repeated string verbs = 5; repeated string shortNames = 6; repeated string categories = 7; repeated APISubresourceDiscovery subresources = 8;
  }
  message APIVersionDiscovery { optional string version = 1; repeated APIResourceDiscovery resources = 2; optional string freshness = 3; }
  message APIGroupDiscovery { optional ObjectMeta metadata = 1; repeated APIVersionDiscovery versions = 2; }
  message APIGroupDiscoveryList { optional ListMeta metadata = 1; repeated APIGroupDiscovery items = 2; }
  message Verbs { repeated string items = 1; }
  message APIResource {
    optional string name = 1; optional bool namespaced = 2; optional string kind = 3; optional Verbs verbs = 4;
    repeated string shortNames = 5; optional string singularName = 6; repeated string categories = 7;
    optional string group = 8; optional string version = 9; optional string storageVersionHash = 10;
  }
  message APIResourceList { optional string groupVersion = 1; repeated APIResource resources = 2; }
  message GroupVersionForDiscovery { optional string groupVersion = 1; optional string version = 2; }
  message ServerAddressByClientCIDR { optional string clientCIDR = 1; optional string serverAddress = 2; }
  message APIGroup {
    optional string name = 1; repeated GroupVersionForDiscovery versions = 2; optional GroupVersionForDiscovery preferredVersion = 3;
    repeated ServerAddressByClientCIDR serverAddressByClientCIDRs = 4;
  }
  message APIGroupList { repeated APIGroup groups = 1; }
  message APIVersions { repeated string versions = 1; repeated ServerAddressByClientCIDR serverAddressByClientCIDRs = 2; }
`).root;

/** The message in an envelope, as its .proto says, with empty strings and lists as JSON has them: not at all. */
function decoded(bytes: Buffer, kind: string, apiVersion: string): unknown {
  expect(bytes.subarray(0, 4).toString('latin1')).toBe('k8s\0');
  const unknown = messages.lookupType('Unknown');
  const envelope = unknown.toObject(unknown.decode(bytes.subarray(4))) as { typeMeta: object; raw: Buffer };
  expect(envelope.typeMeta).toEqual({ apiVersion, kind });
  const type = messages.lookupType(kind);
  return plain(type.toObject(type.decode(envelope.raw)));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (one === '' ? [] : [[key, plain(one)]])));
}

const protobufType = 'application/vnd.kubernetes.protobuf';
const aggregated = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

describe('aggregated discovery', () => {
  test.each(['/api', '/apis'])('%s is the same in protobuf and JSON', async (path) => {
    const binary = await get(path, `${protobufType}${aggregated}`);
    expect([binary.code, binary.headers['content-type']]).toEqual([200, `${protobufType}${aggregated}`]);
    const json = await get(path, `application/json${aggregated}`);
    const { kind, apiVersion, ...rest } = plain(JSON.parse(json.bytes.toString())) as Record<string, unknown>;
    expect([kind, apiVersion]).toEqual(['APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2']);
    expect(decoded(binary.bytes, 'APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2')).toEqual(rest);
    expect(binary.headers['etag']).toBe(json.headers['etag']);
  });

  test('may be kept by clients, who ask whether it changed', async () => {
    const first = await get('/apis', `${protobufType}${aggregated}`);
    expect(first.headers).toMatchObject({ 'cache-control': 'public', vary: 'Accept' });
    const again = await get('/apis', `${protobufType}${aggregated}`, { 'if-none-match': String(first.headers['etag']) });
    expect([again.code, again.bytes.length]).toEqual([304, 0]);
  });

  test('is YAML for who wants that', async () => {
    const { code, headers, bytes } = await get('/apis', `application/yaml${aggregated}`);
    expect([code, headers['content-type']]).toEqual([200, `application/yaml${aggregated}`]);
    expect(bytes.toString()).toContain('kind: APIGroupDiscoveryList\n');
  });

  test.each([
    ['the beta form, which is no more', 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'],
    ['what comes first', `application/json,application/json${aggregated};q=0.9`],
    ['a version to come', 'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json'],
  ])('%s is answered with plain discovery', async (_name, accept) => {
    const { code, bytes } = await get('/apis', accept);
    expect(code).toBe(200);
    expect(JSON.parse(bytes.toString())).toMatchObject({ kind: 'APIGroupList' });
  });

  test.each(['v2beta1', 'v9'])('%s alone cannot be had', async (version) => {
    expect((await get('/apis', `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)).code).toBe(406);
  });
});

describe('discovery', () => {
  test.each([
    ['/api', 'APIVersions'],
    ['/apis', 'APIGroupList'],
    ['/apis/apps', 'APIGroup'],
    ['/apis/apps/v1', 'APIResourceList'],
    ['/api/v1', 'APIResourceList'],
  ])('%s is %s in protobuf, too', async (path, kind) => {
    const binary = await get(path, protobufType);
    expect([binary.code, binary.headers['content-type']]).toEqual([200, protobufType]);
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = JSON.parse((await get(path, 'application/json')).bytes.toString());
    const wrapped = 'resources' in rest ? { ...rest, resources: (rest.resources as { verbs: string[] }[]).map(withVerbs) } : rest;
    expect(decoded(binary.bytes, kind, 'v1')).toEqual(plain(wrapped));
  });

  test('groups come in upstream order, versions from the most preferred on', async () => {
    const { groups } = JSON.parse((await get('/apis', 'application/json')).bytes.toString()) as {
      groups: { name: string; versions: { version: string }[] }[];
    };
    expect(groups.map(({ name, versions }) => `${name}: ${versions.map(({ version }) => version).join(' ')}`)).toEqual([
      'apiregistration.k8s.io: v1',
      'apps: v1',
      'events.k8s.io: v1',
      'authentication.k8s.io: v1',
      'authorization.k8s.io: v1',
      'autoscaling: v2 v1',
      'batch: v1',
      'certificates.k8s.io: v1',
      'networking.k8s.io: v1',
      'policy: v1',
      'rbac.authorization.k8s.io: v1',
      'storage.k8s.io: v1',
      'admissionregistration.k8s.io: v1',
      'apiextensions.k8s.io: v1',
      'scheduling.k8s.io: v1',
      'coordination.k8s.io: v1',
      'node.k8s.io: v1',
      'discovery.k8s.io: v1',
      'resource.k8s.io: v1',
      'flowcontrol.apiserver.k8s.io: v1',
    ]);
  });
});

function withVerbs(resource: { readonly verbs: readonly string[] }): object {
  return { ...resource, verbs: { items: resource.verbs } };
}
