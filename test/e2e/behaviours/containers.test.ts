// What Kubernetes requires of containers on a node: commands, environment, security, ends and what is told of them.
import { expect, test } from 'vitest';
import { busybox, podManifest, serviceManifest } from '../manifests.ts';
import { useCluster } from '../use-cluster.ts';
import { containerOf, inside, podOf, runReady, runToEnd, script } from './pod-run.ts';

const cluster = useCluster();
const image = 'coxswain/hello:1';
const create = (words: string): Promise<string> => cluster().kubectl(`create ${words}`);

test.concurrent('arguments replace the image’s, a command replaces both', async () => {
  const args = { containers: [{ name: 'main', image: 'coxswain/busybox:1', args: ['echo', 'only', 'arguments'] }] };
  expect((await runToEnd(cluster(), 'arguments', args)).log).toBe('only arguments\n');
  const both = { containers: [{ name: 'main', image, command: ['/bin/echo'], args: ['all', 'new'] }] };
  expect((await runToEnd(cluster(), 'both', both)).log).toBe('all new\n');
});

test.concurrent('variables are made of earlier ones, and expand in commands and arguments', async () => {
  const env = [
    { name: 'FIRST', value: 'one' },
    { name: 'SECOND', value: '$(FIRST);;$(FIRST)' },
    { name: 'LATER', value: '$(NEXT)' },
    { name: 'NEXT', value: '$$(FIRST)' },
  ];
  const container = busybox('main', {
    env,
    command: ['sh', '-c', 'echo "$(SECOND)" "$0" "$LATER" "$NEXT"'],
    args: ['$(FIRST)-$$(FIRST)-$(NOBODY)'],
  });
  expect((await runToEnd(cluster(), 'expands', { containers: [container] })).log).toBe(
    'one;;one one-$(FIRST)-$(NOBODY) $(NEXT) $(FIRST)\n',
  );
});

test.concurrent('prefixes of any printable characters before the keys of ConfigMaps and Secrets', async () => {
  await create('configmap prefixed --from-literal=data-1=a --from-literal=data.2=b');
  await create('secret generic prefixed --from-literal=word=c');
  const prefixes = ['', '1-', '$_', '!"#%&', 'a b '];
  const envFrom = prefixes.flatMap((prefix) => [
    { prefix, configMapRef: { name: 'prefixed' } },
    { prefix, secretRef: { name: 'prefixed' } },
  ]);
  const { log } = await runToEnd(cluster(), 'prefixed', { containers: [busybox('main', { command: ['env'], envFrom })] });
  for (const prefix of prefixes)
    expect(log.split('\n')).toEqual(expect.arrayContaining([`${prefix}data-1=a`, `${prefix}data.2=b`, `${prefix}word=c`]));
});

test.concurrent('facts about the pod, its node and its resources as variables', async () => {
  const field = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const amount = (name: string, resource: string): object => ({ name, valueFrom: { resourceFieldRef: { resource } } });
  const env = [
    field('POD_NAME', 'metadata.name'),
    field('NAMESPACE', 'metadata.namespace'),
    field('UID_OF', 'metadata.uid'),
    field('POD_IP', 'status.podIP'),
    field('POD_IPS', 'status.podIPs'),
    field('HOST_IP', 'status.hostIP'),
    field('HOST_IPS', 'status.hostIPs'),
    field('ACCOUNT', 'spec.serviceAccountName'),
    field('LABEL', "metadata.labels['app']"),
    field('NOTE', "metadata.annotations['example.com/note']"),
    amount('CPU_LIMIT', 'limits.cpu'),
    amount('MEMORY_LIMIT', 'limits.memory'),
    amount('CPU_REQUEST', 'requests.cpu'),
    amount('MEMORY_REQUEST', 'requests.memory'),
  ];
  const metadata = { labels: { app: 'facts' }, annotations: { 'example.com/note': 'a b' } };
  const given = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } };
  const { pod, log } = await runToEnd(cluster(), 'facts', {
    metadata: { name: 'facts', ...metadata },
    containers: [script('env', { env, resources: given })],
  });
  const lines = log.split('\n');
  const { podIP, hostIP } = pod.status ?? {};
  expect(hostIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  for (const line of [
    'POD_NAME=facts',
    'NAMESPACE=default',
    `UID_OF=${pod.metadata.uid}`,
    `POD_IP=${podIP}`,
    `POD_IPS=${podIP}`,
    `HOST_IP=${hostIP}`,
    `HOST_IPS=${hostIP}`,
    'ACCOUNT=default',
    'LABEL=facts',
    'NOTE=a b',
    'CPU_LIMIT=2',
    'MEMORY_LIMIT=67108864',
    'CPU_REQUEST=1',
    'MEMORY_REQUEST=33554432',
  ])
    expect(lines).toContain(line);

  // Without limits: what the node has to give.
  const { capacity, allocatable } = (
    await cluster().get<{ status: Record<'capacity' | 'allocatable', Record<string, string>> }>('node host1')
  ).status;
  const bare = await runToEnd(cluster(), 'facts-bare', { containers: [script('env', { env: env.slice(-4, -2) })] });
  expect(bare.log).toContain(`CPU_LIMIT=${allocatable['cpu'] ?? capacity['cpu']}\n`);
  expect(bare.log).toContain(`MEMORY_LIMIT=${Number.parseInt(allocatable['memory'] ?? '', 10) * 1024}\n`);
});

