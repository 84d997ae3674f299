// The container images, as people use them: a cluster of many containers by `docker compose`, and a cluster in one container by testcontainers.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildDemoImages } from '#cli/demo/images.ts';
import { Host } from '#test/testbed/host.ts';
import { defaultKubectl } from '#test/testbed/kubectl.ts';
import { until } from './cluster.ts';

const root = join(import.meta.dirname, '../..');
const composeFile = join(root, 'deploy/compose/docker-compose.yaml');
const kubeconfig = '/root/kubeconfig';
const images = 'coxswain/hello:1 coxswain/busybox:1';
const nodePort = 30_080;
const workers = ['worker-1', 'worker-2', 'worker-3', 'worker-4', 'worker-5'];
let host: Host;
/** `docker compose`, or where that plugin is not there, its forerunner. */
let composeCommand = '';

const withLoadBalancers = `-f ${join(root, 'deploy/compose/load-balancers.yaml')}`;

beforeAll(async () => {
  host = await Host.start();
  await host.startPrivilegedDocker();
  const { code } = await host.exec(['docker', 'compose', 'version']);
  composeCommand = `${code === 0 ? 'docker compose' : 'docker-compose'} -f ${composeFile}`;
  await buildDemoImages(host.dockerSocket, join(root, 'cli/demo/hello.mjs'), () => undefined);
  // Built out here, where Debian's packages can be reached, by the host's engine.
  await new Promise<void>((resolve, reject) => {
    const env = { ...process.env, DOCKER_HOST: `unix://${host.dockerSocket}` };
    execFile(join(root, 'coxswain'), ['images'], { env }, (error, _, stderr) =>
      error === null ? resolve() : reject(new Error(`coxswain images: ${stderr}`, { cause: error })),
    );
  });
});
afterAll(async () => {
  await host?.stop();
});

describe('docker compose', () => {
  beforeAll(async () => {
    await compose('up -d');
    await host.sh(`${composeCommand} run --rm -T kubeconfig >${kubeconfig}`);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    const { stdout, stderr } = await host.exec(['bash', '-c', `docker ps -a; ${composeCommand} logs --tail=15 2>&1 | cut -c1-400`]);
    process.stderr.write(`\n----- ${task.name}\n${stdout}${stderr}\n-----\n`);
  });
  afterAll(async () => {
    // Containers that are just starting again hold their network for a moment.
    await until('the containers are gone', () => compose(`${withLoadBalancers} down -v`).then(() => true), 240_000);
  });

  test('five nodes become Ready', async () => {
    await allReady();
  });

  test('a Deployment answers behind a Service, by its name, at every node, and through the API', async () => {
    for (const worker of workers) await host.sh(`docker save ${images} | docker exec -i $(${composeCommand} ps -q ${worker}) docker load`);
    await kubectl('apply -f -', hello());
    await kubectl('rollout status deployment/hello --timeout=240s');
    const pods = await podsOf('.metadata.name');
    expect((await podsOf('.spec.nodeName')).sort()).toEqual(workers);
    await answersEverywhere(pods);
    const ask = [
      'run ask --rm -i --restart=Never --image=coxswain/busybox:1 --image-pull-policy=Never',
      '--command -- wget -qO- http://hello.default/',
    ];
    expect(await kubectl(ask.join(' '))).toMatch(new RegExp(`Hostname: (${pods.join('|')})`));
    // By way of the API servers, each of which finds the pods itself.
    for (const pod of pods)
      expect(await kubectl(`get --raw /api/v1/namespaces/default/pods/${pod}:8080/proxy/`)).toContain(`Hostname: ${pod}`);
  });

  test('a Service gets an address where the nodes answer, from the cloud controller manager’s image', async () => {
    const ids = (): Promise<string> => compose('ps -q etcd-1 worker-1 setup');
    const before = await ids();
    await compose(`${withLoadBalancers} up -d`);
    expect(await ids(), 'what ran already goes on').toBe(before);
    await kubectl('apply -f -', readFileSync(join(root, 'deploy/manifests/cloud-controller-manager-rbac.yaml'), 'utf8'));
    const flag = '--announce-load-balancers=172.30.77.200-172.30.77.220';
    const edit = `sed -i '/--kubeconfig=/{p;s/--kubeconfig=.*/${flag}/}' /etc/kubernetes/manifests/kube-proxy.yaml`;
    for (const worker of workers) await compose(`exec -T ${worker} ${edit}`);
    await kubectl('expose deployment hello --name=balanced --port=80 --target-port=8080 --type=LoadBalancer');
    const given = 'get service balanced -o jsonpath={.status.loadBalancer.ingress[0].ip}';
    await until('an address', async () => (await kubectl(given)) === '172.30.77.200', 60_000);
    await until('an answer there', async () => (await host.sh('curl -sS -m 3 http://172.30.77.200/')).includes('Hostname: '), 60_000);
    const holder = await kubectl('get lease cloud-controller-manager -n kube-system -o jsonpath={.spec.holderIdentity}');
    expect(holder).not.toBe('');
  });

  test('the cluster is there again after a restart of everything', async () => {
    const before = await kubectl('get deployment hello -o jsonpath={.metadata.uid}');
    await compose('restart');
    await until('the API answers', () => kubectl('get --raw /readyz'), 60_000);
    expect(await kubectl('get deployment hello -o jsonpath={.metadata.uid}')).toBe(before);
    await allReady();
    await answersEverywhere(await podsOf('.metadata.name'));
  });
});

