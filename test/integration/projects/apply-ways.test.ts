// Ways to apply besides plain files, by the oldest and the newest kubectl: folders put together by kustomize, pruning, rehearsals, owners
// of fields, replacing by force; and what is refused for now, in clear words.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allKubectls } from '#test/testbed/kubectl.ts';
import { BareServer } from '../kinds/bare-server.ts';

const clients = [...new Set([allKubectls().at(0), allKubectls().at(-1)])].flatMap((one) => (one === undefined ? [] : [one]));

const settings = (name: string, value = 'v'): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { set: 'one' } },
  data: { k: value },
});
const list = (...items: object[]): object => ({ apiVersion: 'v1', kind: 'List', items });
const deployment = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { set: 'one' } },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'nginx:1' }] } },
  },
});

describe.each(clients.map((kubectl) => [kubectl.version, kubectl] as const))('kubectl %s', (version, kubectl) => {
  const isNew = Number(version.split('.')[1]) >= 25;
  let bare: BareServer;
  const run = (args: string, env: Readonly<Record<string, string>> = {}): Promise<string> => bare.kubectl(args, env);
  beforeAll(async () => {
    bare = await BareServer.start(kubectl);
    await bare.kubectl('create serviceaccount default');
  });
  afterAll(async () => bare?.[Symbol.asyncDispose]());

  test('kustomize: a prefix, a namespace, generated settings, a patch', async () => {
    mkdirSync(join(bare.folder, 'kustomized'));
    bare.file('kustomized/deployment.json', deployment('web'));
    await run('create namespace kustomized');
    bare.file('kustomized/patch.json', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 2, template: { spec: { volumes: [{ name: 's', configMap: { name: 'settings' } }] } } },
    });
    bare.file('kustomized/kustomization.yaml', {
      namePrefix: 'dev-',
      namespace: 'kustomized',
      commonLabels: { app: 'mine' },
      resources: ['deployment.json'],
      images: [{ name: 'nginx', newTag: '1.28' }],
      configMapGenerator: [{ name: 'settings', literals: ['a=b'] }],
      patchesStrategicMerge: ['patch.json'],
    });
    const made = /^configmap\/dev-settings-\w{10} created\ndeployment\.apps\/dev-web created\n$/;
    expect(await run('apply -k kustomized')).toMatch(made);
    expect((await run('apply -k kustomized')).match(/ unchanged$/gm)).toHaveLength(2);
    expect(await bare.tryKubectl('diff -k kustomized')).toMatchObject({ code: 0, stdout: '' });
    const { spec } = JSON.parse(await run('get deployment dev-web -n kustomized -o json')) as { spec: object };
    expect(spec).toMatchObject({
      replicas: 2,
      selector: { matchLabels: { app: 'mine' } },
      template: {
        spec: { containers: [{ image: 'nginx:1.28' }], volumes: [{ configMap: { name: expect.stringMatching(/^dev-settings-/) } }] },
      },
    });
    expect((await run('delete -k kustomized --wait=false')).match(/ deleted/g)).toHaveLength(2);
  });

  test('prune: what is no longer in the manifest goes', async () => {
    const both = bare.file('both.json', list(settings('kept'), settings('pruned'), deployment('other')));
    const one = bare.file('one.json', list(settings('kept')));
    expect((await run(`apply -f ${both}`)).match(/ created$/gm)).toHaveLength(3);
    const only = `--${isNew ? 'prune-allowlist' : 'prune-whitelist'}=core/v1/ConfigMap`;
    expect(await run(`apply -f ${one} --prune -l set=one ${only}`)).toBe('configmap/kept unchanged\nconfigmap/pruned pruned\n');
    // The oldest looks for CronJobs of a version that Kubernetes has dropped.
    const { code, stdout } = await bare.tryKubectl(`apply -f ${one} --prune -l set=one`);
    expect([code, stdout]).toEqual(
      isNew ? [0, 'configmap/kept unchanged\ndeployment.apps/other pruned\n'] : [1, 'configmap/kept unchanged\n'],
    );
    if (!isNew) return;
    const asSet = { KUBECTL_APPLYSET: 'true' };
    await run(`apply -f ${both} --prune --applyset=mine -n default`, asSet);
    const pruned = await run(`apply -f ${one} --prune --applyset=mine -n default`, asSet);
    expect(pruned.split('\n').toSorted()).toEqual([
      '',
      'configmap/kept unchanged',
      'configmap/pruned pruned',
      'deployment.apps/other pruned',
    ]);
  });

  test('a rehearsal leaves nothing behind', async () => {
    const file = bare.file('rehearsed.json', list(settings('rehearsed'), deployment('rehearsed')));
    const what = 'configmap/rehearsed created (server dry run)\ndeployment.apps/rehearsed created (server dry run)\n';
    expect(await run(`apply -f ${file} --dry-run=server`)).toBe(what);
    expect(await run(`create -f ${file} --dry-run=server`)).toBe(what);
    expect(await run(`apply -f ${file} --server-side --dry-run=server`)).toBe(what.replaceAll('created', 'serverside-applied'));
    expect(await run(`get -f ${file} --ignore-not-found`)).toBe('');
    await run(`apply -f ${file}`);
    expect((await run(`delete -f ${file} --dry-run=server`)).match(/ deleted( from \w+ namespace)? \(server dry run\)$/gm)).toHaveLength(2);
    await run('scale deployment rehearsed --replicas=7 --dry-run=server');
    expect(await run('get deployment rehearsed -o jsonpath={.spec.replicas}')).toBe('1');
    const changed = bare.file('rehearsed.json', list(settings('rehearsed', 'w'), deployment('rehearsed')));
    const { code, stdout } = await bare.tryKubectl(`diff -f ${changed}`);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^-  k: v\n\+  k: w$/m)]);
  });

  test('two who apply on the server: a conflict, and how it is settled', async () => {
    const mine = bare.file('mine.json', settings('shared', 'mine'));
    const theirs = bare.file('theirs.json', settings('shared', 'theirs'));
    await run(`apply -f ${mine} --server-side --field-manager=me`);
    const { code, stderr } = await bare.tryKubectl(`apply -f ${theirs} --server-side --field-manager=they`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Apply failed with 1 conflict: conflict with "me": .data.k')]);
    await run(`apply -f ${theirs} --server-side --field-manager=they --force-conflicts`);
    expect(await run('get configmap shared -o jsonpath={.data.k}')).toBe('theirs');
    // What nobody applies any more goes: they own the value now, and leave it out.
    const without = bare.file('without.json', { ...settings('shared'), data: {} });
    await run(`apply -f ${without} --server-side --field-manager=they`);
    expect(await run('get configmap shared -o jsonpath={.data}')).not.toContain('theirs');
  });

  test('what was applied last: seen, edited, set', async () => {
    const file = bare.file('remembered.json', settings('remembered'));
    await run(`apply -f ${file}`);
    expect(await run('apply view-last-applied configmap remembered -o json')).toMatch(/"k": "v"/);
    await run('apply edit-last-applied configmap remembered', { KUBE_EDITOR: "sed -i 's/k: v/k: w/'" });
    expect(await run('apply view-last-applied configmap remembered')).toMatch(/^ {2}k: w$/m);
    expect(await run(`apply set-last-applied -f ${file}`)).toBe('configmap/remembered configured\n');
    expect(await run('apply view-last-applied configmap remembered')).toMatch(/^ {2}k: v$/m);
    await run(`replace --force -f ${file}`);
    expect(await run('get configmap remembered -o jsonpath={.metadata.annotations}')).toBe('');
  });

  test('mistakes are told with the field', async () => {
    const wrong = bare.file('wrong.json', { ...settings('wrong'), dat: {} });
    expect((await bare.tryKubectl(`apply -f ${wrong}`)).stderr).toMatch(/unknown field "dat"/);
    expect((await bare.tryKubectl(`apply -f ${wrong} --server-side --validate=false`)).stderr).toContain(
      '.dat: field not declared in schema',
    );
    const typed = bare.file('typed.json', { ...settings('typed'), data: { k: 1 } });
    expect((await bare.tryKubectl(`create -f ${typed} --validate=false`)).stderr).toContain(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    );
  });

  test('an APIService of another server is refused, not ignored', async () => {
    const service = { name: 'metrics-server', namespace: 'kube-system' };
    const file = bare.file('api-service.json', {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        service,
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    });
    const { code, stderr } = await bare.tryKubectl(`apply -f ${file}`);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('not supported by this server yet: requests are not handed on to other API servers'),
    ]);
    expect(await run('get apiservices -o name')).not.toContain('metrics');
  });
});
