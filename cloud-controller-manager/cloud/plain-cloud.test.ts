import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import { silentLog } from '#base/log.ts';
import { PlainCloud } from './plain-cloud.ts';

const head = 'apiVersion: cloud.coxswain.dev/v1alpha1\nkind: PlainCloud\n';
let folder: string;
const write = (text: string): void => writeFileSync(join(folder, 'cloud.yaml'), text);
const open = (): PlainCloud => new PlainCloud(join(folder, 'cloud.yaml'), silentLog);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plain-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const aNode = (name: string, rest: Partial<Node> = {}): Node => ({ ...rest, metadata: { name, ...rest.metadata } });

test('machines are found by the identity of their node, and by its name where it has none', async () => {
  write(`${head}machines: [{name: a, providerID: "plain://x"}, {name: b}]`);
  const cloud = open();
  expect((await cloud.findMachine(aNode('a')))?.providerId).toBe('plain://x');
  expect((await cloud.findMachine(aNode('renamed', { spec: { providerID: 'plain://x' } })))?.providerId).toBe('plain://x');
  expect(await cloud.findMachine(aNode('a', { spec: { providerID: 'plain://gone' } }))).toBeUndefined();
  expect(await cloud.findMachine(aNode('c'))).toBeUndefined();
});

test('without a list every node is a machine, at the addresses that it was given or has', async () => {
  write(head);
  const cloud = open();
  const annotations = { 'alpha.kubernetes.io/provided-node-ip': '10.0.0.1, 10.0.0.2' };
  expect(await cloud.findMachine(aNode('a', { metadata: { annotations } }))).toMatchObject({
    providerId: 'plain://a',
    state: 'running',
    addresses: [
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'InternalIP', address: '10.0.0.2' },
    ],
  });
  const addresses = [{ type: 'InternalIP', address: '10.0.0.3' }];
  expect((await cloud.findMachine(aNode('b', { status: { addresses } })))?.addresses).toEqual(addresses);
  expect(cloud.pool).toBeUndefined();
});

test('what the file comes to say holds; while it is broken or gone, what it said before', () => {
  write(`${head}loadBalancers: {ranges: [10.0.0.1]}`);
  const cloud = open();
  const size = (): number => cloud.pool?.().ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0) ?? 0;
  expect(size()).toBe(1);
  write(`${head}loadBalancers: {ranges: [10.0.0.1-10.0.0.4]}`);
  expect(size()).toBe(4);
  write(`${head}loadBalancers: {ranges: [10.0.0.1-10.0.0.4, nonsense]}`);
  expect(size()).toBe(4);
  rmSync(join(folder, 'cloud.yaml'));
  expect(size()).toBe(4);
  write(`${head}# nothing any more`);
  expect(size()).toBe(0);
});

test('a file that is broken at the start is refused', () => {
  write('kind: X');
  expect(open).toThrow('it must be a PlainCloud');
});
