import { expect, test } from 'vitest';
import type { V1Endpoints, V1Pod, V1Service } from '#api/generated/types.ts';
import { nodeTarget, parseProxyName, podTarget, serviceTarget } from './proxy-target.ts';

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
      addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }],
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

test.each(['', '127.0.0.1', '127.8.8.8', '169.254.169.254', '224.0.0.1', '0.0.0.0', '::1', 'fe80::1', 'ff02::1', 'localhost'])(
  'nothing is sent to %s',
  (ip) => {
    expect(() => podTarget(parseProxyName('p:80', 'pod'), pod(ip))).toThrow('address not allowed');
    const status = { addresses: [{ type: 'InternalIP', address: ip }] };
    expect(() => nodeTarget(parseProxyName('n:80', 'node'), { status })).toThrow('address not allowed');
  },
);

test('a Service is reached at an address that is ready, by the name or the number of a port', () => {
  const target = { scheme: 'http', host: '10.0.0.2', port: '8080' };
  expect(serviceTarget(parseProxyName('s:web', 'service'), service, endpoints, last)).toEqual(target);
  expect(serviceTarget(parseProxyName('s:80', 'service'), service, endpoints, last)).toEqual(target);
  const refused = (name: string, there: V1Endpoints | undefined) => () =>
    serviceTarget(parseProxyName(name, 'service'), service, there, last);
  expect(refused('s:99', endpoints)).toThrow('no service port 99 found for service "s"');
  expect(refused('s', endpoints)).toThrow('no endpoints available for service "s"');
  expect(refused('s:web', undefined)).toThrow('no endpoints available for service "s"');
});