describe('testcontainers', () => {
  test('a cluster starts, takes an image, runs it, says what is wrong when it does not, and goes', async () => {
    // Within the host, where the engine's ports are.
    const script = join(import.meta.dirname, 'container-user.ts');
    const env = {
      DOCKER_HOST: 'unix:///run/docker.sock',
      // By another name than localhost, as within a container.
      TESTCONTAINERS_HOST_OVERRIDE: (await host.sh("ip -4 -o addr show docker0 | sed 's/.*inet \\([0-9.]*\\).*/\\1/'")).trim(),
      TESTCONTAINERS_RYUK_DISABLED: 'true',
    };
    const { code, stdout, stderr } = await host.exec([process.execPath, script], { env, timeoutMs: 240_000 });
    const said = `${stdout}${stderr}`;
    expect(said).toContain('the cluster did not start: ');
    expect(said).toContain('invalid value "nothing" for --port');
    expect(said).toContain('hello answered: Hello');
    expect(code).toBe(0);
    expect(await host.sh('docker ps -aq')).toBe('');
  });
});

function compose(args: string): Promise<string> {
  return host.sh(`${composeCommand} ${args}`, { timeoutMs: 300_000 });
}

async function kubectl(args: string, input?: string): Promise<string> {
  const command = [defaultKubectl().path, '--kubeconfig', kubeconfig, ...args.split(' ')];
  const { code, stdout, stderr } = await host.exec(command, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function allReady(): Promise<void> {
  const ready = `get nodes -o jsonpath={range.items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status},{end}`;
  await until('five nodes are Ready', async () => (await kubectl(ready)) === workers.map((name) => `${name}=True,`).join(''), 120_000);
}

async function podsOf(path: string): Promise<string[]> {
  return (await kubectl(`get pods -l app=hello -o jsonpath={.items[*]${path}}`)).split(' ');
}

/** Asks each node until each pod has answered. */
async function answersEverywhere(pods: readonly string[]): Promise<void> {
  for (const worker of workers) {
    const address = await kubectl(`get node ${worker} -o jsonpath={.status.addresses[?(@.type=="InternalIP")].address}`);
    const waiting = new Set(pods);
    await until(
      `every pod answers at ${worker}`,
      async () => {
        const answer = await host.sh(`curl -sS -m 3 http://${address}:${nodePort}/`);
        waiting.delete(/Hostname: (\S+)/.exec(answer)?.[1] ?? '');
        return waiting.size === 0;
      },
      120_000,
    );
  }
}

/** A pod on each node, and a Service in front of them. */
function hello(): string {
  const labels = { app: 'hello' };
  const container = { name: 'hello', image: 'coxswain/hello:1', imagePullPolicy: 'Never', ports: [{ containerPort: 8080 }] };
  const spread = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: labels },
  };
  const template = { metadata: { labels }, spec: { containers: [container], topologySpreadConstraints: [spread] } };
  const metadata = { name: 'hello' };
  const items = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: workers.length, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080, nodePort }] },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
