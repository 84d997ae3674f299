import { X509Certificate } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { ensureIdentity, users } from './identity.ts';
import { type ClusterConfig, Layout } from './layout.ts';

const config: ClusterConfig = {
  name: 'coxswain',
  port: 6_443,
  nodeName: 'n1',
  nodeIp: '192.0.2.1',
  serviceCidr: '10.96.0.0/12',
  podCidr: '10.244.0.0/16',
  loadBalancerCidr: '172.31.254.0/24',
  dnsIp: '10.96.0.10',
  clusterDomain: 'cluster.local',
};
const dayMs = 86_400_000;
let layout: Layout;
let clock: FakeClock;
// Made once: the key of tokens alone takes 100 ms or more.
const first = new Layout(mkdtempSync(join(tmpdir(), 'identity-')));
beforeAll(async () => {
  first.create();
  await ensureIdentity(first, config, new FakeClock());
});
afterAll(() => rmSync(first.dataDir, { recursive: true, force: true }));
beforeEach(() => {
  layout = new Layout(mkdtempSync(join(tmpdir(), 'identity-')));
  cpSync(first.dataDir, layout.dataDir, { recursive: true });
  clock = new FakeClock();
});
afterEach(() => rmSync(layout.dataDir, { recursive: true, force: true }));

const folder = (name: string): Record<string, string> =>
  Object.fromEntries(readdirSync(join(layout.dataDir, name)).map((file) => [file, readFileSync(join(layout.dataDir, name, file), 'utf8')]));
const contents = (): Record<string, string> => ({ ...folder('pki'), ...folder('kubeconfig') });
/** Names of the files that `ensureIdentity` makes anew. */
const changedBy = async (next: ClusterConfig = config): Promise<string[]> => {
  const before = contents();
  await ensureIdentity(layout, next, clock);
  const after = contents();
  return Object.keys(after).filter((name) => after[name] !== before[name]);
};
const certificate = (name: string): X509Certificate => new X509Certificate(readFileSync(layout.pki(`${name}.crt`)));

test('every certificate comes from the CA and names what it must', () => {
  const ca = certificate('ca');
  for (const name of ['apiserver', 'apiserver-kubelet-client', 'kubelet']) expect(certificate(name).verify(ca.publicKey), name).toBe(true);
  expect(certificate('apiserver').checkIP('10.96.0.1')).toBe('10.96.0.1');
  expect(certificate('apiserver').checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
  for (const user of Object.keys(users)) {
    const { credentials } = findEndpoint({ path: layout.kubeconfig(user), env: {} });
    expect(credentials.kind, user).toBe('certificate');
  }
});

test('keys are for nobody else to read', () => {
  for (const path of [layout.pki('ca.key'), layout.pki('sa.key'), layout.kubeconfig('admin')])
    expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('what exists is kept', async () => {
  await clock.advance(300 * dayMs);
  expect(await changedBy()).toEqual([]);
});

test('certificates within 30 days of their end are made anew, CA and token keys never', async () => {
  await clock.advance(336 * dayMs);
  const changed = await changedBy();
  expect(changed).toContain('apiserver.crt');
  expect(changed).toContain('admin.conf');
  expect(changed.filter((name) => /^(ca|sa)\./.test(name))).toEqual([]);
  expect(Date.parse(certificate('apiserver').validTo) - clock.nowMs()).toBeGreaterThan(364 * dayMs);
  expect(await changedBy()).toEqual([]);
});

test('another address of the host changes the certificates of its servers only', async () => {
  const changed = await changedBy({ ...config, nodeIp: '192.0.2.99' });
  expect(changed.filter((name) => name.endsWith('.crt')).toSorted()).toEqual([
    'apiserver.crt',
    'kube-controller-manager.crt',
    'kube-scheduler.crt',
    'kubelet.crt',
  ]);
  expect(changed.filter((name) => name.endsWith('.conf'))).toEqual([]);
  expect(certificate('apiserver').checkIP('192.0.2.99')).toBe('192.0.2.99');
});

test('another port changes the kubeconfigs only', async () => {
  const changed = await changedBy({ ...config, port: 7_443 });
  expect(changed.toSorted()).toEqual(
    Object.keys(users)
      .map((user) => `${user}.conf`)
      .toSorted(),
  );
});

test.each([
  ['a key that belongs to another certificate', 'kubelet.key', 'apiserver.key'],
  ['a certificate that is no certificate', 'kubelet.crt', '.apiserver.for'],
])('%s is made anew', async (_name, broken, by) => {
  writeFileSync(join(layout.dataDir, 'pki', broken), readFileSync(join(layout.dataDir, 'pki', by)));
  expect((await changedBy()).toSorted()).toEqual(['kubelet.crt', 'kubelet.key']);
});

test('without its CA all is made anew', async () => {
  rmSync(layout.pki('ca.crt'));
  const changed = await changedBy();
  expect(changed).toEqual(expect.arrayContaining(['ca.crt', 'apiserver.crt', 'kubelet.crt', 'admin.conf']));
  expect(certificate('apiserver').verify(certificate('ca').publicKey)).toBe(true);
});
