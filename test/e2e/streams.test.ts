// logs, exec, attach, port-forward and cp, by WebSocket (kubectl since 1.30) and by SPDY (before, from the oldest on).
import { beforeAll, describe, expect, test } from 'vitest';
import { allKubectls, type Kubectl, kubectlUpTo } from '#test/testbed/kubectl.ts';
import { Background } from './background.ts';
import { busybox, podManifest } from './manifests.ts';
import { useCluster } from './use-cluster.ts';

const cluster = useCluster();
const wanted = [allKubectls().at(-1), kubectlUpTo('1.29'), kubectlUpTo('1.28'), allKubectls().at(0)];
const clients = [...new Set(wanted)].flatMap((kubectl): [name: string, kubectl: Kubectl][] =>
  kubectl === undefined ? [] : [[`kubectl ${kubectl.version}`, kubectl]],
);

beforeAll(async () => {
  const main = busybox('main', {
    command: ['sh', '-c', 'echo begins; trap exit TERM; i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.2; done'],
  });
  const www = busybox('www', { command: ['sh', '-c', 'mkdir /www; echo page >/www/index.html; httpd -f -p 8080 -h /www'] });
  await cluster().apply(podManifest('talker', { containers: [main, www] }));
  const cat = busybox('cat', { command: ['sh', '-c', 'trap exit TERM; while read line; do echo "heard $line"; done'], stdin: true });
  await cluster().apply(podManifest('listener', { containers: [cat] }));
  await cluster().kubectl('wait pod/talker pod/listener --for=condition=Ready --timeout=60s');
});

test('logs, in part and as they come', async () => {
  expect(await cluster().kubectl('logs talker -c main')).toMatch(/^begins\ntick 1\n/);
  expect(await cluster().kubectl('logs talker -c main --tail=1')).toMatch(/^tick \d+\n$/);
  expect(await cluster().kubectl('logs talker -c main --tail=1 --timestamps')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z tick \d+\n$/);
  expect(await cluster().kubectl('logs talker -c main --limit-bytes=3')).toBe('beg');
  expect(await cluster().kubectl('logs talker --all-containers --prefix')).toContain('[pod/talker/main] begins');
  const { code, stderr } = await cluster().tryKubectl('logs talker -c nothing');
  expect([code, stderr]).toEqual([1, 'error: container nothing is not valid for pod talker\n']);
  await using follow = cluster().background('logs -f talker -c main --since=1s');
  await follow.shows(/tick (\d+)\n(tick \d+\n){5}/);
});

describe.each(clients)('%s', (_, kubectl) => {
  const minor = Number(kubectl.version.split('.')[1]);
  const run = (args: readonly string[] | string, input?: string): Promise<string> =>
    cluster().kubectl(args, { kubectl, ...(input === undefined ? {} : { input }) });

  test('exec carries both outputs, input and the exit code', async () => {
    expect(await run('exec talker -c main -- hostname')).toBe('talker\n');
    const both = await cluster().tryKubectl(['exec', 'talker', '-c', 'main', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'], {
      kubectl,
    });
    expect(both).toMatchObject({ code: 3, stdout: 'out\n' });
    expect(both.stderr).toMatch(/^err\ncommand terminated with exit code 3\n$/);
    const lines = Array.from({ length: 20_000 }, (_line, at) => `line ${at}\n`).join('');
    expect(await run('exec -i talker -c main -- cat', lines)).toBe(lines);
    expect((await cluster().tryKubectl('exec talker -c main -- not-a-program', { kubectl })).code).not.toBe(0);
  });

  // The oldest kubectl sends nothing where its user types nothing.
  test.runIf(minor >= 21)('a quiet exec lives on behind a load balancer that ends what is quiet', async () => {
    const port = 16_000 + clients.findIndex(([, one]) => one === kubectl);
    const quiet = 'timeout connect 1s\n timeout client 7s\n timeout server 7s';
    const config = `defaults\n mode tcp\n ${quiet}\nlisten api\n bind 127.0.0.1:${port}\n server one 127.0.0.1:6443\n`;
    await cluster().host.exec(['tee', `/root/haproxy-${port}.cfg`], { input: config });
    await using balancer = cluster().run(['haproxy', '-V', '-f', `/root/haproxy-${port}.cfg`]);
    await cluster().until('haproxy', async () => (await cluster().curl(`https://127.0.0.1:${port}/readyz`, '-k')) === 'ok');
    // These kubectls say every five seconds that they are there, and are answered; without, haproxy would have ended this.
    expect(await run(`--server=https://127.0.0.1:${port} exec talker -c www -- sh -c`.split(' ').concat('sleep 9; echo still there'))).toBe(
      'still there\n',
    );
    void balancer;
  });

  test('exec -it gives a terminal', async () => {
    const command = `stty rows 33 cols 77; ${kubectl.path} exec -it talker -c main -- sh`;
    await using shell = new Background(cluster().host, ['script', '-qfec', command, '/dev/null']);
    await shell.shows('# ');
    shell.type('tty; stty size; exit 5\n');
    const output = await shell.shows(/\/dev\/pts\/\d+\r\n33 77/);
    expect(output).not.toContain('not a tty');
    expect(await shell.ended).toBe(5);
  });

  test('attach talks to what runs already', async () => {
    await using attached = new Background(cluster().host, [kubectl.path, 'attach', '-i', 'listener', '-c', 'cat']);
    await cluster().until('it hears us', async () => {
      attached.type('me\n');
      return Promise.resolve(attached.output.includes('heard me'));
    });
  });

  test('port-forward carries connections to a pod and to a Service', async () => {
    await using forward = cluster().background('port-forward pod/talker :8080', { kubectl });
    const [, port] = /127\.0\.0\.1:(\d+) -> 8080/.exec(await forward.shows(/127\.0\.0\.1:\d+ -> 8080/)) ?? [];
    for (let round = 0; round < 3; round++) expect(await cluster().curl(`http://127.0.0.1:${port}/`)).toBe('page\n');
  });

  test('cp copies both ways', async () => {
    await cluster().host.sh('mkdir -p /tmp/tree/deep && seq 50000 >/tmp/tree/deep/numbers && rm -rf /tmp/back');
    await run('cp /tmp/tree talker:/tmp/copied -c main');
    await run('cp talker:/tmp/copied /tmp/back -c main');
    await cluster().host.sh('diff -r /tmp/tree /tmp/back');
    await run('exec talker -c main -- rm -r /tmp/copied');
  });
});

