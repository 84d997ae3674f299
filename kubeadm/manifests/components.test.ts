import { expect, test } from 'vitest';
import { defaultCluster, type ExternalEtcd, type InitConfiguration } from '../config/cluster.ts';
import { foldersAt } from '../folders.ts';
import { podOf } from './component-pod.ts';
import { apiServerPod } from './components.ts';

const configWith = (external: ExternalEtcd): InitConfiguration => ({
  cluster: { ...defaultCluster, etcd: { external } },
  local: { advertiseAddress: '192.168.1.5', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
});
const etcdFlags = (external: ExternalEtcd): readonly string[] =>
  apiServerPod(configWith(external), foldersAt('/pki')).command.filter((word) => word.startsWith('--etcd-'));

test('an API server is led to an etcd of somebody else, with TLS and without', () => {
  const tls = { caFile: '/e/ca.crt', certFile: '/e/c.crt', keyFile: '/e/c.key' };
  expect(etcdFlags({ endpoints: ['https://a:2379', 'https://b:2379'], ...tls })).toEqual([
    '--etcd-cafile=/e/ca.crt',
    '--etcd-certfile=/e/c.crt',
    '--etcd-keyfile=/e/c.key',
    '--etcd-servers=https://a:2379,https://b:2379',
  ]);
  expect(etcdFlags({ endpoints: ['http://a:2379'], caFile: '', certFile: '', keyFile: '' })).toEqual(['--etcd-servers=http://a:2379']);
});

test('its manifest shows the folders of the files that lead there, but for the one that it has', () => {
  const files = { caFile: '/e/ca.crt', certFile: '/d/client/c.crt', keyFile: '/pki/etcd/c.key' };
  const pod = podOf(apiServerPod(configWith({ endpoints: ['https://a:2379'], ...files }), foldersAt('/pki')));
  expect(pod.spec?.volumes?.map(({ name, hostPath }) => [name, hostPath?.path])).toEqual([
    ['etcd-certs-0', '/d/client'],
    ['etcd-certs-1', '/e'],
    ['k8s-certs', '/pki'],
  ]);
});
