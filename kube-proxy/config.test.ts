import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig, type ProxyConfig } from './config.ts';

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:6443'}}]
users: [{name: u, user: {token: t}}]
`;
let folder: string;
const parse = (...flags: string[]): ProxyConfig =>
  parseConfig([`--kubeconfig=${join(folder, 'config')}`, ...flags], {}, 'N1') as ProxyConfig;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxy-'));
  writeFileSync(join(folder, 'config'), kubeconfig);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('nothing is announced unless ranges are given', () => {
  expect(parse()).toMatchObject({ nodeName: 'n1', announced: [], nodeRoutes: undefined });
  const { announced } = parse('--announce-load-balancers=10.0.0.4/32,10.0.1.0-10.0.1.1');
  expect(announced).toEqual([
    { first: 167_772_164, last: 167_772_164 },
    { first: 167_772_416, last: 167_772_417 },
  ]);
});

test.each<[flags: string[], why: string]>([
  [['--announce-load-balancers=10.0.0.9-10.0.0.1'], '--announce-load-balancers: "10.0.0.9-10.0.0.1" ends before it begins'],
  [['--announce-load-balancers=10.0.0.4', '--healthz-bind-address='], '--announce-load-balancers needs --healthz-bind-address'],
  [['--announce-load-balancers=10.0.0.4', '--healthz-bind-address=127.0.0.1:1'], '--announce-load-balancers needs --healthz-bind-address'],
])('%j is refused', (flags, why) => {
  expect(() => parse(...flags)).toThrow(why);
});
