// What joining hosts fetch from an API server: whom to trust by a file, and certificates that a dry run leaves nowhere.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { configMap } from '#api/core/config-map.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { parseFlags } from '#base/flags.ts';
import { createCa } from '#base/pki.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { createAllCertificates } from '../certs/create.ts';
import { put } from '../cluster/put.ts';
import { grantInNamespace, mayRead } from '../cluster/rights.ts';
import { sharedFiles, uploadCertificates } from '../cluster/uploaded-certificates.ts';
import { type ClusterConfiguration, defaultCluster } from '../config/cluster.ts';
import { clusterText } from '../config/document.ts';
import { foldersAt } from '../folders.ts';
import { clusterInfoText } from '../init/cluster-info.ts';
import { noPatches } from '../manifests/patches.ts';
import { runPhases } from '../phase.ts';
import { goodHost, recordedHost } from '../testing.ts';
import { discoverByFile, problemOfPlace } from './file-discovery.ts';
import { joinFlags, loadJoin } from './flags.ts';
import { JoinJob } from './join-job.ts';
import { joinPhases } from './phases.ts';

let server: TestApiServer;
let client: RestClient;
let folder: string;
const anonymous = { kind: 'none' } as const;

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  folder = mkdtempSync(join(tmpdir(), 'kubeadm-joining-'));
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('discovery by a file', () => {
  const publish = async (text: string): Promise<void> =>
    await put(
      client,
      configMap,
      { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig: text } },
      recordedHost(),
    );
  const find = (name: string, text: string, host = recordedHost()): ReturnType<typeof discoverByFile> =>
    discoverByFile(write(name, text), host, -1);

  test('a cluster that shows cluster-info to nobody is trusted for its certificate', async () => {
    const host = recordedHost();
    expect(await find('info.conf', clusterInfoText(server.url, server.ca.cert), host)).toEqual({
      server: server.url,
      ca: server.ca.cert,
      credentials: anonymous,
    });
    expect(host.warned.join('')).toContain('the TLS cert is valid so proceeding');
  });

  test('cluster-info itself will do, and who is named in the file comes with it', async () => {
    const grant = { client, host: recordedHost() };
    await grantInNamespace(grant, 'kube-public', 'info', [mayRead('configmaps', 'cluster-info')], { users: ['system:anonymous'] });
    await publish(clusterInfoText(server.url, server.ca.cert));
    const host = recordedHost();
    const trusted = { server: server.url, ca: server.ca.cert };
    expect(await find('info.conf', clusterInfoText(server.url, server.ca.cert), host)).toEqual({ ...trusted, credentials: anonymous });
    expect(host.warned).toEqual([]);

    const { credentials } = server.adminClientConfig;
    expect(await find('admin.conf', kubeconfigText({ name: 'a', ...trusted, credentials }))).toEqual({ ...trusted, credentials });
    const tokenFile = write('token', 'abc\n');
    const byFile = { ...trusted, name: 'a', credentials: { kind: 'token-file', tokenFile } as const };
    await expect(find('file.conf', kubeconfigText(byFile))).rejects.toThrow('Abort reading the cluster-info ConfigMap');
  });

  test('a file without an authority gets the one that the cluster publishes', async () => {
    const clusters = [{ name: 'c', cluster: { server: server.url, 'insecure-skip-tls-verify': true } }];
    const text = stringify({ clusters, contexts: [{ name: 'x', context: { cluster: 'c' } }], 'current-context': 'x' });
    expect((await find('no-ca.conf', text)).ca).toBe(server.ca.cert);
  });

  test('another address than the published one is said', async () => {
    await publish(clusterInfoText('https://lb:16443', server.ca.cert));
    const host = recordedHost();
    expect((await find('info.conf', clusterInfoText(server.url, server.ca.cert), host)).server).toBe(server.url);
    expect(host.warned.join('')).toContain('is different from the endpoint "https://lb:16443"');
  });

  test('a server of another authority is not trusted', async () => {
    const other = await createCa('other', Date.now());
    await expect(find('wrong.conf', clusterInfoText(server.url, other.cert))).rejects.toThrow('Abort reading the cluster-info ConfigMap');
  });

  test.each<[string, string]>([
    ['clusters: []\n', 'the provided kubeconfig file must have at least one Cluster defined'],
    ['a: [', 'cannot be read'],
  ])('%j is refused', async (text, message) => expect(find('bad.conf', text)).rejects.toThrow(message));

  test.each<[string, string | undefined]>([
    ['/there', undefined],
    ['https://lb/info.conf', undefined],
    ['/absent', 'not a valid HTTPS URL or a file on disk'],
    ['http://lb/info.conf', 'if a URL is used, the scheme must be https'],
    ['https://', 'not a valid HTTPS URL or a file on disk'],
  ])('%s', (place, problem) => expect(problemOfPlace(place, (path) => path === '/there')).toBe(problem));
});

