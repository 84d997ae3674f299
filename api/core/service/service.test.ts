import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../../testing.ts';
import { heldClusterIps, heldNodePorts, needsNodePorts, wantsClusterIp } from './rules.ts';
import { type Service, service } from './service.ts';

/** A Service with one port and these members of its spec. */
function aService(spec = ''): string {
  return `metadata: {name: web, namespace: a}\nspec: {ports: [{port: 80}]${spec === '' ? '' : `, ${spec}`}}`;
}

const stored = aService('clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack');

test('defaults', () => {
  expect(decoded(service, aService()).spec).toEqual({
    internalTrafficPolicy: 'Cluster',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    type: 'ClusterIP',
  });
  expect(decoded(service, aService('type: LoadBalancer, sessionAffinity: ClientIP')).spec).toMatchObject({
    allocateLoadBalancerNodePorts: true,
    externalTrafficPolicy: 'Cluster',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
  });
});

test.each<[string, string, string[]]>([
  ['fine', aService(), []],
  ['no ports', 'metadata: {name: web, namespace: a}\nspec: {}', ['spec.ports: Required value']],
  ['headless without ports', 'metadata: {name: web, namespace: a}\nspec: {clusterIP: None}', []],
  ['a name with a digit first', 'metadata: {name: 1web, namespace: a}\nspec: {ports: [{port: 80}]}', []],
  [
    'name',
    'metadata: {name: web.a, namespace: a}\nspec: {ports: [{port: 80}]}',
    ['metadata.name: Invalid value: "web.a": must not contain dots'],
  ],
  [
    'ports',
    'metadata: {name: web, namespace: a}\nspec: {ports: [{port: 80}, {port: 80, targetPort: "-"}]}',
    [
      'spec.ports[0].name: Required value',
      'spec.ports[1].name: Required value',
      'spec.ports[1].targetPort: Invalid value: "-": must contain at least one letter (a-z)',
      'spec.ports[1].targetPort: Invalid value: "-": must not begin or end with a hyphen',
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
  ],
  [
    'two words of one thing',
    `${aService().replace('namespace: a', 'namespace: a, annotations: {service.kubernetes.io/topology-mode: Auto, service.kubernetes.io/topology-aware-hints: auto}')}`,
    [
      'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Auto": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
    ],
  ],
  [
    'distribution',
    aService('trafficDistribution: Far'),
    ['spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'],
  ],
  [
    'type',
    aService('type: Cluster'),
    ['spec.type: Unsupported value: "Cluster": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
  ],
  ['external name', 'metadata: {name: web, namespace: a}\nspec: {type: ExternalName}', ['spec.externalName: Required value']],
  [
    'headless node port',
    aService('type: NodePort, clusterIP: None'),
    ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
  ],
  [
    'node port without the type',
    'metadata: {name: web, namespace: a}\nspec: {ports: [{port: 80, nodePort: 30000}]}',
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'addresses',
    aService('clusterIP: 10.96.0.9, clusterIPs: [10.96.0.8], externalIPs: [127.0.0.1, x]'),
    [
      'spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`',
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'spec.externalIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    'policies',
    aService('externalTrafficPolicy: Local, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 90000}}'),
    [
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400',
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(service, yaml)).toEqual(expected);
});

test.each<[string, (object: Service) => void, string[]]>([
  ['ports', ({ spec }) => void (spec.ports = [{ port: 81, protocol: 'TCP', targetPort: 81 }]), []],
  [
    'another cluster IP',
    ({ spec }) => void (spec.clusterIP = '10.96.0.10'),
    ['spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set'],
  ],
  ['cluster IP left out', ({ spec }) => void delete spec.clusterIP, []],
  [
    'to an external name',
    ({ spec }) => {
      spec.type = 'ExternalName';
      spec.externalName = 'example.com';
    },
    [],
  ],
])('update: %s', (_name, change, expected) => {
  expect(updateProblems(service, stored, change)).toEqual(expected);
});

test('a new type drops node ports, an update without them keeps them', () => {
  const context = { verb: 'update', subresource: '', nowMs: 0 } as const;
  const prev = decoded(service, `${stored.replace('port: 80', 'port: 80, nodePort: 30001')}`.replace('spec: {', 'spec: {type: NodePort, '));
  const kept = structuredClone(prev);
  delete kept.spec.ports?.[0]?.nodePort;
  service.prepareUpdate?.(kept, prev, context);
  expect(heldNodePorts(kept)).toEqual([30_001]);
  const plain = structuredClone(prev);
  plain.spec.type = 'ClusterIP';
  service.prepareUpdate?.(plain, prev, context);
  expect(heldNodePorts(plain)).toEqual([]);
  expect(plain.spec.externalTrafficPolicy).toBeUndefined();
});

test('node ports of a load balancer that gets none of its own stay and go as those of others', () => {
  const context = { verb: 'update', subresource: '', nowMs: 0 } as const;
  const yaml =
    'metadata: {name: web, namespace: a}\nspec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, ports: [{port: 80, nodePort: 30001}]}';
  const prev = decoded(service, yaml);
  const kept = structuredClone(prev);
  delete kept.spec.ports?.[0]?.nodePort;
  service.prepareUpdate?.(kept, prev, context);
  expect(heldNodePorts(kept)).toEqual([30_001]);
  const plain = structuredClone(prev);
  plain.spec.type = 'ClusterIP';
  service.prepareUpdate?.(plain, prev, context);
  expect([heldNodePorts(plain), plain.spec.allocateLoadBalancerNodePorts]).toEqual([[], undefined]);
});

test('addresses of a load balancer stay as they were written', () => {
  const yaml = `${aService('type: LoadBalancer')}\nstatus: {loadBalancer: {ingress: [{ip: "::ffff:192.0.2.1", ipMode: VIP}]}}`;
  const prev = decoded(service, yaml);
  const next = structuredClone(prev);
  next.status?.loadBalancer?.ingress?.push({ ip: '010.0.0.1', ipMode: 'VIP' });
  const problems = service.validateUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 }) ?? [];
  expect(problems.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'status.loadBalancer.ingress[1].ip: Invalid value: "010.0.0.1": must not have leading 0s',
  ]);
});

test('what is to be allocated', () => {
  const fresh = decoded(service, aService('type: LoadBalancer'));
  expect([wantsClusterIp(fresh), needsNodePorts(fresh)]).toEqual([true, true]);
  expect(wantsClusterIp(decoded(service, aService('clusterIP: None')))).toBe(false);
  expect(heldClusterIps(decoded(service, stored))).toEqual(['10.96.0.9']);
});

test.each([
  [
    'cluster IP',
    stored,
    { Type: 'ClusterIP', 'Cluster-IP': '10.96.0.9', 'External-IP': '<none>', 'Port(s)': '80/TCP', Selector: '<none>' },
  ],
  [
    'node port',
    'metadata: {name: a}\nspec: {type: NodePort, selector: {b: c, a: b}, ports: [{port: 80, nodePort: 30001}, {port: 53, protocol: UDP}]}',
    { 'Cluster-IP': '<none>', 'Port(s)': '80:30001/TCP,53/UDP', Selector: 'a=b,b=c' },
  ],
  ['pending balancer', aService('type: LoadBalancer'), { 'External-IP': '<pending>' }],
  [
    'balancer',
    `${aService('type: LoadBalancer')}\nstatus: {loadBalancer: {ingress: [{ip: 10.0.0.2}, {ip: 10.0.0.1}]}}`,
    { 'External-IP': '10.0.0.1,10.0.0.2' },
  ],
  [
    'external name',
    'metadata: {name: a}\nspec: {type: ExternalName, externalName: x.org}',
    { 'External-IP': 'x.org', 'Port(s)': '<none>' },
  ],
])('columns: %s', (_name, yaml, expected) => {
  expect(row(service, decoded(service, yaml))).toMatchObject(expected);
});

test('a headless Service may have other families, others may not', () => {
  const families = aService("clusterIP: 'None', clusterIPs: ['None'], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack");
  const six = ({ spec }: Service): void => void (spec.ipFamilies = ['IPv6']);
  expect(familyProblems(families, six)).toEqual([]);
  expect(familyProblems(stored, six)).toContain('spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set');
});

/** Without those of the cluster's own families. */
function familyProblems(yaml: string, change: (object: Service) => void): string[] {
  const prev = decoded(service, yaml);
  const next = structuredClone(prev);
  change(next);
  const problems = service.validateUpdate?.(next, prev, { verb: 'update', subresource: '', nowMs: 0 }) ?? [];
  return problems.map(({ field, message }) => `${field}: ${message}`);
}

test('a second address and a second family go with a policy that knows one', () => {
  const both = aService(
    'clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, "fd00::1"], ipFamilies: [IPv4, IPv6], ipFamilyPolicy: RequireDualStack',
  );
  const drop = ({ spec }: Service): void => {
    spec.clusterIPs = ['10.96.0.9'];
    spec.ipFamilies = ['IPv4'];
  };
  const text = (word: string): string =>
    `spec.clusterIPs[0]: Invalid value: ["10.96.0.9"]: \`ipFamilyPolicy\` must be set to 'SingleStack' when releasing the secondary ${word}`;
  expect(familyProblems(both, drop)).toEqual([text('clusterIP'), text('ipFamily')]);
});

const obsolete = 'spec.externalIPs is deprecated and may no longer be implemented in some clusters';

test.each<[string, string, string[]]>([
  ['nothing', aService(), []],
  [
    'what a headless one ignores',
    aService('clusterIP: None, clusterIPs: [None], loadBalancerIP: 192.0.2.1, externalIPs: [192.0.2.2], sessionAffinity: ClientIP'),
    [
      'spec.loadBalancerIP is ignored for headless services',
      'spec.externalIPs is ignored for headless services',
      'spec.SessionAffinity is ignored for headless services',
    ],
  ],
  [
    'odd addresses',
    aService(
      'type: LoadBalancer, clusterIP: "FD00::1", clusterIPs: ["FD00::1"], externalIPs: ["2001:DB8::1"], loadBalancerIP: "2001:DB8::2", loadBalancerSourceRanges: [10.0.0.1/8]',
    ),
    [
      'spec.clusterIPs[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
      'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      obsolete,
      'spec.loadBalancerIP: IPv6 address "2001:DB8::2" should be in RFC 5952 canonical format ("2001:db8::2")',
      'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
    ],
  ],
  [
    'zeros that some take for octal',
    aService('type: LoadBalancer, loadBalancerIP: 010.001.2.3'),
    ['spec.loadBalancerIP: non-standard IP address "010.001.2.3" is invalid: use "10.1.2.3"'],
  ],
  [
    'external addresses of a name',
    aService('type: ExternalName, externalName: a.b, externalIPs: [192.0.2.2]'),
    ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
  ],
  ['a name without use', aService('externalName: a.b'), ['spec.externalName is ignored when spec.type is not "ExternalName"']],
  [
    'old words',
    `metadata: {name: web, annotations: {service.kubernetes.io/topology-aware-hints: auto}}\nspec: {trafficDistribution: PreferClose}`,
    [
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ],
])('warnings: %s', (_name, yaml, expected) => {
  expect(service.warnings?.(decoded(service, yaml), undefined)).toEqual(expected);
});

test('networks and addresses stay as they were written, new ones are judged strictly', () => {
  const yaml = aService('type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1/8], externalIPs: ["::ffff:192.0.2.1"]');
  const range = 'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length';
  expect(createProblems(service, yaml)).toEqual(expect.arrayContaining([range]));
  const changed = updateProblems(service, yaml, ({ spec }) => {
    spec.loadBalancerSourceRanges = ['10.0.0.1/8', '10.0.0.2/8'];
    spec.externalIPs = ['::ffff:192.0.2.1', '::ffff:192.0.2.2'];
  });
  expect(changed.filter((text) => /Ranges|externalIPs/.test(text))).toEqual([
    'spec.externalIPs[1]: Invalid value: "::ffff:192.0.2.2": must not be an IPv4-mapped IPv6 address',
    'spec.LoadBalancerSourceRanges[1]: Invalid value: "10.0.0.2/8": must not have bits set beyond the prefix length',
  ]);
});
