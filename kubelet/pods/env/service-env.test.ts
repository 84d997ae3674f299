import { describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import { linkedServices, serviceVariables } from './service-env.ts';

function aService(namespace: string, name: string, spec: Partial<NonNullable<Service['spec']>> = {}): Service {
  return { metadata: { namespace, name }, spec: { clusterIP: '10.96.0.7', ports: [{ port: 80, protocol: 'TCP' }], ...spec } };
}

describe('linkedServices', () => {
  const all = [
    aService('default', 'kubernetes'),
    aService('ns', 'web'),
    aService('other', 'db'),
    aService('ns', 'headless', { clusterIP: 'None' }),
    aService('ns', 'alias', { type: 'ExternalName' }),
  ];
  const names = (namespace: string, links: boolean): (string | undefined)[] =>
    linkedServices(all, namespace, links).map(({ metadata }) => metadata.name);

  test('with links: own namespace and the API server', () => expect(names('ns', true)).toEqual(['kubernetes', 'web']));
  test('without links: the API server only', () => expect(names('ns', false)).toEqual(['kubernetes']));
  test('a namespace may have its own kubernetes', () => {
    const own = aService('ns', 'kubernetes', { clusterIP: '10.96.9.9' });
    expect(linkedServices([...all, own], 'ns', true).map((one) => one.spec?.clusterIP)).toContain('10.96.9.9');
  });
});

test('serviceVariables', () => {
  const service = aService('ns', 'my-web', {
    ports: [
      { port: 80, protocol: 'TCP', name: 'http-main' },
      { port: 53, protocol: 'UDP' },
    ],
  });
  expect(serviceVariables([service])).toEqual([
    ['MY_WEB_SERVICE_HOST', '10.96.0.7'],
    ['MY_WEB_SERVICE_PORT', '80'],
    ['MY_WEB_SERVICE_PORT_HTTP_MAIN', '80'],
    ['MY_WEB_PORT', 'tcp://10.96.0.7:80'],
    ['MY_WEB_PORT_80_TCP', 'tcp://10.96.0.7:80'],
    ['MY_WEB_PORT_80_TCP_PROTO', 'tcp'],
    ['MY_WEB_PORT_80_TCP_PORT', '80'],
    ['MY_WEB_PORT_80_TCP_ADDR', '10.96.0.7'],
    ['MY_WEB_PORT_53_UDP', 'udp://10.96.0.7:53'],
    ['MY_WEB_PORT_53_UDP_PROTO', 'udp'],
    ['MY_WEB_PORT_53_UDP_PORT', '53'],
    ['MY_WEB_PORT_53_UDP_ADDR', '10.96.0.7'],
  ]);
  expect(serviceVariables([aService('ns', 'none', { ports: [] })])).toEqual([]);
});
