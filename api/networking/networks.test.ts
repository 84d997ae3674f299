import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { ipAddress } from './ip-address.ts';
import { networkPolicy } from './network-policy.ts';
import { serviceCidr } from './service-cidr.ts';

const aPolicy = (spec: string): string => `metadata: {name: a, namespace: b}\nspec: {${spec}}`;
const withPort = (port: string): string => aPolicy(`ingress: [{ports: [{${port}}]}]`);
const port = 'spec.ingress[0].ports[0]';

test.each<[string, string, string[]]>([
  ['fine', aPolicy('egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: dns, protocol: UDP}]}]'), []],
  ['range', withPort('port: 80, endPort: 90'), []],
  [
    'range backwards',
    withPort('port: 80, endPort: 0'),
    [
      `${port}.endPort: Invalid value: 0: must be greater than or equal to \`port\``,
      `${port}.endPort: Invalid value: 0: must be between 1 and 65535, inclusive`,
    ],
  ],
  ['end alone', withPort('endPort: 9'), [`${port}.endPort: Invalid value: 9: may not be specified when \`port\` is not specified`]],
  [
    'end of a name',
    withPort('port: x, endPort: 9'),
    [`${port}.endPort: Invalid value: 9: may not be specified when \`port\` is non-numeric`],
  ],
  ['protocol', withPort('protocol: ICMP'), [`${port}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`]],
  ['no peer', aPolicy('ingress: [{from: [{}]}]'), ['spec.ingress[0].from[0]: Required value: must specify a peer']],
  [
    'two peers',
    aPolicy('egress: [{to: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]'),
    ['spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer'],
  ],
  ['empty block', aPolicy('ingress: [{from: [{ipBlock: {cidr: ""}}]}]'), ['spec.ingress[0].from[0].ipBlock.cidr: Required value']],
  [
    'bad block',
    aPolicy('ingress: [{from: [{ipBlock: {cidr: x}}]}]'),
    ['spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
  ],
  [
    'exceptions',
    aPolicy('ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8, 11.0.0.0/16, "::/0"]}}]}]'),
    ['10.0.0.0/8', '11.0.0.0/16', '::/0'].map(
      (cidr, at) => `spec.ingress[0].from[0].ipBlock.except[${at}]: Invalid value: "${cidr}": must be a strict subset of \`cidr\``,
    ),
  ],
  [
    'type',
    aPolicy('policyTypes: [Sideways]'),
    ['spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"'],
  ],
  [
    'types',
    aPolicy('policyTypes: [Ingress, Egress, Ingress]'),
    ['spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes'],
  ],
  [
    'selector',
    aPolicy('podSelector: {matchExpressions: [{key: a, operator: In}]}'),
    ["spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
  ],
])('policy: %s', (_name, yaml, expected) => {
  expect(createProblems(networkPolicy, yaml)).toEqual(expected);
});

test('blocks stay as they were written, new ones are judged strictly', () => {
  const yaml = aPolicy('egress: [{to: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.0.1/16]}}]}]');
  const text = 'must not have bits set beyond the prefix length';
  expect(createProblems(networkPolicy, yaml)).toEqual([
    `spec.egress[0].to[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": ${text}`,
    `spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "10.1.0.1/16": ${text}`,
  ]);
  expect(updateProblems(networkPolicy, yaml, ({ spec }) => void spec?.egress?.[0]?.to?.[0]?.ipBlock?.except?.push('10.2.0.1/16'))).toEqual([
    `spec.egress[0].to[0].ipBlock.except[1]: Invalid value: "10.2.0.1/16": ${text}`,
  ]);
});

test('a policy concerns what it has rules for', () => {
  const types = (spec: string) => decoded(networkPolicy, aPolicy(spec)).spec.policyTypes;
  expect([types(''), types('egress: [{}]'), types('policyTypes: [Egress]')]).toEqual([['Ingress'], ['Ingress', 'Egress'], ['Egress']]);
  expect(decoded(networkPolicy, withPort('port: 80')).spec.ingress?.[0]?.ports).toEqual([{ port: 80, protocol: 'TCP' }]);
  expect(row(networkPolicy, decoded(networkPolicy, aPolicy('podSelector: {matchLabels: {a: b}}')))['Pod-Selector']).toBe('a=b');
});

test.each([
  ['10.0.0.0/8', []],
  ['10.0.0.1/8', ['"10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)']],
  ['fd00:0::/8', ['"fd00:0::/8" should be in RFC 5952 canonical format ("fd00::/8")']],
  ['2001:db8:0:0:1:0:0:0/80', ['"2001:db8:0:0:1:0:0:0/80" should be in RFC 5952 canonical format ("2001:db8:0:0:1::/80")']],
])('warnings about %s', (cidr, expected) => {
  const object = decoded(networkPolicy, aPolicy(`egress: [{to: [{ipBlock: {cidr: "${cidr}"}}]}]`));
  const texts = networkPolicy
    .warnings?.(object, undefined)
    .map((text) => text.replace(/^spec\.egress\[0\]\.to\[0\]\.ipBlock\.cidr: (IPv6 )?CIDR value /, ''));
  expect(texts).toEqual(expected);
});

test('an address says whose it is', () => {
  const yaml = 'metadata: {name: 10.0.0.1}\nspec: {parentRef: {resource: services, namespace: a, name: b}}';
  expect(createProblems(ipAddress, yaml)).toEqual([]);
  expect(row(ipAddress, decoded(ipAddress, yaml))).toMatchObject({ Name: '10.0.0.1', ParentRef: 'services/a/b' });
  expect(createProblems(ipAddress, 'metadata: {name: a}\nspec: {}')).toEqual([
    'metadata.name: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'spec.parentRef: Required value',
  ]);
  expect(
    createProblems(ipAddress, 'metadata: {name: "::1"}\nspec: {parentRef: {group: A, resource: "", name: a/b, namespace: a%}}'),
  ).toEqual([
    expect.stringMatching(/^spec\.parentRef\.group: Invalid value: "A": a lowercase RFC 1123 subdomain must/),
    'spec.parentRef.resource: Required value',
    'spec.parentRef.name: Invalid value: "a/b": may not contain \'/\'',
    'spec.parentRef.namespace: Invalid value: "a%": may not contain \'%\'',
  ]);
  const other = { resource: 'services', name: 'c' };
  expect(updateProblems(ipAddress, yaml, ({ spec }) => void (spec.parentRef = other))).toEqual([
    'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"","Name":"c"}: field is immutable',
  ]);
});

const ranges = (...cidrs: string[]): string => `metadata: {name: a}\nspec: {cidrs: ${JSON.stringify(cidrs)}}`;
const families = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';

test.each<[string, string, string[]]>([
  ['fine', ranges('10.0.0.0/8', 'fd00::/64'), []],
  ['none', ranges(), ['spec.cidrs: Required value: at least one CIDR required']],
  ['three', ranges('a', 'b', 'c'), ['spec.cidrs: Invalid value: {"CIDRs":["a","b","c"]}: may only hold up to 2 values']],
  ['bad', ranges('a'), ['spec.cidrs[0]: Invalid value: "a": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
  ['one family', ranges('10.0.0.0/8', '11.0.0.0/8'), [`spec.cidrs: Invalid value: ["10.0.0.0/8","11.0.0.0/8"]: ${families}`]],
])('service range: %s', (_name, yaml, expected) => {
  expect(createProblems(serviceCidr, yaml)).toEqual(expected);
});

test.each<[string, string[], string[]]>([
  ['the same', ['10.0.0.0/8'], []],
  ['another', ['11.0.0.0/8'], ['spec.cidrs[0]: Invalid value: "11.0.0.0/8": field is immutable']],
  ['one more', ['10.0.0.0/8', 'fd00::/64'], []],
  ['one more of the same family', ['10.0.0.0/8', '11.0.0.0/8'], [`spec.cidrs: Invalid value: ["10.0.0.0/8","11.0.0.0/8"]: ${families}`]],
  ['none', [], ['spec.cidrs: Invalid value: []: field is immutable']],
])('service range becomes %s', (_name, cidrs, expected) => {
  expect(updateProblems(serviceCidr, ranges('10.0.0.0/8'), ({ spec }) => void (spec.cidrs = cidrs))).toEqual(expected);
});

test('the status of a service range takes no labels along', () => {
  const next = decoded(serviceCidr, 'metadata: {name: a, labels: {a: b}}\nspec: {cidrs: [10.0.0.0/8]}');
  const prev = decoded(serviceCidr, 'metadata: {name: a, annotations: {c: d}}\nspec: {cidrs: [10.0.0.0/8]}');
  serviceCidr.prepareUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 });
  expect(next.metadata).toEqual({ name: 'a', annotations: { c: 'd' } });
  expect(row(serviceCidr, next)).toMatchObject({ CIDRs: '10.0.0.0/8' });
});

test.each<[string, string[]]>([
  ['2001:db8::1', []],
  ['2001:DB8::1', ['metadata.name: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")']],
  ['::ffff:10.0.0.1', ['metadata.name: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address']],
  ['10.0.0.01', ['metadata.name: Invalid value: "10.0.0.01": must not have leading 0s']],
  ['x', ['metadata.name: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
])('an IPAddress named %s', (name, expected) => {
  const yaml = `metadata: {name: "${name}"}\nspec: {parentRef: {resource: services, name: a, namespace: b}}`;
  expect(createProblems(ipAddress, yaml)).toEqual(expected);
});

test('networks of Services are said in the usual spelling', () => {
  expect(createProblems(serviceCidr, 'metadata: {name: a}\nspec: {cidrs: ["FD00::/108"]}')).toEqual([
    'spec.cidrs[0]: Invalid value: "FD00::/108": must be in canonical form ("fd00::/108")',
  ]);
});