test.concurrent('variables of the Services that are there before the pod', async () => {
  await cluster().apply(serviceManifest('foo-service', { ports: [{ port: 8765, targetPort: 8080 }] }));
  const ip = await cluster().kubectl('get service foo-service -o jsonpath={.spec.clusterIP}');
  await cluster().until('the node has heard of it', async () => {
    const { log } = await runToEnd(cluster(), `serviced-${Math.random().toString(36).slice(2)}`, { containers: [script('env')] });
    return [
      `FOO_SERVICE_SERVICE_HOST=${ip}`,
      'FOO_SERVICE_SERVICE_PORT=8765',
      `FOO_SERVICE_PORT=tcp://${ip}:8765`,
      `FOO_SERVICE_PORT_8765_TCP=tcp://${ip}:8765`,
      'FOO_SERVICE_PORT_8765_TCP_PROTO=tcp',
      'FOO_SERVICE_PORT_8765_TCP_PORT=8765',
      `FOO_SERVICE_PORT_8765_TCP_ADDR=${ip}`,
    ].every((line) => log.split('\n').includes(line));
  });
  const { log } = await runToEnd(cluster(), 'unserviced', { enableServiceLinks: false, containers: [script('env')] });
  expect(log).not.toContain('FOO_SERVICE');
  expect(log).toContain('KUBERNETES_SERVICE_HOST=');
});

test.concurrent('termination messages: from the file, from the log of a failure, none from the log of a success', async () => {
  const message = async (name: string, container: object): Promise<string | undefined> =>
    containerOf((await runToEnd(cluster(), name, { containers: [container] })).pod).state?.terminated?.message;
  const fallback = { terminationMessagePolicy: 'FallbackToLogsOnError' };
  const ownPath = { terminationMessagePath: '/dev/own-log', securityContext: { runAsUser: 1000 } };
  expect(await message('said', script('printf OK >/dev/termination-log'))).toBe('OK');
  expect(await message('said-elsewhere', script('printf DONE >/dev/own-log', ownPath))).toBe('DONE');
  expect(await message('logged', script('printf DONE; exit 1', fallback))).toBe('DONE');
  expect(await message('fine', script('printf DONE', fallback))).toBeUndefined();
  expect(await message('said-both', script('printf DONE; printf OK >/dev/termination-log', fallback))).toBe('OK');
  expect((await message('long', script('head -c 5000 /dev/zero | tr "\\0" x >/dev/termination-log')))?.length).toBe(4_096);
});

test.concurrent.each([
  { policy: 'Always', phase: 'Running', ready: true, restarts: 2 },
  { policy: 'OnFailure', phase: 'Succeeded', ready: false, restarts: 1 },
  { policy: 'Never', phase: 'Failed', ready: false, restarts: 0 },
])('restart policy $policy', async ({ policy, phase, ready, restarts }) => {
  const name = `restarts-${policy.toLowerCase()}`;
  // Fails once, succeeds once, then stays.
  const text =
    'n=$(cat /count/n 2>/dev/null || echo 0); echo $((n+1)) >/count/n; [ $n = 0 ] && exit 1; [ $n = 1 ] && exit 0; trap exit TERM; sleep 1000 & wait';
  const volumes = [{ name: 'count', emptyDir: {} }];
  const container = script(text, { volumeMounts: [{ name: 'count', mountPath: '/count' }] });
  await cluster().apply(podManifest(name, { restartPolicy: policy, containers: [container], volumes }));
  await cluster().until(
    'its last state',
    async () => {
      const pod = await podOf(cluster(), name);
      const { restartCount, ready: isReady } = containerOf(pod);
      return pod.status?.phase === phase && restartCount === restarts && isReady === ready;
    },
    90_000,
  );
});

