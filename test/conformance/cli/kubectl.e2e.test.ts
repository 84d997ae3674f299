// What kubectl must be able to do, with a whole cluster in this process: the newest kubectl that is here, simulated containers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { request, Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '#kubelet/testing.ts';
import type { KubectlFolder } from '#test/integration/kinds/kubectl-folder.ts';
import { type RunningCluster, startRunningCluster } from '#test/integration/running/running-cluster.ts';
import { allKubectls } from '#test/testbed/kubectl.ts';

const labels = { app: 'agnhost', role: 'primary' };
const controller = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { name: 'agnhost-primary', labels },
  spec: {
    replicas: 1,
    selector: labels,
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'agnhost-primary', image: 'agnhost', ports: [{ name: 'agnhost-server', containerPort: 6379 }] }] },
    },
  },
};
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'agnhost-primary', labels },
  spec: { selector: labels, ports: [{ port: 6379, targetPort: 'agnhost-server' }] },
};
const poll = { timeout: 30_000, interval: 200 };
const kubectl = allKubectls().at(-1);
let cluster: RunningCluster;
let bare: KubectlFolder;
const run = (args: string | readonly string[]): Promise<string> => bare.kubectl(args);
const runningPods = async (selector: string): Promise<number> =>
  (await run(`get pods -l ${selector} --field-selector=status.phase=Running -o name`)).split('\n').filter((line) => line !== '').length;

beforeAll(async () => {
  if (kubectl === undefined) throw new Error('there is no kubectl');
  cluster = await startRunningCluster(kubectl, 1);
  ({ bare } = cluster);
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

test('cluster-info says where the control plane runs', async () => {
  expect(await run('cluster-info')).toMatch(/Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/);
});

test('version shows both sides, and api-versions has v1', async () => {
  const { clientVersion, serverVersion } = JSON.parse(await run('version -o json')) as Record<string, Record<string, string>>;
  for (const version of [clientVersion, serverVersion]) {
    expect(version).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) as string });
    // Which commit it was is known of bundles, not of sources that run.
    for (const field of ['gitCommit', 'gitTreeState', 'buildDate', 'goVersion', 'compiler', 'platform']) {
      expect(version?.[field]).toEqual(field.startsWith('git') ? expect.any(String) : expect.stringMatching(/./));
    }
  }
  expect((await run('api-versions')).split('\n')).toContain('v1');
});

describe('with a controller and a Service', () => {
  beforeAll(async () => {
    await run(`create -f ${bare.file('rc.json', controller)}`);
    await run(`create -f ${bare.file('service.json', service)}`);
    await eventually(async () => (await runningPods('app=agnhost')) === 1, 'the controller’s pod to run');
  });

  const told: readonly [what: string, args: string, words: readonly string[]][] = [
    [
      'a pod',
      'pod -l app=agnhost',
      'Name:|Namespace:|Node:|Labels:|app=agnhost|role=primary|Annotations:|Status:|IP:|Controlled By:|ReplicationController/agnhost-primary|Image:|agnhost|State:|Running|QoS Class:|BestEffort'.split(
        '|',
      ),
    ],
    [
      'a replication controller',
      'rc agnhost-primary',
      'Name:|agnhost-primary|Namespace:|Selector:|app=agnhost,role=primary|Labels:|app=agnhost|role=primary|Annotations:|Replicas:|1 current|1 desired|Pods Status:|1 Running|0 Waiting|0 Succeeded|0 Failed|Pod Template:|Image:|Events:|SuccessfulCreate'.split(
        '|',
      ),
    ],
    [
      'a Service',
      'service agnhost-primary',
      'Name:|agnhost-primary|Namespace:|Labels:|Annotations:|Selector:|app=agnhost,role=primary|Type:|ClusterIP|IP:|Port:|<unset>|6379/TCP|Endpoints:|Session Affinity:|None'.split(
        '|',
      ),
    ],
    [
      'a node',
      'node node-1',
      'Name:|node-1|Labels:|Annotations:|CreationTimestamp:|Conditions:|Type|Status|LastHeartbeatTime|LastTransitionTime|Reason|Message|Addresses:|Capacity:|Kernel Version:|OS Image:|Container Runtime Version:|Kubelet Version:|Allocatable:|Non-terminated Pods:|agnhost-primary-'.split(
        '|',
      ),
    ],
    ['a namespace', 'namespace default', 'Name:|default|Labels:|Annotations:|Status:|Active'.split('|')],
  ];
  test.each(told)('describe tells of %s', async (_what, args, words) => {
    const text = await run(`describe ${args}`);
    for (const word of words) expect(text).toContain(word);
  });

  test('expose makes Services of a controller and of a Service, which lead to the same port', async () => {
    await run('expose rc agnhost-primary --name=rm2 --port=1234 --target-port=6379');
    await run('expose service rm2 --name=rm3 --port=2345 --target-port=6379');
    for (const [name, port] of [
      ['rm2', '1234'],
      ['rm3', '2345'],
    ]) {
      expect(await run(`get service ${name} -o jsonpath={.spec.ports[0].port}`)).toBe(port);
      await expect
        .poll(() => run(`get endpointslices -l kubernetes.io/service-name=${name} -o jsonpath={.items[*].ports[*].port}`), poll)
        .toBe('6379');
    }
  });

  test('patch changes all pods of a controller', async () => {
    for (const name of (await run('get pods -l app=agnhost -o name')).trim().split('\n')) {
      await run(['patch', name, '-p', '{"metadata":{"annotations":{"x":"y"}}}']);
      expect(await run(`get ${name} -o jsonpath={.metadata.annotations.x}`)).toBe('y');
    }
  });

  test('scale makes a controller smaller and larger', async () => {
    for (const count of [2, 1, 2]) {
      await run(`scale rc agnhost-primary --replicas=${count} --timeout=5m`);
      const names = (): Promise<string> =>
        run(['get', 'pods', '-o', 'template', '--template={{range.items}}{{.metadata.name}} {{end}}', '-l', 'app=agnhost']);
      await expect.poll(async () => (await names()).trim().split(' ').length, poll).toBe(count);
      await expect.poll(() => runningPods('app=agnhost'), poll).toBe(count);
    }
  });
});

