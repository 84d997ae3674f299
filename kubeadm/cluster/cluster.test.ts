// kubeadm against an API server: tokens, uploads, discovery.
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { configMap } from '#api/core/config-map.ts';
import { secret } from '#api/core/secret.ts';
import { systemClock } from '#base/clock.ts';
import { parseFlags } from '#base/flags.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { createAllCertificates } from '../certs/create.ts';
import { runCommand } from '../command.ts';
import { defaultCluster, defaultTimeouts, type InitConfiguration } from '../config/cluster.ts';
import { noPatches } from '../manifests/patches.ts';
import { foldersAt } from '../folders.ts';
import { bootstrapToken } from '../init/cluster-phases.ts';
import { initFlags } from '../init/flags.ts';
import type { InitJob } from '../init/phase.ts';
import { runPhases } from '../phase.ts';
import { tokensFrom } from '../init/tokens.ts';
import { uploadCerts, uploadConfig } from '../init/upload-phases.ts';
import { discover } from '../join/discovery.ts';
import { publicKeyHash } from '../join/join-command.ts';
import { goodHost, recordedHost } from '../testing.ts';
import { tokenCommand } from '../token/commands.ts';
import { downloadCertificates, sharedFiles } from './uploaded-certificates.ts';

let server: TestApiServer;
let client: RestClient;
let folder: string;
const signal = new AbortController().signal;
const host = recordedHost();

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  folder = mkdtempSync(join(tmpdir(), 'kubeadm-cluster-'));
  const { credentials } = server.adminClientConfig;
  writeFileSync(join(folder, 'admin.conf'), kubeconfigText({ name: 'a', server: server.url, ca: server.ca.cert, credentials }));
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function kubeadmToken(...words: readonly string[]): Promise<string> {
  const recorded = recordedHost();
  await runCommand(tokenCommand, [...words, '--kubeconfig', join(folder, 'admin.conf')], recorded);
  return recorded.printed.join('');
}

describe('kubeadm token', () => {
  test('creates, lists and deletes', async () => {
    expect(await kubeadmToken('create', 'abcdef.0123456789abcdef', '--ttl', '2h', '--description', 'for a test')).toBe(
      'abcdef.0123456789abcdef\n',
    );
    const made = await client.get(secret, { namespace: 'kube-system', name: 'bootstrap-token-abcdef' }, signal);
    expect(made.type).toBe('bootstrap.kubernetes.io/token');
    expect(await kubeadmToken('list')).toMatch(
      /^TOKEN {21}TTL {7,}EXPIRES {16}USAGES {19}DESCRIPTION {3}EXTRA GROUPS\nabcdef\.0123456789abcdef {3}1h {8}\S+Z {3}authentication,signing {3}for a test {4}system:bootstrappers:kubeadm:default-node-token\n$/,
    );
    expect(await kubeadmToken('delete', 'abcdef')).toBe('bootstrap token "abcdef" deleted\n');
    await expect(kubeadmToken('delete', 'abcdef')).rejects.toThrow(
      'failed to delete bootstrap token "abcdef": secrets "bootstrap-token-abcdef" not found',
    );
  });

  test('prints the join command of this cluster', async () => {
    const text = await kubeadmToken('create', '--print-join-command', '--ttl', '0');
    const address = server.url.replace('https://', '');
    expect(text).toMatch(
      new RegExp(
        `^kubeadm join ${address} --token [a-z0-9]{6}\\.[a-z0-9]{16} --discovery-token-ca-cert-hash ${publicKeyHash(server.ca.cert)}\\n$`,
      ),
    );
  });

  test.each<[readonly string[], string]>([
    [['create', 'x'], 'the bootstrap token "x" was not of the form "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"'],
    [['create', '--usages', 'signing,eating'], 'invalid usages: eating, valid usages: authentication,signing'],
    [['create', '--groups', 'masters'], 'invalid groups: bootstrap group "masters" is invalid'],
    [['delete', 'nonsense'], 'given token "nonsense" didn\'t match pattern'],
    [['delete'], "'token delete' is missing token"],
  ])('%j is refused', async (words, message) => expect(kubeadmToken(...words)).rejects.toThrow(message));
});

