// Lists in chunks, discovery, strict fields, tables and the version: how the server answers, whatever the kind.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '#apiserver/storage/memory.ts';
import { systemClock } from '#base/clock.ts';
import { type AnyObject, type ApiSession, type ApiUnderTest, pathOf, startApi } from '../api-session.ts';

const templates = pathOf('v1', 'podtemplates', 'default');
const total = 60;
const never = new AbortController().signal;
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
let store: MemoryStore;
let under: ApiUnderTest;
let api: ApiSession;
const nameOf = (at: number): string => `template-${String(at).padStart(4, '0')}`;
const namesOf = ({ items }: AnyObject): string[] => items.map(({ metadata }) => metadata.name);
const page = (limit: number, token = ''): Promise<AnyObject> =>
  api.get(`${templates}?limit=${limit}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`);

beforeAll(async () => {
  store = new MemoryStore({ clock: systemClock });
  under = await startApi({ store });
  ({ api } = under);
  const spec = { containers: [{ name: 'test', image: 'test2' }] };
  for (let at = 0; at < total; at++) await api.post(templates, { metadata: { name: nameOf(at) }, template: { spec } });
});
afterAll(async () => {
  await under[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

describe('API chunking', () => {
  test('list calls answer in chunks of one version, each saying how many are left', async () => {
    const first = await page(17);
    const seen = namesOf(first);
    let { continue: token = '' } = first.metadata;
    expect(first.metadata.remainingItemCount).toBe(total - 17);
    while (token !== '') {
      const next = await page(13, token);
      expect(next.items.length).toBeLessThanOrEqual(13);
      expect(next.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      seen.push(...namesOf(next));
      expect(next.metadata.remainingItemCount ?? 0).toBe(total - seen.length);
      ({ continue: token = '' } = next.metadata);
    }
    expect(seen).toEqual(Array.from({ length: total }, (_, at) => nameOf(at)));
    const whole = await api.get(templates);
    expect(whole.items).toHaveLength(total);
    expect(whole.metadata.continue ?? '').toBe('');
  });

  test('a token expires after two periods of compaction at most, also where nothing changed meanwhile', async () => {
    await using quick = await startApi({ store, more: { compactionMs: 50 } });
    const first = await quick.api.get(`${templates}?limit=20`);
    await quick.api.post('/api/v1/namespaces', { metadata: { name: 'another-matter' } });
    const later = `${templates}?limit=20&continue=${encodeURIComponent(first.metadata.continue ?? '')}`;
    await expect.poll(async () => (await quick.api.send('GET', later)).code, { timeout: 10_000 }).toBe(410);
  });

  test('a list goes on from its last key after its version has been compacted away', async () => {
    const first = await page(20);
    await api.patch(`${templates}/${nameOf(0)}`, 'merge', { metadata: { labels: { moved: 'on' } } });
    await store.compact(await store.currentRevision(never), never);
    await under[Symbol.asyncDispose]();
    // A server that has just started knows no version older than the store's.
    under = await startApi({ store });
    ({ api } = under);
    const late = await api.send('GET', `${templates}?limit=20&continue=${encodeURIComponent(first.metadata.continue ?? '')}`);
    const status = JSON.parse(late.text) as AnyObject & { reason: string; code: number };
    expect(status).toMatchObject({ code: 410, reason: 'Expired' });
    const next = await page(20, status.metadata.continue);
    expect(namesOf(next)).toEqual(Array.from({ length: 20 }, (_, at) => nameOf(20 + at)));
    expect(next.metadata.remainingItemCount).toBe(total - 40);
    const last = await page(20, next.metadata.continue);
    expect(last.metadata.resourceVersion).toBe(next.metadata.resourceVersion);
    expect(namesOf(last)).toEqual(Array.from({ length: 20 }, (_, at) => nameOf(40 + at)));
    expect(last.metadata.continue ?? '').toBe('');
  });
});

interface Group {
  readonly name: string;
  readonly preferredVersion: { groupVersion: string; version: string };
  readonly versions: readonly { groupVersion: string; version: string }[];
}

describe('discovery', () => {
  const groups = async (): Promise<Group[]> => (await api.get('/apis'))['groups'] as Group[];

  test('validates the preferred version of each API group', async () => {
    for (const group of await groups()) {
      expect(group.versions).toContainEqual(group.preferredVersion);
      expect(await api.get(`/apis/${group.name}`)).toMatchObject({ name: group.name, preferredVersion: group.preferredVersion });
    }
  });

  test('locates the group, the version and a resource within each API group', async () => {
    for (const { versions } of await groups()) {
      for (const { groupVersion } of versions) {
        const list = (await api.get(`/apis/${groupVersion}`)) as AnyObject & { resources: { name: string; kind: string }[] };
        expect(list).toMatchObject({ kind: 'APIResourceList', groupVersion });
        expect(list.resources[0]).toMatchObject({ name: expect.stringMatching(/./) as string, kind: expect.stringMatching(/./) as string });
      }
    }
  });

  test.each([
    ['/api', ['v1'], ['pods', 'services', 'nodes', 'namespaces']],
    ['/apis', ['apps/v1', 'batch/v1', 'apiextensions.k8s.io/v1'], ['deployments', 'jobs', 'customresourcedefinitions']],
  ])('aggregated discovery of %s has all built-in resources, when it is asked for', async (path, wanted, resources) => {
    const answer = await api.send('GET', path, undefined, { accept: aggregated });
    expect(answer.type).toBe(aggregated);
    const { items } = JSON.parse(answer.text) as {
      items: { metadata: { name?: string }; versions: { version: string; resources: { resource: string }[] }[] }[];
    };
    const all = items.flatMap(({ metadata, versions }) =>
      versions.map(({ version }) => (metadata.name === undefined ? version : `${metadata.name}/${version}`)),
    );
    expect(all).toEqual(expect.arrayContaining(wanted));
    const names = items.flatMap(({ versions }) => versions.flatMap((one) => one.resources.map(({ resource }) => resource)));
    expect(names).toEqual(expect.arrayContaining(resources));
    // Of several forms, the first that the server knows; of none, the old one.
    const choice = await api.send('GET', path, undefined, {
      accept: `application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,${aggregated},application/json`,
    });
    expect(choice.type).toBe(aggregated);
    expect((await api.send('GET', path, undefined, { accept: 'application/json' })).type).toBe('application/json');
  });

  test('finds the server version, major and minor being integers', async () => {
    const { major, minor } = await api.get('/version');
    expect([major, minor]).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)]);
  });
});

describe('field validation', () => {
  const deployments = pathOf('apps/v1', 'deployments', 'default');
  const deployment = (meta: string, spec: string): string =>
    `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"strict"${meta}},"spec":{${spec}"selector":{"matchLabels":{"app":"nginx"}},
      "template":{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[{"name":"nginx","image":"nginx:latest"}]}}}}`;
  const refused = async (text: string, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await api.send('POST', `${deployments}?fieldValidation=Strict`, text, headers);
    expect(answer.code).toBe(400);
    return (JSON.parse(answer.text) as { message: string }).message;
  };

  test('detects unknown and duplicate fields of a typed object', async () => {
    const message = await refused(deployment('', '"unknownField":"foo","replicas":2,"replicas":3,'));
    expect(message).toContain('strict decoding error: ');
    expect(message).toContain('unknown field "spec.unknownField"');
    expect(message).toContain('duplicate field "spec.replicas"');
  });

  test('detects unknown metadata fields of a typed object, its template included', async () => {
    expect(await refused(deployment(',"unknownMeta":"foo"', ''))).toContain('unknown field "metadata.unknownMeta"');
    const nested = deployment('', '').replace('"labels":{"app":"nginx"}},"spec"', '"labels":{"app":"nginx"},"unknownMeta":"foo"},"spec"');
    expect(await refused(nested)).toContain('unknown field "spec.template.metadata.unknownMeta"');
  });

  test('in an apply patch too', async () => {
    const answer = await api.send(
      'PATCH',
      `${deployments}/strict?fieldManager=e2e&fieldValidation=Strict`,
      deployment('', '"unknownField":"foo",'),
      {
        'content-type': 'application/apply-patch+yaml',
      },
    );
    expect(answer.code).toBe(500);
    expect(answer.text).toContain('.spec.unknownField: field not declared in schema');
  });

  test('warns where it should only warn', async () => {
    const answer = await api.send('POST', `${deployments}?fieldValidation=Warn&dryRun=All`, deployment('', '"unknownField":"foo",'));
    expect(answer.code).toBe(201);
    expect(answer.warnings.join()).toContain('unknown field \\"spec.unknownField\\"');
  });
});

describe('tables', () => {
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

  test('show chunks of a list as rows, with the token of the next', async () => {
    const { text } = await api.send('GET', `${templates}?limit=1`, undefined, { accept: table });
    const { rows, columnDefinitions, metadata } = JSON.parse(text) as AnyObject & {
      rows: { cells: unknown[] }[];
      columnDefinitions: unknown[];
    };
    expect(rows).toHaveLength(1);
    expect(rows[0]?.cells).toHaveLength(columnDefinitions.length);
    expect(rows[0]?.cells[0]).toBe(nameOf(0));
    expect(metadata.continue).toMatch(/./);
  });

  test('a backend that has no metadata answers 406', async () => {
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { group: 'batch', namespace: 'default', resource: 'jobs', verb: 'create', version: 'v1' } },
    };
    const path = pathOf('authorization.k8s.io/v1', 'selfsubjectaccessreviews');
    const answer = await api.send('POST', path, body, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect(answer.code).toBe(406);
    expect(JSON.parse(answer.text)).toMatchObject({ reason: 'NotAcceptable' });
  });
});