describe('with a pod', () => {
  beforeAll(async () => {
    expect(await run('run e2e-test-httpd-pod --image=httpd --labels=run=e2e-test-httpd-pod --restart=Never')).toBe(
      'pod/e2e-test-httpd-pod created\n',
    );
    await eventually(async () => (await runningPods('run=e2e-test-httpd-pod')) === 1, 'the pod to run');
  });
  const image = (): Promise<string> => run('get pod e2e-test-httpd-pod -o jsonpath={.spec.containers[0].image}');

  test('run makes one with one container of the image', async () => {
    expect(await run('get pod e2e-test-httpd-pod -o jsonpath={.spec.containers[*].image}')).toBe('httpd');
  });

  test('patch --dry-run=server changes nothing', async () => {
    const patch = '{"spec":{"containers":[{"name": "e2e-test-httpd-pod","image": "busybox"}]}}';
    expect(await run(['patch', 'pod', 'e2e-test-httpd-pod', '-p', patch, '--dry-run=server'])).toContain('patched');
    expect(await image()).toBe('httpd');
  });

  test('replace updates its image', async () => {
    const changed = (await run('get pod e2e-test-httpd-pod -o json')).replaceAll('"image": "httpd"', '"image": "busybox"');
    expect(await run(`replace -f ${bare.file('changed.json', changed)}`)).toBe('pod/e2e-test-httpd-pod replaced\n');
    expect(await image()).toBe('busybox');
  });

  test('label sets a label, shows it, and removes it', async () => {
    const shown = async (): Promise<string> => (await run('get pod e2e-test-httpd-pod -L testing-label --no-headers')).trim();
    await run('label pods e2e-test-httpd-pod testing-label=testing-label-value');
    expect(await shown()).toMatch(/ testing-label-value$/);
    expect(await run('get pods -l testing-label=testing-label-value -o name')).toBe('pod/e2e-test-httpd-pod\n');
    await run('label pods e2e-test-httpd-pod testing-label-');
    expect(await shown()).not.toContain('testing-label-value');
    expect(await run('get pods -l testing-label=testing-label-value -o name')).toBe('');
  });

  test('logs can be cut by lines, bytes and time, and stamped', async () => {
    expect(await run('logs e2e-test-httpd-pod')).toBe('hello\n');
    expect(await run('logs e2e-test-httpd-pod --tail=1')).toBe('hello\n');
    expect(await run('logs e2e-test-httpd-pod --limit-bytes=1')).toBe('h');
    const [stamp = ''] = (await run('logs e2e-test-httpd-pod --tail=1 --timestamps')).split(' ');
    expect(stamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    expect(await run('logs e2e-test-httpd-pod --since=24h')).toBe('hello\n');
    expect(await run(`logs e2e-test-httpd-pod --since-time=2999-01-01T00:00:00Z`)).toBe('');
  });
});

describe('proxy', () => {
  async function proxied(args: readonly string[], connect: (line: string) => { url: string; agent: Agent }): Promise<unknown> {
    const child = spawn(kubectl?.path ?? '', ['proxy', ...args], {
      env: { PATH: '/usr/bin:/bin', HOME: bare.folder, KUBECONFIG: join(bare.folder, 'config') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      const { url, agent } = connect(line);
      const answer = await request(url, { dispatcher: agent });
      const body = await answer.body.json();
      await agent.close();
      return body;
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  }

  test('serves on a port that it chooses', async () => {
    const body = await proxied(['-p', '0', '--disable-filter'], (line) => {
      const address = /Starting to serve on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      return { url: `http://${address}/api/`, agent: new Agent() };
    });
    expect(body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
  });

  test('serves on a Unix socket', async () => {
    const socketPath = join(bare.folder, 'proxy.sock');
    const body = await proxied([`--unix-socket=${socketPath}`], () => ({
      url: 'http://localhost/api/',
      agent: new Agent({ connect: { socketPath } }),
    }));
    expect(body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
  });
});
