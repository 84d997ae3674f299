import { expect, test } from 'vitest';
import { components } from './components.ts';
import { type ClusterConfig, Layout } from './layout.ts';

const config: ClusterConfig = {
  name: 'c',
  port: 6_443,
  nodeName: 'n',
  nodeIp: '192.0.2.1',
  serviceCidr: '10.96.0.0/12',
  podCidr: '10.244.0.0/16',
  loadBalancerCidr: '172.31.254.0/24',
  dnsIp: '10.96.0.10',
  clusterDomain: 'cluster.local',
};

test('further flags go to their component, and come before its own', () => {
  const extraArgs = { 'kube-apiserver': { 'audit-log-path': '-', 'authorization-mode': 'RBAC' } };
  const argvOf = (name: string): readonly string[] =>
    components(new Layout('/d'), { ...config, extraArgs }, '/b').find((one) => one.name === name)?.argv ?? [];
  expect(argvOf('kube-apiserver').filter((word) => /^--(audit|authorization)/.test(word))).toEqual([
    '--authorization-mode=RBAC',
    '--audit-log-path=-',
  ]);
  expect(argvOf('kubelet').some((word) => word.startsWith('--audit'))).toBe(false);
});