test.concurrent('init containers: all before the rest, and nothing after one that fails', async () => {
  const init = (name: string, text: string): object => busybox(name, { command: ['sh', '-c', text] });
  const good = await runToEnd(cluster(), 'init-once', {
    initContainers: [init('a', 'true'), init('b', 'true')],
    containers: [script('true')],
  });
  expect(good.pod.status?.phase).toBe('Succeeded');
  expect(good.pod.status?.conditions?.find(({ type }) => type === 'Initialized')?.status).toBe('True');
  expect(good.pod.status?.initContainerStatuses?.map(({ ready, state }) => [ready, state?.terminated?.exitCode])).toEqual([
    [true, 0],
    [true, 0],
  ]);

  const failing = { initContainers: [init('a', 'false'), init('b', 'true')], containers: [busybox('main')] };
  await cluster().apply(podManifest('init-never', { ...failing, restartPolicy: 'Never' }));
  await cluster().apply(podManifest('init-always', failing));
  await cluster().until('the first gives up', async () => (await podOf(cluster(), 'init-never')).status?.phase === 'Failed', 60_000);
  const never = await podOf(cluster(), 'init-never');
  expect(never.status?.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: 'containers with incomplete status: [a b]',
  });
  expect(containerOf(never).state?.waiting?.reason).toBe('PodInitializing');
  await cluster().until(
    'the second tries again',
    async () => containerOf(await podOf(cluster(), 'init-always'), 'a').restartCount >= 2,
    90_000,
  );
  const always = await podOf(cluster(), 'init-always');
  expect(always.status?.phase).toBe('Pending');
  expect(containerOf(always, 'b').state?.waiting?.reason).toBe('PodInitializing');
  expect(containerOf(always).state?.waiting?.reason).toBe('PodInitializing');
});

test.concurrent('users, groups and what they may', async () => {
  const ids = 'id -u; id -g; id -G';
  const run = async (name: string, spec: { [field: string]: unknown }): Promise<string> => (await runToEnd(cluster(), name, spec)).log;
  const own = { securityContext: { runAsUser: 1001, runAsGroup: 2002 } };
  expect(await run('ids-container', { containers: [script(ids, own)] })).toBe('1001\n2002\n2002\n');
  expect(await run('ids-pod', { ...own, containers: [script(ids)] })).toBe('1001\n2002\n2002\n');
  const groups = { runAsUser: 1001, supplementalGroups: [3001, 3002], fsGroup: 3003 };
  expect(await run('ids-groups', { securityContext: groups, containers: [script(ids)] })).toBe('1001\n0\n0 3001 3002 3003\n');

  expect(
    await run('root-read-only', { containers: [script('touch /file 2>&1; true', { securityContext: { readOnlyRootFilesystem: true } })] }),
  ).toContain('Read-only file system');
  expect(
    await run('root-writable', {
      containers: [script('touch /file && echo done', { securityContext: { readOnlyRootFilesystem: false } })],
    }),
  ).toBe('done\n');
  expect(
    await run('unprivileged', {
      containers: [script('ip link add dummy9 type dummy 2>&1; true', { securityContext: { privileged: false } })],
    }),
  ).toMatch(/not permitted/);
  // The image's own memberships stay, unless the pod says that only its own count.
  await cluster().host.sh(`docker build -q -t member:1 - <<'END'
FROM coxswain/busybox:1
RUN echo "alice:x:1000:1000::/:" >>/etc/passwd && echo "extra:x:50000:alice" >>/etc/group
END`);
  const member = { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000] };
  const inImage = { containers: [script(ids, { image: 'member:1' })] };
  expect(await run('groups-merged', { securityContext: member, ...inImage })).toBe('1000\n3000\n3000 4000 50000\n');
  const strict = await runToEnd(cluster(), 'groups-strict', {
    securityContext: { ...member, supplementalGroupsPolicy: 'Strict' },
    ...inImage,
  });
  expect(strict.log).toBe('1000\n3000\n3000 4000\n');
  expect(containerOf(strict.pod).user).toEqual({ linux: { uid: 1000, gid: 3000, supplementalGroups: [3000, 4000] } });

  const noNew = { runAsUser: 1000, allowPrivilegeEscalation: false };
  expect(await run('no-new', { containers: [script('grep NoNewPrivs /proc/self/status', { securityContext: noNew })] })).toMatch(
    /NoNewPrivs:\s1\n/,
  );
  const dropped = { capabilities: { drop: ['ALL'], add: ['CHOWN'] } };
  expect(await run('dropped', { containers: [script('grep CapBnd /proc/self/status', { securityContext: dropped })] })).toMatch(
    /CapBnd:\s0{15}1\n/,
  );
});

