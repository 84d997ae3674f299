// What containers of a pod do for one another: the order they begin and end in, variables in files, and the wish that all of them start again.
import { expect, test } from 'vitest';
import { busybox, podManifest } from '../manifests.ts';
import { useCluster } from '../use-cluster.ts';
import { containerOf, podOf, runReady, runToEnd, script } from './pod-run.ts';

const cluster = useCluster();
const emptyDir = [{ name: 'v', emptyDir: {} }];
const volumeMounts = [{ name: 'v', mountPath: '/v' }];

test.concurrent('sidecars begin in their turn, each before what follows it, and end after the rest, the last first', async () => {
  const says = (text: string): object => ({ exec: { command: ['sh', '-c', `echo ${text} >>/v/story`] } });
  const once = (name: string): object => busybox(name, { command: ['sh', '-c', `echo ${name} >>/v/story`], volumeMounts });
  const stays = (name: string, rest: object = {}): object => {
    const text = `trap 'echo ${name} ends >>/v/story; exit' TERM; echo ${name} begins >>/v/story; sleep 1000 & wait`;
    return busybox(name, { command: ['sh', '-c', text], volumeMounts, ...rest });
  };
  const begun = {
    exec: { command: ['sh', '-c', 'until grep -q "one begins" /v/story; do sleep 0.1; done; echo one has begun >>/v/story'] },
  };
  await runReady(cluster(), 'in-turn', {
    terminationGracePeriodSeconds: 60,
    initContainers: [
      once('first'),
      stays('one', { restartPolicy: 'Always', lifecycle: { postStart: begun } }),
      once('second'),
      stays('two', {
        restartPolicy: 'Always',
        startupProbe: {
          exec: { command: ['sh', '-c', 'grep -q "two begins" /v/story && echo two has begun >>/v/story'] },
          periodSeconds: 1,
        },
      }),
      once('third'),
    ],
    containers: [stays('main', { lifecycle: { preStop: says('main is told') } })],
    volumes: [{ name: 'v', hostPath: { path: '/srv/in-turn', type: 'DirectoryOrCreate' } }],
  });
  await cluster().until('main’s trap', async () => (await cluster().host.sh('cat /srv/in-turn/story')).includes('main begins'));
  await cluster().kubectl('delete pod in-turn');
  const begin = ['first', 'one begins', 'one has begun', 'second', 'two begins', 'two has begun', 'third', 'main begins'];
  const end = ['main is told', 'main ends', 'two ends', 'one ends'];
  expect((await cluster().host.sh('cat /srv/in-turn/story')).trim().split('\n')).toEqual([...begin, ...end]);
});

test.concurrent('variables from a file that an init container wrote', async () => {
  const write = `printf '%s\\n' "# settings" "WORD='a b \\$HOME'" "LINES='one" "two'" > /v/settings`;
  const from = (key: string, optional = false): object => ({ fileKeyRef: { volumeName: 'v', path: 'settings', key, optional } });
  const env = [
    { name: 'WORD', valueFrom: from('WORD') },
    { name: 'LINES_OF', valueFrom: from('LINES') },
    { name: 'ABSENT', valueFrom: from('NONE', true) },
  ];
  const { log } = await runToEnd(cluster(), 'from-file', {
    initContainers: [busybox('writes', { command: ['sh', '-c', write], volumeMounts })],
    containers: [script('echo "$WORD"; echo "$LINES_OF"; echo "${ABSENT-none}"', { env })],
    volumes: emptyDir,
  });
  expect(log).toBe('a b $HOME\none\ntwo\nnone\n');
});

test.concurrent('a key that is not in the file keeps the container from starting', async () => {
  const env = [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'settings', key: 'A' } } }];
  await cluster().apply(podManifest('from-nothing', { containers: [busybox('main', { env })], volumes: emptyDir }));
  const waiting = async () => containerOf(await podOf(cluster(), 'from-nothing')).state?.waiting;
  await cluster().until('the reason', async () => (await waiting())?.reason === 'CreateContainerConfigError');
  expect((await waiting())?.message).toBe('environment variable key "A" not found in file "settings"');
});

test.concurrent('a rule of one container starts all of them again: same sandbox, same volumes, whatever their policies', async () => {
  const count = (name: string): string => `echo x >> /v/${name}; test $(wc -l < /v/${name}) -gt 1`;
  const restartPolicyRules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }];
  await cluster().apply(
    podManifest('turns', {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 120,
      initContainers: [
        busybox('init', { command: ['sh', '-c', `${count('init')}; true`], volumeMounts }),
        busybox('sidecar', { restartPolicy: 'Always', command: ['sh', '-c', 'trap "" TERM; sleep 1000'] }),
      ],
      containers: [
        busybox('main', { command: ['sh', '-c', 'trap "" TERM; sleep 1000 & wait'], lifecycle: { preStop: { sleep: { seconds: 100 } } } }),
        busybox('done', { command: ['true'] }),
        busybox('asks', {
          command: ['sh', '-c', `${count('asks')} && sleep 1000; sleep 1; exit 42`],
          volumeMounts,
          restartPolicy: 'Never',
          restartPolicyRules,
        }),
      ],
      volumes: emptyDir,
    }),
  );
  const pod = () => podOf(cluster(), 'turns');
  await cluster().until('the address', async () => (await pod()).status?.podIP !== undefined);
  const before = await pod();
  await cluster().until('the second round', async () => containerOf(await pod(), 'asks').restartCount === 1, 90_000);
  await cluster().until('all of it', async () => containerOf(await pod(), 'main').state?.running !== undefined, 90_000);
  const after = await pod();
  expect([after.metadata?.uid, after.status?.podIP]).toEqual([before.metadata?.uid, before.status?.podIP]);
  const counts = ['init', 'sidecar', 'main', 'done', 'asks'].map((name) => containerOf(after, name).restartCount);
  expect(counts).toEqual([1, 1, 1, 1, 1]);
  expect(containerOf(after, 'asks').lastState?.terminated?.exitCode).toBe(42);
  const condition = after.status?.conditions?.find(({ type }) => type === 'AllContainersRestarting');
  expect(condition?.status).toBe('False');
});
