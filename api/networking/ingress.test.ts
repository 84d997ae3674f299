import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { type Ingress, ingress } from './ingress.ts';

const meta = 'metadata: {name: a, namespace: b}';
const backend = 'backend: {service: {name: s, port: {number: 80}}}';
/** An Ingress with these members of its spec. */
const anIngress = (spec: string): string => `${meta}\nspec: {${spec}}`;
/** An Ingress with one path. */
const withPath = (path: string): string => anIngress(`rules: [{http: {paths: [{${path}}]}}]`);
const at = 'spec.rules[0].http.paths[0]';
const wildcard =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test.each<[string, string, string[]]>([
  ['fine', withPath(`pathType: Prefix, path: /, ${backend}`), []],
  ['a service whose name begins with a digit', anIngress('defaultBackend: {service: {name: 1s, port: {number: 80}}}'), []],
  [
    'a service by a full name',
    anIngress('defaultBackend: {service: {name: s.a, port: {number: 80}}}'),
    ['spec.defaultBackend.service.name: Invalid value: "s.a": must not contain dots'],
  ],
  ['fine default', anIngress('defaultBackend: {resource: {kind: K, name: n, apiGroup: acme.io}}'), []],
  ['nothing', meta, ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified']],
  ['no path type', withPath(`path: /, ${backend}`), [`${at}.pathType: Required value: pathType must be specified`]],
  [
    'path type',
    withPath(`pathType: Any, ${backend}`),
    [`${at}.pathType: Unsupported value: "Any": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
  ],
  ['relative path', withPath(`pathType: Exact, path: x, ${backend}`), [`${at}.path: Invalid value: "x": must be an absolute path`]],
  ['no path', withPath(`pathType: Exact, ${backend}`), [`${at}.path: Invalid value: "": must be an absolute path`]],
  ['no path where none is needed', withPath(`pathType: ImplementationSpecific, ${backend}`), []],
  [
    'tricks in the path',
    withPath(`pathType: Prefix, path: //a%2F/.., ${backend}`),
    [
      `${at}.path: Invalid value: "//a%2F/..": must not contain '//'`,
      `${at}.path: Invalid value: "//a%2F/..": must not contain '%2F'`,
      `${at}.path: Invalid value: "//a%2F/..": cannot end with '/..'`,
    ],
  ],
  ['no paths', anIngress('rules: [{http: {paths: []}}]'), ['spec.rules[0].http.paths: Required value']],
  [
    'address as host',
    anIngress('rules: [{host: 1.2.3.4}]'),
    ['spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'],
  ],
  ['wildcard', anIngress('rules: [{host: "*.a.b"}]'), []],
  ['bad wildcard', anIngress('rules: [{host: "a.*"}]'), [`spec.rules[0].host: Invalid value: "a.*": ${wildcard}`]],
  [
    'tls host',
    anIngress(`defaultBackend: {service: {name: s, port: {name: http}}}, tls: [{hosts: ["*"]}]`),
    [`spec.tls[0].hosts[0]: Invalid value: "*": ${wildcard}`],
  ],
  ['no backend', anIngress('defaultBackend: {}'), ['spec.defaultBackend: Invalid value: "": resource or service backend is required']],
  [
    'two backends',
    anIngress('defaultBackend: {resource: {kind: K, name: n}, service: {name: s, port: {number: 1}}}'),
    ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
  ],
  [
    'empty service',
    anIngress('defaultBackend: {service: {name: ""}}'),
    ['spec.defaultBackend.service.name: Required value', 'spec.defaultBackend: Required value: port name or number is required'],
  ],
  [
    'two ports',
    anIngress('defaultBackend: {service: {name: s, port: {name: x, number: 1}}}'),
    ['spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
  ],
  [
    'port number',
    anIngress('defaultBackend: {service: {name: s, port: {number: 70000}}}'),
    ['spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'resource',
    anIngress('defaultBackend: {resource: {kind: "", name: ".."}}'),
    ['spec.defaultBackend.resource.kind: Required value', 'spec.defaultBackend.resource.name: Invalid value: "..": may not be \'..\''],
  ],
  [
    'two classes',
    'metadata: {name: a, namespace: b, annotations: {kubernetes.io/ingress.class: x}}\nspec: {ingressClassName: y, defaultBackend: {resource: {kind: K, name: n}}}',
    ['annotations.kubernetes.io/ingress.class: Invalid value: "x": must match `ingressClassName` when both are specified'],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(ingress, yaml)).toEqual(expected);
});

test('what an Ingress was let in with stays: names of Secrets, and rules for wildcards', () => {
  const problems = (yaml: string, change: (object: Ingress) => void): string[] => updateProblems(ingress, yaml, change);
  const named = (name: string) => anIngress(`defaultBackend: {service: {name: s, port: {number: 80}}}, tls: [{secretName: "${name}"}]`);
  const rename = ({ spec }: Ingress): void => void (spec.tls![0]!.secretName = 'b c');
  expect(problems(named('a b'), rename)).toEqual([]);
  expect(problems(named('a'), rename)).toEqual([expect.stringContaining('spec.tls[0].secretName: Invalid value: "b c"')]);
  const forHost = (host: string) => anIngress(`rules: [{host: "${host}", http: {paths: [{pathType: Exact, path: x, ${backend}}]}}]`);
  const move = ({ spec }: Ingress): void => void (spec.rules![0]!.http!.paths[0]!.path = 'y');
  expect(problems(forHost('*.a.b'), move)).toEqual([]);
  expect(problems(forHost('a.b'), move)).toEqual(['spec.rules[0].http.paths[0].path: Invalid value: "y": must be an absolute path']);
});

test('status', () => {
  const given = (list: object[]) => (object: Ingress) => void (object.status = { loadBalancer: { ingress: list } });
  const problems = (list: object[]) => updateProblems(ingress, withPath(`pathType: Prefix, path: /, ${backend}`), given(list), 'status');
  expect(problems([{ ip: '10.0.0.1' }, { hostname: 'a.b' }])).toEqual([]);
  expect(problems([{ ip: 'x' }, { hostname: '10.0.0.1' }])).toEqual([
    'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
  ]);
});

test('a new one has no address, and an old way to name the class is warned of', () => {
  const object = decoded(ingress, `${meta}\nstatus: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}`);
  ingress.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  expect(object.status).toEqual({ loadBalancer: {} });
  const annotated = decoded(ingress, 'metadata: {name: a, annotations: {kubernetes.io/ingress.class: x}}');
  expect(ingress.warnings?.(annotated, undefined)).toEqual([
    'annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead',
  ]);
  annotated.spec.ingressClassName = 'x';
  expect(ingress.warnings?.(annotated, undefined)).toEqual([]);
});

test('columns', () => {
  expect(row(ingress, decoded(ingress, meta))).toMatchObject({ Class: '<none>', Hosts: '*', Address: '', Ports: '80' });
  const full = decoded(
    ingress,
    anIngress('ingressClassName: c, tls: [{}], rules: [{host: a}, {}, {host: b}, {host: c}, {host: d}]').concat(
      '\nstatus: {loadBalancer: {ingress: [{ip: 10.0.0.2}, {hostname: x}, {ip: 10.0.0.1}]}}',
    ),
  );
  expect(row(ingress, full)).toMatchObject({ Class: 'c', Hosts: 'a,b,c + 2 more...', Address: '10.0.0.1,10.0.0.2,x', Ports: '80, 443' });
});
