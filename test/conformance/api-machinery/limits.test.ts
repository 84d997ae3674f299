// Limits of namespaces: what LimitRanges give to pods and refuse, what quotas with scopes count, and what may not change any more.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ControlPlane } from '#controller-manager/testing.ts';
import { type AnyObject, ApiSession, pathOf } from '../api-session.ts';

let plane: ControlPlane;
let api: ApiSession;
const poll = { timeout: 20_000, interval: 20 };
const core = (plural: string, ns: string): string => pathOf('v1', plural, ns);
interface Amounts {
  readonly requests?: object;
  readonly limits?: object;
}
const aPod = (name: string, resources: Amounts = {}, more: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'pause', image: 'pause', resources }], ...more },
});
const resourcesOf = (object: AnyObject): Amounts | undefined =>
  (object['spec'] as { containers: { resources: Amounts }[] }).containers[0]?.resources;

beforeAll(async () => {
  plane = await ControlPlane.start();
  api = new ApiSession(plane.server.adminClientConfig);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

describe('a LimitRange', () => {
  const min = { cpu: '50m', memory: '100Mi', 'ephemeral-storage': '100Gi' };
  const max = { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' };
  const defaultRequest = { cpu: '100m', memory: '200Mi', 'ephemeral-storage': '200Gi' };
  const limits = { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' };

  test('gives pods its defaults, refuses those beyond its bounds, and follows its changes', async () => {
    const ns = await plane.inNamespace('limited');
    const pods = core('pods', ns);
    const ranges = core('limitranges', ns);
    await using watch = await api.watch(ranges);
    await api.post(ranges, {
      metadata: { name: 'limits' },
      spec: { limits: [{ type: 'Container', min, max, default: limits, defaultRequest }] },
    });
    expect((await watch.next()).type).toBe('ADDED');
    expect(resourcesOf(await api.post(pods, aPod('no-resources')))).toEqual({ requests: defaultRequest, limits });
    const partial = { requests: { cpu: '150m', memory: '150Mi' }, limits: { cpu: '300m', 'ephemeral-storage': '300Gi' } };
    expect(resourcesOf(await api.post(pods, aPod('partial', partial)))).toEqual({
      // Where only a limit is given, it is the request too, before defaults come in.
      requests: { cpu: '150m', memory: '150Mi', 'ephemeral-storage': '300Gi' },
      limits: { cpu: '300m', memory: '500Mi', 'ephemeral-storage': '300Gi' },
    });
    const little = { requests: { cpu: '10m', memory: '50Mi', 'ephemeral-storage': '50Gi' } };
    const much = { requests: { cpu: '600m' }, limits: { cpu: '600m', memory: '600Mi', 'ephemeral-storage': '600Gi' } };
    await expect(api.post(pods, aPod('too-little', little))).rejects.toThrow(/^Forbidden: .*minimum cpu usage per Container is 50m/);
    await expect(api.post(pods, aPod('too-much', much))).rejects.toThrow(/^Forbidden: .*maximum memory usage per Container is 500Mi/);
    await api.update(`${ranges}/limits`, (found) => {
      const [only] = (found['spec'] as { limits: object[] }).limits;
      return { ...found, spec: { limits: [{ ...only, min: { cpu: '9m', memory: '49Mi', 'ephemeral-storage': '49Gi' } }] } };
    });
    await expect.poll(() => api.post(pods, aPod('little')).then(() => 'made', String), poll).toBe('made');
    await expect.poll(() => api.post(pods, aPod('too-little', little)).then(() => 'made', String), poll).toBe('made');
    await api.delete(`${ranges}/limits`);
    expect((await watch.until(({ type }) => type === 'DELETED')).map(({ type }) => type)).toEqual(['MODIFIED', 'DELETED']);
    await expect.poll(() => api.post(pods, aPod('too-much', much)).then(() => 'made', String), poll).toBe('made');
  });
});

describe('a ResourceQuota with scopes', () => {
  const counted = async (ns: string, name: string): Promise<unknown> =>
    (((await api.get(`${core('resourcequotas', ns)}/${name}`))['status'] ?? {}) as { used?: { pods?: string } }).used?.pods;
  const quotas = async (ns: string, scopes: readonly string[]): Promise<void> => {
    for (const scope of scopes) {
      await api.post(core('resourcequotas', ns), {
        metadata: { name: scope.toLowerCase() },
        spec: { hard: { pods: '5' }, scopes: [scope] },
      });
      await expect.poll(() => counted(ns, scope.toLowerCase()), poll).toBe('0');
    }
  };
  const some = { requests: { cpu: '500m', memory: '200Mi' }, limits: { cpu: '1', memory: '400Mi' } };

  test.each<[scope: string, its: object, other: string, others: object]>([
    ['BestEffort', aPod('p'), 'NotBestEffort', aPod('q', some)],
    ['Terminating', aPod('p', some, { activeDeadlineSeconds: 3600 }), 'NotTerminating', aPod('q', some)],
  ])('%s counts only pods that are in it', async (scope, its, other, others) => {
    const ns = await plane.inNamespace(`scope-${scope.toLowerCase()}`);
    await quotas(ns, [scope, other]);
    const both = async (): Promise<unknown> => [await counted(ns, scope.toLowerCase()), await counted(ns, other.toLowerCase())];
    await api.post(core('pods', ns), its);
    await expect.poll(both, poll).toEqual(['1', '0']);
    await api.delete(`${core('pods', ns)}/p`, { gracePeriodSeconds: 0 });
    await expect.poll(both, poll).toEqual(['0', '0']);
    await api.post(core('pods', ns), others);
    await expect.poll(both, poll).toEqual(['0', '1']);
    await api.delete(`${core('pods', ns)}/q`, { gracePeriodSeconds: 0 });
    await expect.poll(both, poll).toEqual(['0', '0']);
  });
});

test.each(['configmaps', 'secrets'])('immutable %s change neither their data nor back, but are labelled and deleted', async (plural) => {
  const ns = await plane.inNamespace(`immutable-${plural}`);
  const path = `${core(plural, ns)}/fixed`;
  await api.post(core(plural, ns), { metadata: { name: 'fixed' }, data: { a: 'YQ==' } });
  expect(await api.update(path, (found) => ({ ...found, data: { a: 'Yg==' } }))).toMatchObject({ data: { a: 'Yg==' } });
  expect(await api.update(path, (found) => ({ ...found, immutable: true }))).toMatchObject({ immutable: true });
  await expect(api.update(path, (found) => ({ ...found, immutable: false }))).rejects.toThrow(
    /^Invalid: .*immutable: Forbidden: field is immutable when `immutable` is set/,
  );
  await expect(api.update(path, (found) => ({ ...found, data: { a: 'Yw==' } }))).rejects.toThrow(
    /^Invalid: .*data: Forbidden: field is immutable when `immutable` is set/,
  );
  const labelled = await api.update(path, (found) => ({ ...found, metadata: { ...found.metadata, labels: { still: 'yes' } } }));
  expect(labelled.metadata.labels).toEqual({ still: 'yes' });
  await api.delete(path);
});

test('a Service on one port number with two protocols leads to both', async () => {
  const ns = await plane.inNamespace('two-protocols');
  const labels = { app: 'both' };
  const ports = ['TCP', 'UDP'].map((protocol) => ({ name: protocol.toLowerCase(), containerPort: 80, protocol }));
  await api.post(core('pods', ns), { metadata: { name: 'p', labels }, spec: { containers: [{ name: 'c', image: 'c', ports }] } });
  await plane.runPods(ns);
  const servicePorts = ['TCP', 'UDP'].map((protocol) => ({ name: protocol.toLowerCase(), port: 80, protocol, targetPort: 80 }));
  await api.post(core('services', ns), { metadata: { name: 'both' }, spec: { selector: labels, ports: servicePorts } });
  const slices = `${pathOf('discovery.k8s.io/v1', 'endpointslices', ns)}?labelSelector=kubernetes.io%2Fservice-name%3Dboth`;
  const shown = async (): Promise<unknown> =>
    (await api.get(slices)).items
      .flatMap((slice) => (slice['ports'] as { protocol: string; port: number }[] | null) ?? [])
      .map(({ protocol, port }) => `${protocol} ${port}`)
      .sort();
  await expect.poll(shown, poll).toEqual(['TCP 80', 'UDP 80']);
});
