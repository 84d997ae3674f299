import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { forbidden } from '#api/meta/status.ts';
import type { Exchange } from '../http/exchange.ts';
import type { VerbDeps } from '../http/verbs/verb.ts';
import type { AdmissionPlugin, RequestContext } from '../registry/contract.ts';
import { aBody, aContext, aKind, startRegistry, type TestRegistry } from '../registry/testing.ts';
import type { SubresourceHandler } from './contract.ts';
import { podAttach, podExec, podPortForward, type PodStreamDeps } from './pod-streams.ts';
import { nodeProxy, podProxy, type ProxyDeps, serviceProxy } from './proxy.ts';

const asked: string[] = [];
/** Notes everything, and lets no connection pass. */
const gate: AdmissionPlugin = {
  name: 'Gate',
  seesConnects: true,
  mutate: ({ kind, operation, name, context }) => {
    asked.push(`${operation} ${kind.names.plural}/${context.subresource} ${context.namespace}/${name}`);
  },
  validate: ({ operation }) => {
    if (operation === 'CONNECT') throw forbidden({ group: '', plural: 'pods' }, 'x', 'no way through');
  },
};
/** Knows nothing of connections. */
const writesOnly: AdmissionPlugin = {
  name: 'WritesOnly',
  mutate: ({ operation }) => {
    if (operation === 'CONNECT') throw new Error('a write was expected');
  },
};

let running: TestRegistry;
beforeEach(async () => {
  asked.length = 0;
  running = await startRegistry({ kinds: builtinKinds, admission: [writesOnly, gate] });
});
afterEach(() => running[Symbol.asyncDispose]());

// Whoever is refused comes no further than admission: nothing of these is asked.
const streams = {} as PodStreamDeps;
const proxies = {} as ProxyDeps;

describe('a connection', () => {
  test.each<[string, SubresourceHandler, string, string]>([
    ['exec', podExec(streams), 'pods', 'default'],
    ['attach', podAttach(streams), 'pods', 'default'],
    ['portforward', podPortForward(streams), 'pods', 'default'],
    ['proxy', podProxy(proxies), 'pods', 'default'],
    ['proxy', serviceProxy(proxies), 'services', 'default'],
    ['proxy', nodeProxy(proxies), 'nodes', ''],
  ])('%s is asked of admission first (%#)', async (subresource, handler, plural, namespace) => {
    const info = { pathName: 'https:x:80', namespace, hasNamespacePart: namespace !== '', subresource, verb: 'get' };
    const exchange = { info, requireUser: { name: 'u', groups: [] }, warn: () => undefined } as unknown as Exchange;
    const served = handler.serve(exchange, aKind(plural, ''), { registry: running.registry } as unknown as VerbDeps);
    await expect(served).rejects.toThrow('pods "x" is forbidden: no way through');
    expect(asked).toEqual([`CONNECT ${plural}/${subresource} ${namespace}/https:x:80`]);
  });
});

describe('a write of a part of an object', () => {
  const pod = { metadata: { name: 'x' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const template = { metadata: { labels: { a: 'b' } }, spec: pod.spec };
  const deployment = { metadata: { name: 'x' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };

  const make = async (plural: string, object: object, parts: Partial<RequestContext> = {}): Promise<void> => {
    const kind = aKind(plural);
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    await running.registry.create(kind, aBody({ apiVersion, kind: kind.kind, ...object }), aContext(parts));
    asked.length = 0;
  };

  test.each<[string, object, string, object]>([
    ['pods', pod, 'status', { status: { phase: 'Running' } }],
    ['pods', pod, 'resize', { spec: { containers: [{ name: 'c', image: 'i' }] } }],
    ['pods', pod, 'ephemeralcontainers', { spec: { ephemeralContainers: [{ name: 'e', image: 'i' }] } }],
    ['deployments', deployment, 'scale', { spec: { replicas: 3 } }],
    ['deployments', deployment, 'status', { status: { observedGeneration: 1 } }],
  ])('%s %o/%s reaches admission under that name', async (plural, object, subresource, change) => {
    await make(plural, object);
    const patch = { type: 'merge', bytes: Buffer.from(JSON.stringify(change)), force: false } as const;
    await running.registry.patch(aKind(plural), 'x', patch, aContext({ subresource }));
    expect(asked).toEqual([`UPDATE ${plural}/${subresource} default/x`]);
  });
});
