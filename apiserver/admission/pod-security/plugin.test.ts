import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namespace } from '#api/core/namespace.ts';
import { pod } from '#api/core/pod/pod.ts';
import { aContext, aBody, aKind, startRegistry, type TestRegistry } from '../../registry/testing.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { RequestContext } from '../../registry/contract.ts';
import { openPodSecurity, podSecurity } from './plugin.ts';
import type { GenericRegistry } from '../../registry/registry.ts';
import { builtinKinds } from '#api/kinds.ts';

let running: TestRegistry;
let registry: GenericRegistry;
let warnings: string[];

beforeAll(async () => {
  const exemptions = {
    usernames: new Set(['root']),
    namespaces: new Set(['exempt']),
    runtimeClasses: new Set(['sandbox']),
  };
  const clock = { nowMs: () => 0, monotonicMs: () => 0 } as never;
  running = await startRegistry({
    kinds: builtinKinds,
    admission: [podSecurity({ registry: () => registry, clock, settings: { ...openPodSecurity, exemptions } })],
  });
  ({ registry } = running);
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
});

const security = (labels: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]));

async function create(plural: string, object: unknown, parts: Partial<RequestContext> = {}): Promise<KubeObject> {
  warnings = [];
  const context = aContext({ warn: (text) => warnings.push(text), ...parts });
  return (await registry.create(aKind(plural), aBody(object), context)).object();
}

async function makeNamespace(name: string, labels: Record<string, string>): Promise<void> {
  await create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: security(labels) } }, { namespace: '' });
}

async function label(name: string, labels: Record<string, string | null>): Promise<void> {
  warnings = [];
  const bytes = Buffer.from(JSON.stringify({ metadata: { labels: security(labels as Record<string, string>) } }));
  const context = aContext({ namespace: '', warn: (text) => warnings.push(text) });
  await registry.patch(erase(namespace), name, { type: 'merge', bytes, force: false }, context);
}

const erase = (kind: unknown): KindDefinition => kind as KindDefinition;
const aPod = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'x', image: 'i' }], ...spec },
});
const hostPod = (name: string): object => aPod(name, { hostNetwork: true });
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );
const hostText = 'host namespaces (hostNetwork=true)';

describe('pods', () => {
  beforeAll(async () => {
    await makeNamespace('base', { enforce: 'baseline' });
    await makeNamespace('told', { warn: 'restricted', 'warn-version': 'v1.7' });
    await makeNamespace('exempt', {});
    await makeNamespace('free', {});
  });

  test('that break what is enforced are refused', async () => {
    const answer = create('pods', hostPod('a'), { namespace: 'base' });
    await expect(answer).rejects.toMatchObject({
      reason: 'Forbidden',
      code: 403,
      message: `pods "a" is forbidden: violates PodSecurity "baseline:latest": ${hostText}`,
      details: { name: 'a', kind: 'pods' },
    });
    expect(await refusal(create('pods', hostPod('a'), { namespace: 'base', dryRun: true }))).toContain('violates PodSecurity');
  });

  test('that break what is warned of come with a warning', async () => {
    await create('pods', aPod('a'), { namespace: 'told' });
    expect(warnings).toEqual([
      'would violate PodSecurity "restricted:v1.7": runAsNonRoot != true (pod or container "x" must set securityContext.runAsNonRoot=true)',
    ]);
    await create('pods', aPod('b', { securityContext: { runAsNonRoot: true } }), { namespace: 'told' });
    expect(warnings).toEqual([]);
  });

  test('are let in without labels, and where somebody or something is exempt', async () => {
    await create('pods', hostPod('a'), { namespace: 'free' });
    await create('pods', hostPod('a'), { namespace: 'base', user: { name: 'root', groups: [] } });
    await create(
      'pods',
      { ...hostPod('b'), spec: { ...(hostPod('b') as { spec: object }).spec, runtimeClassName: 'sandbox' } },
      { namespace: 'base' },
    );
    await label('exempt', { enforce: 'baseline' });
    await create('pods', hostPod('a'), { namespace: 'exempt' });
    expect(warnings).toEqual([]);
  });

  test('may be changed where that does not matter, however they came in', async () => {
    await makeNamespace('changing', {});
    await create('pods', hostPod('a'), { namespace: 'changing' });
    await label('changing', { enforce: 'baseline' });
    const change = (subresource: string, merge: object): Promise<unknown> =>
      registry.patch(
        erase(pod),
        'a',
        { type: 'strategic', bytes: Buffer.from(JSON.stringify(merge)), force: false },
        aContext({ namespace: 'changing', subresource }),
      );
    await change('', { metadata: { labels: { a: 'b' } } });
    await change('status', { status: { phase: 'Running' } });
    const profiles = (value: string): object => ({ metadata: { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': value } } });
    expect(await refusal(change('', profiles('runtime/default')))).toContain(hostText);
    expect(await refusal(change('', { spec: { containers: [{ name: 'x', image: 'other' }] } }))).toContain(hostText);
    expect(await refusal(change('ephemeralcontainers', { spec: { ephemeralContainers: [{ name: 'e', image: 'i' }] } }))).toContain(
      'violates PodSecurity "baseline:latest"',
    );
  });
});

describe('templates of pods', () => {
  test('are only warned of, also by what is enforced on their pods', async () => {
    await makeNamespace('workloads', { enforce: 'baseline' });
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'x', image: 'i' }], hostNetwork: true } };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    };
    await create('deployments', deployment, { namespace: 'workloads' });
    expect(warnings).toEqual([`would violate PodSecurity "baseline:latest": ${hostText}`]);
    const controller = { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'r' }, spec: { template } };
    await create('replicationcontrollers', controller, { namespace: 'workloads' });
    expect(warnings).toEqual([`would violate PodSecurity "baseline:latest": ${hostText}`]);
  });
});