describe('a control plane that tries to join', () => {
  const key = 'ab'.repeat(32);
  let cluster: ClusterConfiguration;
  let secrets: readonly string[];

  beforeAll(async () => {
    const etcd = {
      external: {
        endpoints: ['https://e:2379'],
        caFile: join(folder, 'e/ca.crt'),
        certFile: join(folder, 'e/c.crt'),
        keyFile: join(folder, 'e/c.key'),
      },
    };
    cluster = { ...defaultCluster, controlPlaneEndpoint: server.url.replace('https://', ''), etcd };
    mkdirSync(join(folder, 'e'));
    for (const path of [etcd.external.caFile, etcd.external.certFile, etcd.external.keyFile]) writeFileSync(path, `${path}: of etcd`);
    const local = { advertiseAddress: '127.0.0.1', bindPort: 6443, node: { name: 'cp1', criSocket: '' } };
    const [host, pki] = [recordedHost(), join(folder, 'pki')];
    await createAllCertificates({ config: { cluster, local }, folder: pki, host });
    await uploadCertificates({ client, host, folder: pki, cluster, key });
    await put(
      client,
      configMap,
      { metadata: { name: 'kubeadm-config', namespace: 'kube-system' }, data: { ClusterConfiguration: clusterText(cluster) } },
      host,
    );
    const paths = Object.entries(sharedFiles(cluster, pki)).filter(([name]) => name.endsWith('.key'));
    secrets = paths.map(([, path]) => readFileSync(path, 'utf8'));
    // Hosts have it only when they have joined.
    rmSync(join(folder, 'e'), { recursive: true });
  });

  async function tryJoin(certificateKey: string, base: string): Promise<void> {
    const { credentials } = server.adminClientConfig;
    const file = write('join.conf', kubeconfigText({ name: 'a', server: server.url, ca: server.ca.cert, credentials }));
    const words = ['--discovery-file', file, '--control-plane', '--certificate-key', certificateKey, '--dry-run'];
    const { values, given, positional } = parseFlags('kubeadm join', joinFlags, [...words, '--apiserver-advertise-address', '127.0.0.1']);
    await using job = new JoinJob({
      config: loadJoin(values, given, positional),
      folders: foldersAt(defaultCluster.certificatesDir, base),
      shown: foldersAt(defaultCluster.certificatesDir),
      patches: noPatches,
      host: recordedHost(),
      facts: goodHost(),
    });
    await runPhases(
      joinPhases.filter(({ name }) => name === 'control-plane-prepare'),
      job,
      [],
    );
  }

  test('makes its files with keys of nobody, and writes no key of the cluster', async () => {
    const base = join(folder, 'dry');
    await tryJoin(key, base);
    const files = readdirSync(base, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = files.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ca.key', 'sa.key', 'admin.conf', 'kube-apiserver.yaml']));
    const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
    expect(secrets.length).toBe(4);
    for (const text of texts) expect(secrets.some((secret) => text.includes(secret))).toBe(false);
    expect(readdirSync(folder)).not.toContain('e');
  });

  test('is told that its key is wrong', async () => {
    await expect(tryJoin('cd'.repeat(32), join(folder, 'dry2'))).rejects.toThrow('message authentication failed');
  });
});
