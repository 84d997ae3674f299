import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { addressAt, chooseAddress, defaultRouteInterface, firstAddress } from './host-network.ts';

const v4 = (address: string): NetworkInterfaceInfo =>
  ({ family: 'IPv4', address, internal: address.startsWith('127.') }) as NetworkInterfaceInfo;
const v6 = { family: 'IPv6', address: 'fd00::1', internal: false } as NetworkInterfaceInfo;
const lo = [v4('127.0.0.1')];

test.each<[string, Record<string, NetworkInterfaceInfo[]>, string | undefined, string | undefined]>([
  ['the default route’s interface', { lo, eth0: [v4('192.0.2.1')], eth1: [v6, v4('192.0.2.2')] }, 'eth1', '192.0.2.2'],
  ['the first real one without default route', { lo, eth0: [v4('192.0.2.1')] }, undefined, '192.0.2.1'],
  [
    'never bridges of containers, our own included',
    {
      docker0: [v4('172.17.0.1')],
      'br-4f1c': [v4('172.18.0.1')],
      coxswain0: [v4('10.244.0.1')],
      cni0: [v4('10.88.0.1')],
      eth0: [v4('192.0.2.1')],
    },
    undefined,
    '192.0.2.1',
  ],
  ['a bridge that is the host’s own way out', { br0: [v4('192.0.2.3')] }, 'br0', '192.0.2.3'],
  ['no address that only its link knows', { eth0: [v4('169.254.3.4')], eth1: [v4('192.0.2.1')] }, 'eth0', '192.0.2.1'],
  ['nothing but itself', { lo, docker0: [v4('172.17.0.1')] }, undefined, undefined],
])('%s', (_name, interfaces, preferred, expected) => {
  expect(chooseAddress(interfaces, preferred)).toBe(expected);
});

test('the default route with the lowest metric', () => {
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
  const line = (name: string, destination: string, metric: number, mask: string): string =>
    `${name}\t${destination}\t0101A8C0\t0003\t0\t0\t${metric}\t${mask}\t0\t0\t0\n`;
  const table = `${head}${line('wlan0', '00000000', 600, '00000000')}${line('eth0', '00000000', 100, '00000000')}${line('eth1', '0001A8C0', 0, '00FFFFFF')}`;
  expect(defaultRouteInterface(table)).toBe('eth0');
  expect(defaultRouteInterface(head)).toBeUndefined();
});

test('addresses of a network', () => {
  expect(firstAddress('10.96.0.0/12')).toBe('10.96.0.1');
  expect(addressAt('10.96.255.250/12', 10)).toBe('10.97.0.4');
});
