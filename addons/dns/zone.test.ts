import { describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { Zone, type ZoneView } from './zone.ts';

const aService = (name: string, spec: Partial<Service['spec']>): Service => ({
  metadata: { name, namespace: 'shop' },
  spec: { type: 'ClusterIP', ports: [{ name: 'http', port: 80 }], ...spec },
});
const services = [
  aService('web', { clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5', 'fd00::5'] }),
  aService('db', { clusterIP: 'None' }),
  aService('empty', { clusterIP: 'None' }),
  aService('out', { type: 'ExternalName', externalName: 'example.com' }),
];
const slices = [
  {
    metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 5_432, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.244.0.2'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.244.0.3'], conditions: { ready: true } },
      { addresses: ['10.244.0.4'], conditions: { ready: false } },
    ],
  },
] as EndpointSlice[];
const view: ZoneView = {
  service: (namespace, name) => services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  slices: (namespace, name) =>
    slices.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.['kubernetes.io/service-name'] === name),
  hasNamespace: (name) => name === 'shop',
  serviceOf: (ip) => services.find(({ spec }) => spec.clusterIP === ip),
  slicesWith: (ip) => slices.filter(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.includes(ip))),
};
const zone = new Zone('cluster.local', view);

/** `A 10.96.0.5` a record; `NXDOMAIN` and `elsewhere` where there is none. */
function ask(name: string, type: string): string[] {
  const answer = zone.answer(name, type);
  if (answer.kind === 'no-such-name') return ['NXDOMAIN'];
  if (answer.kind === 'refused') return ['elsewhere'];
  return answer.answers.map((record) =>
    record.type === 'SRV'
      ? `SRV ${record.data.target}:${record.data.port} w${record.data.weight}`
      : `${record.type} ${record.type === 'SOA' ? record.data.mname : record.data}`,
  );
}

describe('Zone', () => {
  test.each<[string, string, string[]]>([
    ['web.shop.svc.cluster.local', 'A', ['A 10.96.0.5']],
    ['WEB.shop.svc.Cluster.Local.', 'A', ['A 10.96.0.5']],
    ['web.shop.svc.cluster.local', 'AAAA', ['AAAA fd00::5']],
    ['web.shop.svc.cluster.local', 'MX', []],
    ['web.shop.svc.cluster.local', 'SRV', ['SRV web.shop.svc.cluster.local:80 w100']],
    ['_http._tcp.web.shop.svc.cluster.local', 'SRV', ['SRV web.shop.svc.cluster.local:80 w100']],
    ['_http._udp.web.shop.svc.cluster.local', 'SRV', ['NXDOMAIN']],
    ['x.web.shop.svc.cluster.local', 'A', ['NXDOMAIN']],
    ['db.shop.svc.cluster.local', 'A', ['A 10.244.0.2', 'A 10.244.0.3']],
    ['db-0.db.shop.svc.cluster.local', 'A', ['A 10.244.0.2']],
    ['10-244-0-3.db.shop.svc.cluster.local', 'A', ['A 10.244.0.3']],
    ['10-244-0-4.db.shop.svc.cluster.local', 'A', ['NXDOMAIN']],
    [
      '_http._tcp.db.shop.svc.cluster.local',
      'SRV',
      ['SRV db-0.db.shop.svc.cluster.local:5432 w50', 'SRV 10-244-0-3.db.shop.svc.cluster.local:5432 w50'],
    ],
    ['empty.shop.svc.cluster.local', 'A', ['NXDOMAIN']],
    ['out.shop.svc.cluster.local', 'A', ['CNAME example.com']],
    ['nothing.shop.svc.cluster.local', 'A', ['NXDOMAIN']],
    ['shop.svc.cluster.local', 'A', []],
    ['other.svc.cluster.local', 'A', ['NXDOMAIN']],
    ['svc.cluster.local', 'A', []],
    ['cluster.local', 'SOA', ['SOA ns.dns.cluster.local']],
    ['dns-version.cluster.local', 'TXT', ['TXT 1.1.0']],
    ['10-244-0-9.shop.pod.cluster.local', 'A', ['A 10.244.0.9']],
    ['not-an-address.shop.pod.cluster.local', 'A', ['NXDOMAIN']],
    ['5.0.96.10.in-addr.arpa', 'PTR', ['PTR web.shop.svc.cluster.local']],
    ['2.0.244.10.in-addr.arpa', 'PTR', ['PTR db-0.db.shop.svc.cluster.local']],
    ['9.9.9.9.in-addr.arpa', 'PTR', ['elsewhere']],
    ['example.com', 'A', ['elsewhere']],
    ['notcluster.local', 'A', ['elsewhere']],
  ])('%s %s', (name, type, expected) => {
    expect(ask(name, type)).toEqual(expected);
  });
});
