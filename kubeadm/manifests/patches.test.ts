import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultCluster, type InitConfiguration } from '../config/cluster.ts';
import { foldersAt } from '../folders.ts';
import { writeManifest } from './component-pod.ts';
import { apiServerPod, schedulerPod } from './components.ts';
import { readPatches } from './patches.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeadm-patches-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const config: InitConfiguration = {
  cluster: defaultCluster,
  local: { advertiseAddress: '192.168.1.5', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
};
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const manifest = (): { metadata: { labels: object; annotations?: object }; spec: { priority: number; containers: object[] } } =>
  parse(readFileSync(writeManifest(folder, apiServerPod(config, foldersAt('/pki')), readPatches(folder)), 'utf8')) as never;

test('a strategic patch merges the container by its name, later ones go over earlier ones', () => {
  write('kube-apiserver0.yaml', 'spec: {containers: [{name: kube-apiserver, env: [{name: A, value: "1"}]}]}\n');
  write('kube-apiserver1+merge.yaml', 'metadata: {labels: {tier: null, extra: x}}\n');
  write('kube-apiserver2+json.json', '[{"op": "replace", "path": "/spec/priority", "value": 7}]');
  write('kube-scheduler+merge.yaml', 'spec: {priority: 8}\n');
  write('notes.txt', 'not one');
  const { metadata, spec } = manifest();
  expect(metadata.labels).toEqual({ component: 'kube-apiserver', extra: 'x' });
  expect(spec.priority).toBe(7);
  expect(spec.containers).toHaveLength(1);
  expect(spec.containers[0]).toMatchObject({ env: [{ name: 'A', value: '1' }], command: expect.arrayContaining(['--secure-port=6443']) });
  const other = parse(readFileSync(writeManifest(folder, schedulerPod(config, foldersAt('/pki')), readPatches(folder)), 'utf8')) as never;
  expect(other).toMatchObject({ spec: { priority: 8 } });
});

test('the kubelet’s configuration can be patched, too', () => {
  write('kubeletconfiguration.yaml', 'maxPods: 42\n');
  expect(parse(readPatches(folder).applyToText('kubeletconfiguration', 'maxPods: 110\nport: 1\n'))).toEqual({ maxPods: 42, port: 1 });
});

test.each([
  ['kube-proxy.yaml', 'a: b', 'unknown target in patch file'],
  ['etcd+replace.yaml', 'a: b', 'unknown patch type in patch file'],
  ['etcd.yaml', 'a: [', 'cannot be read'],
])('%s is refused', (name, text, why) => {
  write(name, text);
  expect(() => readPatches(folder)).toThrow(why);
});

test('a patch that does not fit names its file', () => {
  write('kube-apiserver+json.yaml', '[{op: remove, path: /nowhere/x}]');
  expect(manifest).toThrow(/could not apply the patch .*kube-apiserver\+json.yaml to kube-apiserver/);
  expect(() => readPatches('/none')).toThrow('could not list patch files for path "/none"');
});
