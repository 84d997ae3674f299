import { expect, test } from 'vitest';
import { aDispatch } from '../../model/testing.ts';
import { staleFlows } from './flows.ts';

const listing = `udp      17 28 src=10.244.0.9 dst=10.96.0.10 sport=40000 dport=53 src=10.244.0.2 dst=10.244.0.9 sport=53 dport=40000 mark=0 use=1
udp      17 28 src=10.244.0.9 dst=10.96.0.10 sport=40001 dport=53 src=10.244.0.3 dst=10.244.0.9 sport=53 dport=40001 [ASSURED] mark=0 use=1
udp      17 28 src=10.244.0.9 dst=10.96.0.10 sport=40002 dport=53 [UNREPLIED] src=10.244.0.3 dst=10.244.0.9 sport=53 dport=40002 mark=0 use=1
udp      17 28 src=192.168.1.7 dst=192.168.1.10 sport=40003 dport=30053 src=10.244.0.4 dst=192.168.1.10 sport=53 dport=40003 mark=0 use=1
udp      17 28 src=192.168.1.7 dst=172.17.0.1 sport=40004 dport=5353 src=172.17.0.2 dst=192.168.1.10 sport=53 dport=40004 mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 5 flow entries have been shown.
`;
const dns = { protocol: 'udp', address: '10.96.0.10', port: 53, endpoints: [{ ip: '10.244.0.2', port: 53 }] } as const;
const nodePort = { ...dns, at: 'node-port', address: '', port: 30_053 } as const;

test.each([
  ['a gone endpoint is named once', [aDispatch(dns)], ['-p udp --orig-port-dst 53 --orig-dst 10.96.0.10 --dst-nat 10.244.0.3']],
  ['a front without endpoints has only stale flows', [aDispatch({ ...dns, endpoints: [] })], expect.objectContaining({ length: 2 })],
  ['node ports are known by their port', [aDispatch(nodePort)], ['-p udp --orig-port-dst 30053 --dst-nat 10.244.0.4']],
  [
    'clients inside may use more endpoints',
    [aDispatch(nodePort), aDispatch({ ...nodePort, clients: 'inside', endpoints: [{ ip: '10.244.0.4', port: 53 }] })],
    [],
  ],
  ['TCP is not looked at, and other addresses are others', [aDispatch({ ...dns, protocol: 'tcp' })], []],
])('%s', (_name, dispatches, expected) => {
  expect(staleFlows(listing, dispatches).map((words) => words.join(' '))).toEqual(expected);
});
