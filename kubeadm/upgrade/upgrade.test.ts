import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { parseFlags } from '#base/flags.ts';
import { defaultCluster, type InitConfiguration } from '../config/cluster.ts';
import { foldersAt } from '../folders.ts';
import type { NodeJob } from '../init/phase.ts';
import { type ComponentPod, writeManifest } from '../manifests/component-pod.ts';
import { apiServerPod, etcdPod, schedulerPod } from '../manifests/components.ts';
import { noPatches } from '../manifests/patches.ts';
import { recordedHost } from '../testing.ts';
import { applyFlags, loadUpgrade } from './flags.ts';
import { newPods, newProxyPod, othersIn } from './new-pods.ts';
import { type PlanFacts, planOf, planText } from './plan-table.ts';
import type { RunningComponents } from './running.ts';
import { replaceStaticPods } from './static-pods.ts';
import { unifiedDiff } from './unified-diff.ts';
import { type VersionFacts, versionProblems } from './versions.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeadm-upgrade-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config: InitConfiguration = {
  cluster: { ...defaultCluster, networking: { ...defaultCluster.networking, podSubnet: '10.244.0.0/16' } },
  local: { advertiseAddress: '10.0.0.5', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
};

describe('versions', () => {
  const facts = { target: 'v1.36.2', cluster: 'v1.36.1', kubeadm: 'v1.36.2', kubelets: ['v1.36.1+coxswain.1'] };
  test.each<[string, Partial<VersionFacts>, readonly string[], readonly string[]]>([
    ['the next patch', {}, [], []],
    ['the same again', { cluster: 'v1.36.2' }, [], []],
    ['the next minor', { cluster: 'v1.35.0' }, [], []],
    ['two minors', { cluster: 'v1.34.9' }, ['kubeadm can upgrade only 1 minor version at a time'], []],
    ['what this kubeadm has not', { target: 'v1.37.0' }, ['is higher than the kubeadm version "v1.36.2"'], []],
    ['an older minor', { target: 'v1.35.3' }, ['Kubeadm version v1.36.2 can only be used to upgrade to Kubernetes version 1.36'], []],
    ['a later patch', { target: 'v1.36.9' }, [], ['is higher than the kubeadm version "v1.36.2"']],
    ['old kubelets', { kubelets: ['v1.32.0', 'v1.33.0', 'v1.32.0'] }, [], ['too old that have these versions [v1.32.0]']],
  ])('%s', (_name, change, fatal, skippable) => {
    const found = versionProblems({ ...facts, ...change });
    expect([found.fatal, found.skippable]).toEqual(
      [fatal, skippable].map((lines) => lines.map((line) => expect.stringContaining(line) as string)),
    );
  });
});

describe('a plan', () => {
  const nodes = [
    { name: 'cp1', isControlPlane: true, version: 'v1.36.3+coxswain.1' },
    { name: 'cp2', isControlPlane: true, version: 'v1.36.2+coxswain.1' },
    { name: 'w1', isControlPlane: false, version: 'v1.36.2+coxswain.1' },
  ];
  const facts: PlanFacts = { nodes, running: 'v1.36.2+coxswain.1', target: 'v1.36.3', kubeadm: 'v1.36.3' };

  test('names every kubelet, and every control plane with what it runs', () => {
    expect(planText(facts)).toBe(`
Components that must be upgraded manually after you have upgraded the control plane with 'kubeadm upgrade apply':
COMPONENT   NODE      CURRENT              TARGET
kubelet     cp1       v1.36.3+coxswain.1   v1.36.3
kubelet     cp2       v1.36.2+coxswain.1   v1.36.3
kubelet     w1        v1.36.2+coxswain.1   v1.36.3

Upgrade to the latest version in the v1.36 series:

COMPONENT                 NODE      CURRENT              TARGET
kube-apiserver            cp1       v1.36.3+coxswain.1   v1.36.3
kube-apiserver            cp2       v1.36.2+coxswain.1   v1.36.3
kube-controller-manager   cp1       v1.36.3+coxswain.1   v1.36.3
kube-controller-manager   cp2       v1.36.2+coxswain.1   v1.36.3
kube-scheduler            cp1       v1.36.3+coxswain.1   v1.36.3
kube-scheduler            cp2       v1.36.2+coxswain.1   v1.36.3
kube-proxy                          v1.36.2+coxswain.1   v1.36.3
coxswain-dns                        v1.36.2+coxswain.1   v1.36.3

You can now apply the upgrade by executing the following command:

\tkubeadm upgrade apply v1.36.3

_____________________________________________________________________


The table below shows the current state of component configs as understood by this version of kubeadm.
Configs that have a "yes" mark in the "MANUAL UPGRADE REQUIRED" column require manual config upgrade or
resetting to kubeadm defaults before a successful upgrade can be performed. The version to manually
upgrade to is denoted in the "PREFERRED VERSION" column.

API GROUP               CURRENT VERSION   PREFERRED VERSION   MANUAL UPGRADE REQUIRED
kubelet.config.k8s.io   v1beta1           v1beta1             no
_____________________________________________________________________

`);
  });

  test.each<[string, Partial<PlanFacts>, string | undefined]>([
    ['the next patch', {}, 'version in the v1.36 series'],
    ['the next minor', { target: 'v1.37.0' }, 'stable version'],
    ['only a worker is left', { running: 'v1.36.3+coxswain.1', nodes: nodes.slice(2) }, 'version in the v1.36 series'],
    ['nothing is left', { running: 'v1.36.3+coxswain.2', nodes: nodes.slice(0, 1) }, undefined],
  ])('%s', (_name, change, description) => {
    expect(planOf({ ...facts, ...change })?.description).toBe(description);
  });

  test('of what this kubeadm cannot bring says that another one is needed', () => {
    expect(planText(facts)).not.toContain('Note: ');
    expect(planText({ ...facts, kubeadm: 'v1.36.2' })).toContain(
      'Note: Before you can perform this upgrade, you have to update kubeadm to v1.36.3.\n\n____',
    );
  });
});