test.concurrent('a container that must not run as root does not', async () => {
  await cluster().apply(podManifest('not-root', { containers: [busybox('main', { securityContext: { runAsNonRoot: true } })] }));
  await cluster().until(
    'it says why',
    async () => containerOf(await podOf(cluster(), 'not-root')).state?.waiting?.reason === 'CreateContainerConfigError',
  );
  expect(containerOf(await podOf(cluster(), 'not-root')).state?.waiting?.message).toMatch(
    /^container has runAsNonRoot and image will run as root \(pod: "not-root_default\(.+\)", container: main\)$/,
  );
});

test.concurrent('safe sysctls are set, others refused', async () => {
  const sysctls = (name: string, value: string): { securityContext: object } => ({ securityContext: { sysctls: [{ name, value }] } });
  const read = script('cat /proc/sys/kernel/shm_rmid_forced');
  expect((await runToEnd(cluster(), 'sysctl', { ...sysctls('kernel.shm_rmid_forced', '1'), containers: [read] })).log).toBe('1\n');
  await cluster().apply(podManifest('sysctl-unsafe', { ...sysctls('kernel.msgmax', '65536'), containers: [read] }));
  await cluster().until('the node refuses it', async () => (await podOf(cluster(), 'sysctl-unsafe')).status?.reason === 'SysctlForbidden');
  const invalid = await cluster().tryKubectl('apply -f -', { input: JSON.stringify(podManifest('sysctl-bad', sysctls('foo-', 'bar'))) });
  expect(invalid.stderr).toContain('Invalid value: "foo-"');
});

test.concurrent('hooks run: after the start and before the end, by command and by request', async () => {
  const server = "const seen=[]; require('http').createServer((q,r)=>{if(q.url!='/')seen.push(q.url); r.end(seen.join(' '))}).listen(8080)";
  const target = await runReady(cluster(), 'hooked', { containers: [{ name: 'main', image, command: ['node', '-e', server] }] });
  const host = target.status?.podIP ?? '';
  const get = (path: string): object => ({ httpGet: { host, port: 8080, path } });
  const exec = (path: string): object => ({ exec: { command: ['wget', '-qO-', `http://${host}:8080${path}`] } });
  await runReady(cluster(), 'hooks-exec', { containers: [busybox('main', { lifecycle: { postStart: exec('/a'), preStop: exec('/b') } })] });
  await runReady(cluster(), 'hooks-get', { containers: [busybox('main', { lifecycle: { postStart: get('/c'), preStop: get('/d') } })] });
  await cluster().kubectl('delete pod hooks-exec');
  await cluster().kubectl('delete pod hooks-get');
  expect((await inside(cluster(), 'hooked', 'wget -qO- http://127.0.0.1:8080/')).split(' ').toSorted()).toEqual(['/a', '/b', '/c', '/d']);
});

test.concurrent('a deadline ends the pod', async () => {
  await runReady(cluster(), 'deadline', {});
  await cluster().kubectl(['patch', 'pod', 'deadline', '-p', '{"spec":{"activeDeadlineSeconds":1}}']);
  await cluster().until('it has failed', async () => (await podOf(cluster(), 'deadline')).status?.phase === 'Failed');
  expect((await podOf(cluster(), 'deadline')).status).toMatchObject({
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  });
});

test.concurrent('the generation counts changes, and the node says which it has seen', async () => {
  const pod = await runReady(cluster(), 'counted', {});
  expect(pod.metadata.generation).toBe(1);
  await cluster().kubectl('label pod counted colour=blue');
  await cluster().kubectl(['patch', 'pod', 'counted', '-p', '{"spec":{"activeDeadlineSeconds":1000}}']);
  await cluster().kubectl(['patch', 'pod', 'counted', '-p', '{"spec":{"activeDeadlineSeconds":999}}']);
  await cluster().until('both are at 3', async () => {
    const { metadata, status } = await podOf(cluster(), 'counted');
    return (
      metadata.generation === 3 &&
      status?.observedGeneration === 3 &&
      status.conditions?.every((one) => one.observedGeneration !== undefined)
    );
  });
});

test.concurrent('a pod that ended can be deleted, and says why it ended', async () => {
  const { pod } = await runToEnd(cluster(), 'over', { containers: [script('false')] });
  expect(containerOf(pod).state?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
  await cluster().kubectl('delete pod over --timeout=30s');
  expect((await cluster().tryKubectl('get pod over')).stderr).toContain('not found');
});
