// A day with a cluster, by the oldest and the newest kubectl: workloads come up, change, are looked into, and leave nothing behind.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allKubectls } from '#test/testbed/kubectl.ts';
import type { KubectlFolder } from '../kinds/kubectl-folder.ts';
import { type RunningCluster, startRunningCluster } from './running-cluster.ts';

const clients = [...new Set([allKubectls().at(0), allKubectls().at(-1)])].flatMap((one) => (one === undefined ? [] : [one]));
const project = (name: string): string => join(import.meta.dirname, '../projects', `${name}.yaml`);
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe.each(clients.map((kubectl) => [kubectl.version, kubectl] as const))('kubectl %s', (version, kubectl) => {
  const minor = Number(version.split('.')[1]);
  let cluster: RunningCluster;
  let bare: KubectlFolder;
  const run = (args: string | readonly string[]): Promise<string> => bare.kubectl(args);
  const fails = async (args: string | readonly string[]): Promise<string> => {
    const { code, stderr } = await bare.tryKubectl(args);
    expect(code).toBe(1);
    return stderr;
  };
  beforeAll(async () => {
    cluster = await startRunningCluster(kubectl);
    ({ bare } = cluster);
  });
  afterAll(async () => cluster?.[Symbol.asyncDispose]());

  test('a Deployment comes up, and everything of it is in "all"', async () => {
    await run(`apply -f ${project('guestbook')}`);
    for (const name of ['frontend', 'redis-leader', 'redis-follower']) {
      expect(await run(`rollout status deployment/${name} --timeout=30s`)).toMatch(/successfully rolled out\n$/);
    }
    await run('wait --for=condition=Available deployment --all --timeout=10s');
    await run('wait --for=condition=Ready pod -l tier=backend --timeout=10s');
    const all = await run('get all');
    expect(all).toMatch(/^pod\/redis-leader-\w+-\w{5} +1\/1 +Running +0 /m);
    expect(all).toMatch(/^service\/redis-leader +ClusterIP +10\.\d+\.\d+\.\d+ +<none> +6379\/TCP /m);
    expect(all).toMatch(/^deployment\.apps\/redis-follower +2\/2 +2 +2 /m);
    expect(all).toMatch(/^replicaset\.apps\/redis-follower-\w+ +2 +2 +2 /m);
    expect(all).toMatch(/^horizontalpodautoscaler\.autoscaling\/frontend +Deployment\/frontend /m);
    expect(await run('get endpointslices -l kubernetes.io/service-name=redis-follower --no-headers')).toMatch(
      / 10\.244\.\S+,10\.244\.\S+ /,
    );
    expect(await run('get pods -o wide --field-selector=spec.nodeName=node-1')).toMatch(/ node-1 +<none> +<none>$/m);
  });

  test('applying again changes nothing that controllers did', async () => {
    const before = await run('get deployments -o jsonpath={.items[*].metadata.resourceVersion}');
    await run(`apply -f ${project('guestbook')}`);
    expect(await run('get deployments -o jsonpath={.items[*].metadata.resourceVersion}')).toBe(before);
    expect(await bare.tryKubectl(`diff -f ${project('guestbook')}`)).toMatchObject({ code: 0, stdout: '' });
    const changed = bare.file(
      'changed.yaml',
      await run('get deployment redis-leader -o yaml').then((text) => text.replaceAll('6.0.5', '7')),
    );
    const { code, stdout } = await bare.tryKubectl(`diff -f ${changed}`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^- +- image|^- +image: docker\.io\/redis:6\.0\.5\n\+ +image: docker\.io\/redis:7$/m);
  });

  test('rollout: a new image, its history, back, pause, resume, restart', async () => {
    const status = (): Promise<string> => run('rollout status deployment/redis-leader --timeout=30s');
    await run('set image deployment/redis-leader leader=redis:7');
    await run('annotate deployment redis-leader kubernetes.io/change-cause=to-7');
    await status();
    expect(await run('rollout history deployment/redis-leader')).toMatch(
      /^deployment\.apps\/redis-leader \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +to-7\n/,
    );
    expect(await run('rollout history deployment/redis-leader --revision=2')).toMatch(/with revision #2\n[^]*Image:\s+redis:7\n/);
    expect(await run('rollout undo deployment/redis-leader')).toBe('deployment.apps/redis-leader rolled back\n');
    await status();
    expect(await run('get deployment redis-leader -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('docker.io/redis:6.0.5');
    expect(await run('rollout history deployment/redis-leader')).toMatch(/CHANGE-CAUSE\n2 +to-7\n3 +<none>\n/);
    await run('rollout pause deployment/redis-leader');
    await run('set env deployment/redis-leader COLOUR=red');
    expect(await run('rollout undo deployment/redis-leader').catch(String)).toContain('rollback a paused deployment');
    expect(await run('get deployment redis-leader -o jsonpath={.status.conditions[?(@.type=="Progressing")].reason}')).toBe(
      'DeploymentPaused',
    );
    await run('rollout resume deployment/redis-leader');
    await run('rollout restart deployment/redis-leader');
    await status();
    expect(await run('describe deployment redis-leader')).toMatch(/NewReplicaSet: +redis-leader-\w+ \(1\/1 replicas created\)/);
  });

  test('a rollout that cannot go on says so', async () => {
    const patch = { spec: { progressDeadlineSeconds: 1, template: { spec: { nodeSelector: { nowhere: 'yes' } } } } };
    await run(['patch', 'deployment', 'redis-follower', '-p', JSON.stringify(patch)]);
    expect(await fails('rollout status deployment/redis-follower --timeout=30s')).toContain(
      'deployment "redis-follower" exceeded its progress deadline',
    );
    const events = await run('get events --field-selector=reason=FailedScheduling');
    expect(events).toContain("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.");
    // The way back gets the time that it takes on a busy machine.
    await run(['patch', 'deployment', 'redis-follower', '-p', JSON.stringify({ spec: { progressDeadlineSeconds: 60 } })]);
    await run('rollout undo deployment/redis-follower');
    expect(await run('rollout status deployment/redis-follower --timeout=30s')).toMatch(/successfully rolled out\n$/);
  });

  test('logs, exec, debug and describe of what runs', async () => {
    const pod = lines(await run('get pods -l role=leader --field-selector=status.phase=Running -o name')).at(-1) ?? '';
    expect(await run(`logs ${pod}`)).toBe('hello\n');
    expect(await run(`logs ${pod} --tail=1 --timestamps`)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z hello\n$/);
    expect(await run('logs -l role=leader --prefix')).toMatch(/^\[pod\/redis-leader-\S+\/leader\] hello$/m);
    expect(await run(`exec ${pod} -- echo one two`)).toBe('one two\n');
    expect(await bare.tryKubectl(`exec ${pod} -- false`)).toMatchObject({ code: 1, stderr: 'command terminated with exit code 1\n' });
    expect(await fails(`logs ${pod} --previous`)).toMatch(/previous terminated container "leader" in pod "redis-leader-\S+" not found/);
    expect(await fails(`logs ${pod} -c other`)).toContain('container other is not valid for pod redis-leader-');
    const described = await run(`describe ${pod}`);
    expect(described).toMatch(/^Status: +Running$/m);
    expect(described).toMatch(/Scheduled .* default-scheduler +Successfully assigned default\/redis-leader-\S+ to node-\d$/m);
    expect(described).toMatch(/Started .* kubelet /);
    if (minor >= 25) {
      await run(`debug ${pod} --image=busybox --target=leader -c looker --profile=general`);
      await expect.poll(() => run(`get ${pod} -o jsonpath={.status.ephemeralContainerStatuses[0].state}`)).toContain('running');
    }
    expect(await fails('top pods')).toBe('error: Metrics API not available\n');
  });

  test('nodes: described, and drained of all but what a budget keeps', async () => {
    const described = await run('describe node node-1');
    expect(described).toMatch(/Ready +True .* KubeletReady +kubelet is posting ready status/);
    expect(await run('get events --field-selector=reason=RegisteredNode')).toContain(
      'Node node-1 event: Registered Node node-1 in Controller',
    );
    expect(described).toMatch(/^ +cpu +\d+m \(\d+%\) +0 \(0%\)$/m);
    const drained = await run('drain node-1 --ignore-daemonsets --timeout=60s');
    expect(drained).toMatch(/^pod\/\S+ evicted$/m);
    expect(lines(await run('get pods -o name --field-selector=spec.nodeName=node-1,status.phase=Running'))).toEqual([]);
    await run('wait --for=condition=Available deployment --all --timeout=30s');
    expect(await run('get nodes --no-headers')).toMatch(/^node-1 +Ready,SchedulingDisabled /m);
    expect(await run('uncordon node-1')).toBe('node/node-1 uncordoned\n');
  });

  test('deleting the manifest deletes what came of it', async () => {
    await run(`delete -f ${project('guestbook')} --timeout=60s`);
    await run('wait --for=delete pod --all --timeout=60s');
    const kinds = 'deployments,replicasets,pods,endpointslices,hpa';
    await expect
      .poll(async () => lines(await run(`get ${kinds} -o name`)), { timeout: 20_000 })
      .toEqual(['endpointslice.discovery.k8s.io/kubernetes']);
    expect(lines(await run('get services -o name'))).toEqual(['service/kubernetes']);
  });

  test('orphans stay when they are told to', async () => {
    await run('create deployment parent --image=nginx');
    await run('rollout status deployment/parent --timeout=30s');
    await run(`delete deployment parent --cascade=${minor >= 20 ? 'orphan' : 'false'}`);
    expect(await run('get replicasets -l app=parent -o jsonpath={.items[0].metadata.ownerReferences}')).toBe('');
    await run(`delete replicaset -l app=parent ${minor >= 20 ? '--cascade=foreground' : ''}`);
    expect(await run('get pods -l app=parent -o name')).toBe('');
  });

  test('a namespace goes with all that is in it', async () => {
    await run('create namespace passing');
    await run(`apply -n passing -f ${project('guestbook')}`);
    await run('wait --for=condition=Available deployment --all -n passing --timeout=30s');
    expect(await run('delete namespace passing --timeout=60s')).toBe('namespace "passing" deleted\n');
    expect(await run('get all -n passing -o name')).toBe('');
  });
});