describe('namespaces', () => {
  test('whose labels were wrong before may be changed otherwise', async () => {
    await using unchecked = await startRegistry({ kinds: builtinKinds, store: running.store });
    const wrong = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'old', labels: security({ enforce: 'strict' }) } };
    await unchecked.registry.create(aKind('namespaces'), aBody(wrong), aContext({ namespace: '' }));
    await label('old', { 'enforce-version': 'v1.30' });
    expect(await refusal(label('old', { warn: 'loud' }))).toContain('must be one of');
    expect(await refusal(create('pods', hostPod('a'), { namespace: 'old' }))).toContain('violates PodSecurity "restricted:v1.30"');
  });

  test('with wrong labels are refused', async () => {
    expect(await refusal(makeNamespace('wrong', { enforce: 'strict' }))).toBe(
      'Namespace "wrong" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
    );
    await makeNamespace('right', {});
    expect(await refusal(label('right', { 'enforce-version': '1.2' }))).toBe(
      'Namespace "right" is invalid: metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
    );
  });

  test('warn of the pods that are there already', async () => {
    await makeNamespace('full', {});
    const owned = (name: string, uid: string): object => {
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid, controller: true };
      return { ...hostPod(name), metadata: { name, ownerReferences: [owner] } };
    };
    await create('pods', aPod('fine'), { namespace: 'full' });
    for (const name of ['c', 'b', 'a']) await create('pods', owned(name, 'u'), { namespace: 'full' });
    const privileged = { containers: [{ name: 'x', image: 'i', securityContext: { privileged: true } }] };
    await create('pods', aPod('z', privileged), { namespace: 'full' });
    await label('full', { enforce: 'baseline' });
    expect(warnings).toEqual([
      'existing pods in namespace "full" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 2 other pods): host namespaces',
      'z: privileged',
    ]);
    await label('full', { warn: 'restricted' });
    expect(warnings).toEqual([]);
    await label('full', { enforce: 'privileged' });
    expect(warnings).toEqual([]);
  });

  test('say so when they are exempt', async () => {
    await label('exempt', { enforce: 'restricted', audit: 'baseline' });
    expect(warnings).toEqual([
      'namespace "exempt" is exempt from Pod Security, and the policy (enforce=restricted:latest, audit=baseline:latest) will be ignored',
    ]);
  });
});