describe('what init leaves in the cluster', () => {
  const config: InitConfiguration = {
    cluster: { ...defaultCluster, networking: { ...defaultCluster.networking, podSubnet: '10.244.0.0/16' } },
    local: { advertiseAddress: '127.0.0.1', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
  };
  let job: InitJob;

  beforeAll(async () => {
    const words = ['--token', 'abcdef.0123456789abcdef', '--upload-certs', '--skip-certificate-key-print'];
    const flags = parseFlags('kubeadm init', initFlags, words).values;
    const folders = foldersAt(defaultCluster.certificatesDir, folder);
    const own = { ...config, local: { ...config.local, bindPort: server.port } };
    await createAllCertificates({ config: own, folder: folders.certificates, host });
    writeFileSync(join(folders.certificates, 'ca.crt'), server.ca.cert);
    writeFileSync(join(folders.certificates, 'ca.key'), server.ca.key);
    const tokens = tokensFrom(flags, {}, systemClock.nowMs());
    job = {
      config: own,
      document: {},
      flags,
      folders,
      shown: foldersAt(defaultCluster.certificatesDir),
      host,
      facts: goodHost(),
      isDryRun: false,
      tokens,
      certificateKey: 'ab'.repeat(32),
      patches: noPatches,
      timeouts: defaultTimeouts,
      client: () => client,
    };
    await runPhases([uploadConfig, uploadCerts, bootstrapToken], job, []);
  });

  test('a ConfigMap that says what the cluster was made with', async () => {
    const { data } = await client.get(configMap, { namespace: 'kube-system', name: 'kubeadm-config' }, signal);
    expect(data?.['ClusterConfiguration']).toContain('podSubnet: 10.244.0.0/16');
  });

  test('the certificates, for who has the key, as long as their token lives', async () => {
    const target = join(folder, 'copied');
    await downloadCertificates({ client, host, folder: target, cluster: config.cluster, key: 'ab'.repeat(32) });
    const [from, to] = [sharedFiles(config.cluster, job.folders.certificates), sharedFiles(config.cluster, target)];
    for (const [name, path] of Object.entries(from)) expect(readFileSync(to[name] ?? '', 'utf8')).toBe(readFileSync(path, 'utf8'));
    const wrong = downloadCertificates({ client, host, folder: target, cluster: config.cluster, key: 'cd'.repeat(32) });
    await expect(wrong).rejects.toThrow('message authentication failed');
    const { metadata } = await client.get(secret, { namespace: 'kube-system', name: 'kubeadm-certs' }, signal);
    expect(metadata.ownerReferences).toMatchObject([
      { kind: 'Secret', controller: true, name: expect.stringMatching(/^bootstrap-token-/) as string },
    ]);
  });

  test('cluster-info, by which a host finds and trusts the cluster', async () => {
    const [id, tokenSecret] = ['abcdef', '0123456789abcdef'];
    const key = { namespace: 'kube-public', name: 'cluster-info' };
    const { data } = await client.get(configMap, key, signal);
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
    const payload = Buffer.from(data?.['kubeconfig'] ?? '').toString('base64url');
    const jws = `${header}..${createHmac('sha256', tokenSecret).update(`${header}.${payload}`).digest('base64url')}`;
    await client.patch(configMap, key, { data: { [`jws-kubeconfig-${id}`]: jws } }, { type: 'merge' }, signal);

    const endpoint = server.url.replace('https://', '');
    const wanted = { endpoint, token: `${id}.${tokenSecret}`, caHashes: [publicKeyHash(server.ca.cert)] };
    expect(await discover(wanted, host, 60_000)).toEqual({ server: server.url, ca: server.ca.cert, credentials: { kind: 'none' } });
    const shouted = wanted.caHashes.map((hash) => hash.replace(/[0-9a-f]{64}$/, (digits) => digits.toUpperCase()));
    expect(await discover({ ...wanted, caHashes: shouted }, host, 60_000)).toMatchObject({ ca: server.ca.cert });
    await expect(discover({ ...wanted, caHashes: [`sha256:${'0'.repeat(64)}`] }, host, 60_000)).rejects.toThrow('are pinned');
    await expect(discover({ ...wanted, token: `${id}.0000000000000000` }, host, 60_000)).rejects.toThrow('failed to verify JWS signature');
  });
});
