import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { parseResolvConf, podDns } from './dns.ts';
import { hostDnsProblem, readHostDns } from './host-dns.ts';
import { podHostname } from './hostname.ts';
import { hostNetworkHosts, managedHosts } from './hosts-file.ts';

const aPod = (spec: Partial<Pod['spec']> = {}, name = 'p'): Pod => ({
  metadata: { name, namespace: 'ns', uid: 'u' },
  spec: { containers: [], ...spec },
});
const cluster = { servers: ['10.96.0.10'], domain: 'cluster.local' };
const host = { servers: ['192.168.0.1'], searches: ['corp.example'], options: ['timeout:2'] };
const first = {
  servers: ['10.96.0.10'],
  searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
  options: ['ndots:5'],
};

describe('podDns', () => {
  test.each<[name: string, spec: Partial<Pod['spec']>, expected: object]>([
    ['ClusterFirst', {}, first],
    ['ClusterFirst on the host network', { hostNetwork: true }, host],
    ['ClusterFirstWithHostNet', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, first],
    ['Default', { dnsPolicy: 'Default' }, host],
    [
      'None',
      {
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['1.1.1.1'], searches: ['x'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
      },
      { servers: ['1.1.1.1'], searches: ['x'], options: ['ndots:2', 'edns0'] },
    ],
    [
      'own settings are added',
      { dnsConfig: { nameservers: ['1.1.1.1', '10.96.0.10'], searches: ['x'], options: [{ name: 'ndots', value: '1' }] } },
      { servers: ['10.96.0.10', '1.1.1.1'], searches: [...first.searches, 'x'], options: ['ndots:1'] },
    ],
  ])('%s', (_, spec, expected) => expect(podDns(aPod(spec), cluster, host)).toEqual({ settings: expected, warnings: [] }));

  test('without cluster DNS it falls back and says so', () => {
    const { settings, warnings } = podDns(aPod(), { servers: [], domain: 'cluster.local' }, host);
    expect(settings).toEqual(host);
    const ofNode =
      'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
    expect(warnings).toEqual([{ reason: 'MissingClusterDNS', message: `pod: "p_ns(u)". ${ofNode}`, ofNode }]);
  });

  test('more than three servers are cut', () => {
    const dns = podDns(aPod({ dnsConfig: { nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3'] } }), cluster, host);
    expect(dns.settings.servers).toEqual(['10.96.0.10', '1.1.1.1', '2.2.2.2']);
    expect(dns.warnings[0]?.message).toContain('the applied nameserver line is: 10.96.0.10 1.1.1.1 2.2.2.2');
  });
});

test('a node that is not to have a resolv.conf', () => {
  expect(podDns(aPod({ dnsPolicy: 'Default' }), cluster, undefined).settings).toEqual({
    servers: ['127.0.0.1'],
    searches: ['.'],
    options: [],
  });
  expect(podDns(aPod(), cluster, undefined).settings).toEqual({ ...first, searches: first.searches.slice(0, 3) });
});

test.each<[text: string, servers: string[], searches: string[], options?: string[]]>([
  ['', [], []],
  ['\t\n\t', [], []],
  [' #comment\n#comment', [], []],
  ['#comment\nnameserver 1.2.3.4\nsearch', ['1.2.3.4'], []],
  ['nameserver \t 1.2.3.4 #comment', ['1.2.3.4'], []],
  ['nameserver 1.2.3.4\nsearch foo\nnameserver 5.6.7.8\nsearch foo. bar\n', ['1.2.3.4', '5.6.7.8'], ['foo', 'bar']],
  ['search .', [], ['.']],
  ['options ndots:1\noptions ndots:5 attempts:3', [], [], ['ndots:5', 'attempts:3']],
])('parseResolvConf of %j', (text, servers, searches, options = []) =>
  expect(parseResolvConf(text)).toEqual({ servers, searches, options }),
);

test.each(['#comment\nnameserver', 'nameserver\nsearch', 'nameserver #1.2.3.4'])('parseResolvConf of %j', (text) =>
  expect(() => parseResolvConf(text)).toThrow('nameserver list is empty '),
);

test("what is said of the node's own file when a kubelet starts", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'host-dns-'));
  const path = join(folder, 'resolv.conf');
  const said = async (text: string, domain = 'cluster.local'): Promise<string | undefined> => {
    await writeFile(path, text);
    return await hostDnsProblem(path, domain);
  };
  const domains = (count: number, chars = 1): string => `search ${Array.from({ length: count }, () => 'a'.repeat(chars)).join(' ')}`;
  expect(await said(domains(29))).toBeUndefined();
  expect(await said(domains(30))).toBe(`Resolv.conf file '${path}' contains search line consisting of more than 29 domains!`);
  expect(await said(domains(32), '')).toBeUndefined();
  expect(await said(domains(20, 120))).toBe(
    `Resolv.conf file '${path}' contains search line which length is more than allowed 2048 chars!`,
  );
  expect(await said('nameserver')).toBe('nameserver list is empty ');
  await rm(folder, { recursive: true });
  expect(await hostDnsProblem(path, '')).toBe(`open ${path}: no such file or directory`);
  await expect(readHostDns(path)).rejects.toThrow('no such file or directory');
  expect(await readHostDns('')).toBeUndefined();
});

test('parseResolvConf', () => {
  const text =
    '# made by hand\nsearch old\nsearch a.example. b\nnameserver 1.1.1.1 \nnameserver ::1 # six\noptions ndots:1 rotate\noptions ndots:2\n';
  expect(parseResolvConf(text)).toEqual({ servers: ['1.1.1.1', '::1'], searches: ['a.example', 'b'], options: ['ndots:2', 'rotate'] });
});

describe('podHostname', () => {
  test.each<[name: string, pod: Pod, hostname: string, fqdn: string]>([
    ['name', aPod(), 'p', 'p'],
    ['own', aPod({ hostname: 'h' }), 'h', 'h'],
    ['subdomain', aPod({ hostname: 'h', subdomain: 's' }), 'h', 'h.s.ns.svc.cluster.local'],
    ['as FQDN', aPod({ hostname: 'h', subdomain: 's', setHostnameAsFQDN: true }), 'h.s.ns.svc.cluster.local', 'h.s.ns.svc.cluster.local'],
    ['host network', aPod({ hostNetwork: true, hostname: 'h' }), 'node-1', 'node-1'],
    ['long names end well', aPod({}, `${'a'.repeat(62)}.-b`), 'a'.repeat(62), 'a'.repeat(62)],
  ])('%s', (_, pod, hostname, fqdn) => expect(podHostname(pod, 'cluster.local', 'node-1')).toMatchObject({ hostname, fqdn }));

  test('too long a fully qualified name', () => {
    const pod = aPod({ hostname: 'h'.repeat(50), subdomain: 's', setHostnameAsFQDN: true });
    expect(() => podHostname(pod, 'cluster.local', 'n')).toThrow(/is too long \(64 characters is the max, 73 characters requested\)$/);
  });
});

test('hosts files', () => {
  const plain = managedHosts(['10.1.1.1', 'fd00::1'], { hostname: 'p', domain: '', fqdn: 'p' }, []);
  expect(plain).toMatch(/^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n/);
  expect(plain).toMatch(/\n10\.1\.1\.1\tp\nfd00::1\tp\n$/);
  const withDomain = managedHosts(['10.1.1.1'], { hostname: 'h.s.x', domain: 's.x', fqdn: 'h.s.x' }, [
    { ip: '1.2.3.4', hostnames: ['a', 'b'] },
  ]);
  expect(withDomain).toMatch(/\n10\.1\.1\.1\th\.s\.x\th\n\n# Entries added by HostAliases\.\n1\.2\.3\.4\ta\tb\n$/);
  expect(hostNetworkHosts('127.0.0.1 localhost\n', [])).toBe('# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n');
});