describe('the difference of manifests', () => {
  const names = { from: 'a', to: 'b' };
  const lines = (...all: readonly string[]): string => all.join('\n');

  test('is shown with its surroundings', () => {
    const before = lines('1', '2', '3', '4', '5', '6', '7', '8', '9', '');
    const after = lines('1', '2', '3', '4', 'five', '6', '7', '8', '9', 'ten', '');
    expect(unifiedDiff(before, after, names, 1)).toBe(
      lines('--- a', '+++ b', '@@ -4,3 +4,3 @@', ' 4', '-5', '+five', ' 6', '@@ -9 +9,2 @@', ' 9', '+ten', ''),
    );
    // Hunks that would meet are one.
    expect(unifiedDiff(before, after, names, 2)).toContain('@@ -3,7 +3,8 @@');
  });

  test('is nothing between equals, and all where there was nothing', () => {
    expect(unifiedDiff('x\n', 'x\n', names, 3)).toBe('');
    expect(unifiedDiff('', 'x', names, 0)).toBe(lines('--- a', '+++ b', '@@ -0,0 +1 @@', '+x', ''));
  });
});

describe('manifests of a control plane', () => {
  const folders = (): NodeJob['folders'] => foldersAt('/etc/kubernetes/pki', folder);
  const job = (): NodeJob => ({
    client: () => {
      throw new Error('nobody is asked');
    },
    config,
    folders: folders(),
    shown: foldersAt('/etc/kubernetes/pki'),
    host: recordedHost(),
    isDryRun: false,
    patches: noPatches,
  });

  test('etcd’s is made anew only where another version is installed, and keeps the members it knows', () => {
    const others = [{ name: 'cp0', peerUrl: 'https://10.0.0.4:2380' }];
    const old = etcdPod(config, foldersAt('/etc/kubernetes/pki'), others, { minor: 4, patch: 23 });
    writeManifest(folders().manifests, old);
    const names = (minor: number): readonly string[] => newPods(job(), { minor, patch: 23 }).map(({ name }) => name);
    expect(names(4)).toEqual(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']);
    expect(names(5)).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']);
    expect(newPods(job(), undefined).map(({ name }) => name)).not.toContain('etcd');
    const [etcd] = newPods(job(), { minor: 5, patch: 0 });
    expect(othersIn(etcd?.command ?? [])).toEqual(others);
    expect(etcd?.command).toContain('--initial-cluster-state=existing');
  });

  test('kube-proxy’s keeps the flags that people gave it', () => {
    const pod = newProxyPod(job());
    writeManifest(folders().manifests, {
      ...pod,
      command: [...pod.command, '--announce-load-balancers=10.0.0.200-10.0.0.210', '--node-routes=none'],
    });
    expect(newProxyPod(job()).command).toEqual([
      'kube-proxy',
      '--announce-load-balancers=10.0.0.200-10.0.0.210',
      '--cluster-cidr=10.244.0.0/16',
      '--hostname-override=cp1',
      '--kubeconfig=/etc/kubernetes/kubelet.conf',
      '--node-routes=auto',
    ]);
  });
});

describe('static Pods give way', () => {
  const clock = new FakeClock();
  const api = apiServerPod(config, foldersAt('/pki'));
  const scheduler = schedulerPod(config, foldersAt('/pki'));
  const withFlag = (pod: ComponentPod): ComponentPod => ({ ...pod, command: [...pod.command, '--new=1'] });
  const textOf = (name: string): string => readFileSync(join(folder, 'manifests', `${name}.yaml`), 'utf8');

  /** A host whose agent starts what manifests say at once, and whose components are well but for those named. */
  function hostOf(ill: readonly string[] = []): RunningComponents {
    const started = new Map<string, number>();
    return {
      pidsOf: (command) => {
        const name = command[0] ?? '';
        const wanted = existsSync(join(folder, 'manifests', `${name}.yaml`)) ? textOf(name) : '';
        if (!started.has(wanted)) started.set(wanted, started.size + 1);
        return command.every((word) => wanted.includes(word)) ? [started.get(wanted) ?? 0] : [];
      },
      isHealthy: (probe) => Promise.resolve(!ill.includes(String(probe.port))),
    };
  }

  async function replace(pods: readonly ComponentPod[], running: RunningComponents): Promise<string> {
    const host = { ...recordedHost(), clock };
    const renewed: string[] = [];
    const deps = {
      manifests: join(folder, 'manifests'),
      temporary: join(folder, 'tmp'),
      patches: noPatches,
      running,
      limitMs: 5_000,
      host,
    };
    const work = replaceStaticPods(
      pods.map((pod) => ({ pod, renew: () => Promise.resolve(void renewed.push(pod.name)) })),
      deps,
    );
    let isOver = false;
    const over = work.finally(() => (isOver = true)).catch(() => undefined);
    while (!isOver) await clock.advance(1_000);
    await over;
    await work;
    expect(renewed).toEqual(pods.map(({ name }) => name));
    return host.printed.join('');
  }

  beforeEach(() => {
    mkdirSync(join(folder, 'manifests'));
    for (const pod of [api, scheduler]) writeManifest(join(folder, 'manifests'), pod);
  });

  test('one after the other, and equal ones stay', async () => {
    const text = await replace([withFlag(api), scheduler], hostOf());
    expect(textOf('kube-apiserver')).toContain('--new=1');
    expect(text).toContain('Component "kube-apiserver" upgraded successfully!');
    expect(text).toContain('Current and new manifests of kube-scheduler are equal, skipping upgrade');
    const [backup = ''] = readdirSync(join(folder, 'tmp'));
    expect(readdirSync(join(folder, 'tmp', backup))).toEqual(['kube-apiserver.yaml']);
    expect(readFileSync(join(folder, 'tmp', backup, 'kube-apiserver.yaml'), 'utf8')).not.toContain('--new=1');
  });

  test('and are all back when one does not become well', async () => {
    const before = [textOf('kube-apiserver'), textOf('kube-scheduler')];
    const failed = replace([withFlag(api), withFlag(scheduler)], hostOf(['10259']));
    await expect(failed).rejects.toThrow(/^couldn't upgrade control plane\. .* Errors faced: kube-scheduler is not healthy after 5s$/);
    expect([textOf('kube-apiserver'), textOf('kube-scheduler')]).toEqual(before);
  });

  test('another image alone must bring another process', async () => {
    const newer = { ...api, image: 'registry.k8s.io/kube-apiserver:v1.36.9' };
    const stuck: RunningComponents = { pidsOf: () => [7], isHealthy: () => Promise.resolve(true) };
    await expect(replace([newer], stuck)).rejects.toThrow('kube-apiserver was not started anew after 5s');
    await replace([newer], hostOf());
    expect(textOf('kube-apiserver')).toContain('v1.36.9');
  });
});

test('an UpgradeConfiguration is heeded, and versions are read in either form', () => {
  const path = join(folder, 'upgrade.yaml');
  const apply = { kubernetesVersion: 'v1.36.2', certificateRenewal: false, etcdUpgrade: false, forceUpgrade: true, skipPhases: ['addon'] };
  const document = { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'UpgradeConfiguration', apply, timeouts: { upgradeManifests: '9s' } };
  writeFileSync(path, JSON.stringify(document));
  const load = (...words: readonly string[]): ReturnType<typeof loadUpgrade> => {
    const { values, given, positional } = parseFlags('kubeadm upgrade apply', applyFlags, words);
    return loadUpgrade('apply', values, given, positional);
  };
  expect(load('--config', path)).toMatchObject({
    target: 'v1.36.2',
    renewsCertificates: false,
    upgradesEtcd: false,
    isForced: true,
    skippedPhases: ['addon'],
    timeouts: { upgradeManifests: 9_000, kubernetesAPICall: 60_000 },
  });
  expect(load('1.36.2+coxswain.1', '--yes')).toMatchObject({ target: 'v1.36.2', asks: false, renewsCertificates: true });
  expect(() => load('latest')).toThrow('version "latest" doesn\'t match patterns');
});
