import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubeletConfigurationText } from '../kubelet/kubelet-files.ts';
import { clusterUrl, defaultCluster, defaultTimeouts, splitHostPort } from './cluster.ts';
import { clusterFrom, clusterText, durationText, readDocuments, timeoutsFrom } from './document.ts';
import { subnetsOverlap } from './subnets.ts';

const read = (text: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> => readDocuments(text, 'k.yaml');
const head = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n';

describe('configuration files', () => {
  test('what is printed is read back as the same', () => {
    const cluster = {
      ...defaultCluster,
      controlPlaneEndpoint: 'lb:16443',
      networking: { ...defaultCluster.networking, podSubnet: '10.244.0.0/16' },
      apiServer: { extraArgs: [{ name: 'v', value: '2' }], certSANs: ['a'] },
    };
    const document = read(clusterText(cluster)).get('ClusterConfiguration');
    expect(clusterFrom(document ?? {}, 'k.yaml')).toEqual(cluster);
  });

  test.each<[string, string, string]>([
    [
      'an unknown field',
      `${head}networking:\n  podSubnets: x\n`,
      'k.yaml: ClusterConfiguration is invalid:\n\tunknown field "networking.podSubnets"',
    ],
    ['a wrong type', `${head}apiServer:\n  certSANs: a\n`, '\tapiServer.certSANs: must be a list'],
    [
      'a wrong type in a list',
      `${head}apiServer:\n  extraArgs:\n  - name: a\n    value: 1\n`,
      '\tapiServer.extraArgs[0].value: must be a string',
    ],
    [
      'an old version',
      'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n',
      'uses "kubeadm.k8s.io/v1beta3" (kind: "ClusterConfiguration"): it must be kubeadm.k8s.io/v1beta4',
    ],
    ['an unknown kind', 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: Cluster\n', 'k.yaml: unknown kind "Cluster"'],
    ['one kind twice', `${head}---\n${head}`, 'k.yaml holds more than one ClusterConfiguration'],
    ['broken YAML', 'a: [', 'k.yaml cannot be read: '],
    [
      'another component’s',
      'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n',
      'KubeProxyConfiguration of kubeproxy.config.k8s.io/v1alpha1 is not supported',
    ],
  ])('%s is refused with its place', (_name, text, message) => expect(() => read(text)).toThrow(message));

  test.each<[string, string, string]>([
    [
      'both etcds',
      'etcd:\n  local:\n    dataDir: /d\n  external:\n    endpoints: []\n',
      '.Etcd.Local and .Etcd.External are mutually exclusive',
    ],
    ['an etcd nowhere', 'etcd:\n  external:\n    endpoints: []\n', 'etcd.external.endpoints: Required value'],
    [
      'a client certificate without its key',
      'etcd:\n  external:\n    endpoints: [https://e]\n    caFile: /c\n    certFile: /d\n',
      'either both or none of .Etcd.External.CertFile and .Etcd.External.KeyFile must be set',
    ],
    [
      'a client certificate without an authority',
      'etcd:\n  external:\n    endpoints: [https://e]\n    certFile: /c\n    keyFile: /k\n',
      'setting .Etcd.External.CertFile and .Etcd.External.KeyFile requires .Etcd.External.CAFile',
    ],
    [
      'certificates for plain HTTP',
      'etcd:\n  external:\n    endpoints: [http://e:2379]\n    caFile: /c\n',
      'etcd.external.endpoints: Invalid value: "http://e:2379": the URL must be using the HTTPS scheme',
    ],
    ['an address without scheme', 'etcd:\n  external:\n    endpoints: [e:2379]\n', '"e:2379": the URL without scheme is not allowed'],
    [
      'a file somewhere',
      'etcd:\n  external:\n    endpoints: [https://e]\n    caFile: c\n',
      'etcd.external.caFile: Invalid value: "c": path is not absolute',
    ],
    ['no duration', 'certificateValidityPeriod: soon\n', 'certificateValidityPeriod: "soon" must be a duration above zero'],
    ['an unknown algorithm', 'encryptionAlgorithm: DSA\n', 'encryptionAlgorithm: Invalid value: "DSA": must be one of ECDSA-P256'],
  ])('%s is refused', (_name, text, message) => {
    expect(() => clusterFrom(read(`${head}${text}`).get('ClusterConfiguration') ?? {}, 'k.yaml')).toThrow(message);
  });

  test('an etcd of somebody else, with and without TLS, is read back as it was given', () => {
    for (const external of [
      { endpoints: ['http://e:2379'], caFile: '', certFile: '', keyFile: '' },
      { endpoints: ['https://e:2379'], httpEndpoints: ['https://e:2378'], caFile: '/c', certFile: '/d', keyFile: '/k' },
    ]) {
      const text = clusterText({ ...defaultCluster, etcd: { external } });
      expect(clusterFrom(read(text).get('ClusterConfiguration') ?? {}, 'k.yaml').etcd).toEqual({ external });
    }
  });

  test('timeouts are heeded, and named when they are none', () => {
    const { discovery, tlsBootstrap } = timeoutsFrom({ discovery: '90s', tlsBootstrap: '1h0m0s' }, 'k.yaml');
    expect([discovery, tlsBootstrap]).toEqual([90_000, 3_600_000]);
    expect(timeoutsFrom()).toEqual(defaultTimeouts);
    expect(() => timeoutsFrom({ discovery: 'soon' }, 'k.yaml')).toThrow('k.yaml: timeouts.discovery: "soon" must be a duration above zero');
  });

  test('a KubeletConfiguration beside it goes over the defaults, field by field', () => {
    const kubelet = read(
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\nauthentication: {webhook: {cacheTTL: 1m}}\n',
    ).get('KubeletConfiguration');
    const text = kubeletConfigurationText({ ...defaultCluster, kubelet: kubelet ?? {} });
    expect(parse(text)).toMatchObject({
      cgroupDriver: 'systemd',
      clusterDNS: ['10.96.0.10'],
      authentication: { webhook: { enabled: true, cacheTTL: '1m' }, x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' } },
    });
    expect(parse(kubeletConfigurationText(defaultCluster))).not.toHaveProperty('cgroupDriver');
    expect(clusterText({ ...defaultCluster, kubelet: kubelet ?? {} })).not.toContain('systemd');
  });

  test('an external etcd takes the place of the local one', () => {
    const text = `${head}etcd:\n  external:\n    endpoints: [https://10.0.0.1:2379]\n    caFile: /ca\n`;
    expect(clusterFrom(read(text).get('ClusterConfiguration') ?? {}, 'k.yaml').etcd).toEqual({
      external: { endpoints: ['https://10.0.0.1:2379'], caFile: '/ca', certFile: '', keyFile: '' },
    });
  });
});

describe('addresses', () => {
  test.each([
    ['lb', { host: 'lb', port: 6443 }],
    ['lb:16443', { host: 'lb', port: 16_443 }],
    ['fd00::1', { host: 'fd00::1', port: 6443 }],
    ['[fd00::1]:16443', { host: 'fd00::1', port: 16_443 }],
  ])('%s', (text, expected) => expect(splitHostPort(text, 6443)).toEqual(expected));

  test.each([
    ['lb:0', 'port "0" must be a number between 1 and 65535, inclusive'],
    ['lb:http', 'port "http" must be'],
    [':6443', 'host "" must be'],
    ['https://lb:6443', 'host "https://lb:6443" must be'],
  ])('%s is refused', (text, message) => expect(() => splitHostPort(text, 6443)).toThrow(message));

  test('clients dial the endpoint in front of all control planes', () => {
    const local = { advertiseAddress: '10.0.0.5', bindPort: 7443, node: { name: 'a', criSocket: '' } };
    expect(clusterUrl({ cluster: defaultCluster, local })).toBe('https://10.0.0.5:7443');
    expect(clusterUrl({ cluster: { ...defaultCluster, controlPlaneEndpoint: 'lb' }, local })).toBe('https://lb:7443');
  });

  test.each([
    ['10.0.0.0/8', '10.244.0.0/16', true],
    ['10.244.1.0/24', '10.244.0.0/16', true],
    ['10.245.0.0/16', '10.244.0.0/16', false],
    ['fd00::/64', '10.244.0.0/16', false],
    ['nonsense', '10.244.0.0/16', false],
  ])('%s and %s share an address: %s', (a, b, expected) => expect(subnetsOverlap(a, b)).toBe(expected));
});

test('durations as Go writes them', () => expect([3_600_000, 86_461_000].map(durationText)).toEqual(['1h0m0s', '24h1m1s']));