test('debug joins a running pod, and copies one', async () => {
  const debug = (args: string): Promise<string> => cluster().kubectl(`debug -i --image=coxswain/busybox:1 ${args}`);
  if (!cluster().hasKubectl(25)) return;
  const seen = await debug('talker -c looker --target=main -- sh -c hostname;ps');
  expect(seen).toMatch(/^talker$/m);
  expect(seen).toContain('echo begins');
  const status = '-o jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.reason}';
  await cluster().until('it has ended', async () => (await cluster().kubectl(`get pod talker ${status}`)) === 'Completed');
  expect(await cluster().kubectl('logs talker -c looker')).toContain('talker\n');
  expect(await debug('listener --copy-to=copy --container=cat -- hostname')).toMatch(/^copy$/m);
  await cluster().kubectl('delete pod copy --grace-period=0 --force');
});

test('proxy lets plain HTTP through to the API, and on to pods and Services', async () => {
  await cluster().kubectl('expose pod talker --name=talker --port=80 --target-port=8080');
  await using proxy = cluster().background('proxy --port=0');
  const [, port] = /127\.0\.0\.1:(\d+)/.exec(await proxy.shows(/127\.0\.0\.1:\d+/)) ?? [];
  const ask = (path: string): Promise<string> => cluster().curl(`http://127.0.0.1:${port}${path}`);
  expect(JSON.parse(await ask('/version'))).toMatchObject({ minor: '36' });
  expect(JSON.parse(await ask('/api/v1/namespaces/default/pods/talker'))).toMatchObject({ kind: 'Pod' });
  expect(await ask('/api/v1/namespaces/default/pods/talker:8080/proxy/')).toBe('page\n');
  await cluster().until(
    'the Service has its endpoint',
    async () => (await ask('/api/v1/namespaces/default/services/talker/proxy/')) === 'page\n',
  );
  expect(await ask('/api/v1/nodes/host1/proxy/healthz')).toBe('ok');
});

test('kubectl run -it --rm runs a pod in the terminal and takes it away', async () => {
  const { stdout } = await cluster().tryKubectl('run once --image=coxswain/busybox:1 --restart=Never --rm -i --command -- sh -c cat', {
    input: 'through\n',
  });
  expect(stdout).toContain('through\n');
  expect(stdout).toContain('pod "once" deleted');
});

test('the kubelet’s own port serves nobody but the API server', async () => {
  const ask = `curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1:10250/pods || true`;
  expect(await cluster().host.sh(ask)).toMatch(/^(401|403|000)$/);
});
