import { expect, test } from 'vitest';
import type { V1Endpoints, V1Pod, V1Service } from '#api/generated/types.ts';
import { checkAddress, hasAddress, isGlobalUnicast, parseProxyName, podTarget, serviceEndpoints, servicePortName } from './proxy-target.ts';

const pod = (ip: string, ports: number[] = []): Pick<V1Pod, 'spec' | 'status'> => ({
  spec: { containers: [{ name: 'c', ports: ports.map((containerPort) => ({ containerPort })) }] },
  status: { podIP: ip },
});
const service: Pick<V1Service, 'spec'> = {
  spec: {
    ports: [
      { name: 'web', port: 80 },
      { name: 'admin', port: 81 },
    ],
  },
};
const endpoints = {
  subsets: [
    {
      addresses: [
        { ip: '10.0.0.1', targetRef: { kind: 'Pod', namespace: 'ns', name: 'a' } },
        { ip: '10.0.0.2', targetRef: { kind: 'Pod', namespace: 'ns', name: 'b' } },
        { ip: '10.0.0.3' },
      ],
      ports: [
        { name: 'web', port: 8080 },
        { name: 'admin', port: 9090 },
      ],
    },
  ],
} as V1Endpoints;
const last = (count: number): number => count - 1;

test.each([
  ['p', { scheme: 'http', name: 'p', port: '' }],
  ['p:80', { scheme: 'http', name: 'p', port: '80' }],
  ['https:p:web', { scheme: 'https', name: 'p', port: 'web' }],
  [':p:80', { scheme: 'http', name: 'p', port: '80' }],
])('the name %s', (text, wanted) => {
  expect(parseProxyName(text, 'pod')).toEqual(wanted);
});

test.each(['ftp:p:1', 'a:b:c:d', ':1', ''])('no name: %s', (text) => {
  expect(() => parseProxyName(text, 'service')).toThrow(`invalid service request ${JSON.stringify(text)}`);
});

test('a pod is reached at the port asked for, else at its first', () => {
  expect(podTarget(parseProxyName('p', 'pod'), pod('10.0.0.9', [8080]))).toEqual({ scheme: 'http', host: '10.0.0.9', port: '8080' });
  expect(podTarget(parseProxyName('https:p:1', 'pod'), pod('10.0.0.9', [8080]))).toEqual({ scheme: 'https', host: '10.0.0.9', port: '1' });
  expect(podTarget(parseProxyName('p', 'pod'), pod('fd00::9')).port).toBe('');
});

test.each([
  '',
  '127.0.0.1',
  '127.8.8.8',
  '169.254.169.254',
  '224.0.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '::1',
  'fe80::1',
  'ff02::1',
  'localhost',
])('nothing is sent to %s', (ip) => expect(() => checkAddress(ip, isGlobalUnicast)).toThrow('address not allowed'));

test.each(['10.0.0.1', '192.168.1.1', 'fd00::1', '8.8.8.8'])('%s may be reached', (ip) => {
  expect(isGlobalUnicast(ip)).toBe(true);
});

test('a number stands for the port of a Service that has it', () => {
  expect(servicePortName(parseProxyName('s:80', 'service'), service)).toBe('web');
  expect(servicePortName(parseProxyName('s:web', 'service'), undefined)).toBe('web');
  expect(servicePortName(parseProxyName('s', 'service'), undefined)).toBe('');
  expect(() => servicePortName(parseProxyName('s:99', 'service'), service)).toThrow('no service port 99 found for service "s"');
});

test('the addresses of a Service are tried in turn from any of them', () => {
  const wanted = (host: string, name: string) => ({ host, port: '8080', pod: name });
  expect(serviceEndpoints(endpoints, { namespace: 'ns', portName: 'web' }, last)).toEqual([
    wanted('10.0.0.2', 'b'),
    wanted('10.0.0.1', 'a'),
  ]);
  expect(serviceEndpoints(endpoints, { namespace: 'ns', portName: 'nope' }, last)).toEqual([]);
  expect(serviceEndpoints({ metadata: {} }, { namespace: 'ns', portName: '' }, last)).toEqual([]);
});

test('addresses of nobody, or of pods elsewhere, do not count', () => {
  expect(serviceEndpoints(endpoints, { namespace: 'other', portName: 'web' }, last)).toEqual([]);
  expect(hasAddress({ status: { podIPs: [{ ip: '10.0.0.1' }] } }, '10.0.0.1')).toBe(true);
  expect(hasAddress({ status: { podIPs: [{ ip: '10.0.0.1' }] } }, '10.0.0.2')).toBe(false);
  expect(hasAddress({}, '')).toBe(false);
});
