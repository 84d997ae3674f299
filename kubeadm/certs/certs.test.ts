import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCa, requestOf } from '#base/pki.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { runCommand } from '../command.ts';
import { defaultCluster, type InitConfiguration } from '../config/cluster.ts';
import { clusterText } from '../config/document.ts';
import { kubeconfigCommand } from '../kubeconfig/commands.ts';
import { allKubeconfigs, createKubeconfig, kubeconfigs } from '../kubeconfig/kubeconfigs.ts';
import { recordedHost } from '../testing.ts';
import { certsCommand } from './commands.ts';
import { createAllCertificates } from './create.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeadm-certs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config: InitConfiguration = {
  cluster: { ...defaultCluster, controlPlaneEndpoint: 'lb.example:16443', apiServer: { certSANs: ['10.9.9.9', 'api.example'] } },
  local: { advertiseAddress: '192.168.1.5', bindPort: 6443, node: { name: 'cp1', criSocket: '' } },
};
const pem = (name: string): string => readFileSync(join(folder, 'pki', `${name}.crt`), 'utf8');
const create = (host = recordedHost(), made = config): Promise<void> =>
  createAllCertificates({ config: made, folder: join(folder, 'pki'), host });

async function makeAll(): Promise<void> {
  await create();
  for (const spec of allKubeconfigs)
    await createKubeconfig(spec, { config, certFolder: join(folder, 'pki'), folder, host: recordedHost() });
}

describe('createAllCertificates', () => {
  test('lays out /etc/kubernetes/pki with the subjects, names and usages of upstream', async () => {
    await create();
    expect(requestOf(pem('apiserver'))).toMatchObject({
      commonName: 'kube-apiserver',
      dnsNames: [
        'cp1',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        'lb.example',
        'api.example',
      ],
      ips: ['10.96.0.1', '192.168.1.5', '10.9.9.9'],
      usages: ['server'],
    });
    expect(requestOf(pem('apiserver-kubelet-client'))).toMatchObject({
      commonName: 'kube-apiserver-kubelet-client',
      organizations: ['kubeadm:cluster-admins'],
      usages: ['client'],
    });
    expect(requestOf(pem('etcd/server'))).toMatchObject({
      commonName: 'cp1',
      dnsNames: ['cp1', 'localhost'],
      usages: ['server', 'client'],
    });
    expect(requestOf(pem('etcd/server')).ips).toEqual(['192.168.1.5', '127.0.0.1', '::1']);
    const signers = { apiserver: 'ca', 'front-proxy-client': 'front-proxy-ca', 'etcd/peer': 'etcd/ca', 'apiserver-etcd-client': 'etcd/ca' };
    for (const [leaf, ca] of Object.entries(signers))
      expect(new X509Certificate(pem(leaf)).verify(new X509Certificate(pem(ca)).publicKey)).toBe(true);
    expect(statSync(join(folder, 'pki/ca.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'pki/sa.pub'), 'utf8')).toContain('BEGIN PUBLIC KEY');
  });

  test('keeps what is there, to the byte', async () => {
    await create();
    const before = [pem('ca'), pem('apiserver'), readFileSync(join(folder, 'pki/sa.key'), 'utf8')];
    const host = recordedHost();
    await create(host);
    expect([pem('ca'), pem('apiserver'), readFileSync(join(folder, 'pki/sa.key'), 'utf8')]).toEqual(before);
    expect(host.printed).toContain('[certs] Using existing apiserver certificate and key on disk\n');
  });

  test('refuses a certificate that another authority signed, and a key that belongs to another', async () => {
    await create();
    const other = await createCa('kubernetes', Date.now());
    writeFileSync(join(folder, 'pki/ca.crt'), other.cert);
    await expect(create()).rejects.toThrow(`the private key ${folder}/pki/ca.key does not belong to ${folder}/pki/ca.crt`);
    writeFileSync(join(folder, 'pki/ca.key'), other.key);
    await expect(create()).rejects.toThrow('certificate apiserver not signed by CA certificate ca');
  });

  test('names a file that cannot be read', async () => {
    await create();
    writeFileSync(join(folder, 'pki/apiserver.crt'), 'torn');
    await expect(create()).rejects.toThrow(`couldn't load the certificate file ${folder}/pki/apiserver.crt`);
  });

  test('leaves another’s etcd alone', async () => {
    const etcd = { external: { endpoints: ['https://10.0.0.1:2379'], caFile: '', certFile: '', keyFile: '' } };
    const host = recordedHost();
    await create(host, { ...config, cluster: { ...config.cluster, etcd } });
    expect(host.printed).toContain('[certs] External etcd mode: Skipping etcd/ca certificate authority generation\n');
    expect(() => pem('etcd/ca')).toThrow('ENOENT');
  });

  test('signs with authorities of other algorithms', async () => {
    await create(recordedHost(), { ...config, cluster: { ...config.cluster, encryptionAlgorithm: 'RSA-2048' } });
    const [leaf, ca] = [new X509Certificate(pem('apiserver')), new X509Certificate(pem('ca'))];
    expect([leaf.publicKey.asymmetricKeyType, ca.publicKey.asymmetricKeyType, leaf.verify(ca.publicKey)]).toEqual(['rsa', 'rsa', true]);
  });
});

describe('createKubeconfig', () => {
  test('refuses a file that leads to another cluster', async () => {
    await makeAll();
    const [admin] = kubeconfigs;
    if (admin === undefined) throw new Error('no kubeconfigs');
    const elsewhere = { ...config, cluster: { ...config.cluster, controlPlaneEndpoint: 'other:16443' } };
    const job = { config: elsewhere, certFolder: join(folder, 'pki'), folder, host: recordedHost() };
    await expect(createKubeconfig(admin, job)).rejects.toThrow(
      'exists already but has got the wrong API Server URL (https://lb.example:16443 instead of https://other:16443)',
    );
  });

  test('components talk to the API server of their own host, people to the whole cluster', async () => {
    await makeAll();
    expect(readFileSync(join(folder, 'admin.conf'), 'utf8')).toContain('server: https://lb.example:16443');
    expect(readFileSync(join(folder, 'scheduler.conf'), 'utf8')).toContain('server: https://192.168.1.5:6443');
    expect(readFileSync(join(folder, 'admin.conf'), 'utf8')).toContain('current-context: kubernetes-admin@kubernetes');
  });
});

describe('kubeadm certs', () => {
  const run = async (...words: readonly string[]): Promise<string> => {
    const rest = words[0] === 'generate-csr' ? [] : ['--kubeconfig', join(folder, 'none.conf')];
    const host = recordedHost();
    await runCommand(certsCommand, [...words, '--cert-dir', join(folder, 'pki'), '--kubeconfig-dir', folder, ...rest], host);
    return host.printed.join('');
  };

  test('check-expiration shows all, in upstream’s columns', async () => {
    await makeAll();
    rmSync(join(folder, 'pki/front-proxy-client.crt'));
    rmSync(join(folder, 'pki/etcd/ca.key'));
    const lines = (await run('check-expiration')).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/)[0]?.trim())).toEqual([
      'CERTIFICATE',
      'admin.conf',
      'apiserver',
      'apiserver-etcd-client',
      'apiserver-kubelet-client',
      'controller-manager.conf',
      'dns.conf',
      'etcd-healthcheck-client',
      'etcd-peer',
      'etcd-server',
      '!MISSING! front-proxy-client',
      'scheduler.conf',
      'super-admin.conf',
      '',
      'CERTIFICATE AUTHORITY',
      'ca',
      'etcd-ca',
      'front-proxy-ca',
      '',
    ]);
    expect(lines[2]).toMatch(/^apiserver {22}[A-Z][a-z]{2} \d{2}, \d{4} \d\d:\d\d UTC {3}364d {12}ca {22}no {6}$/);
    expect(lines[16]).toMatch(/9y {14}yes {5}$/);
  });

  test('certificates of somebody else’s etcd are not missed', async () => {
    const file = join(folder, 'k.yaml');
    const etcd = { external: { endpoints: ['https://10.0.0.1:2379'], caFile: '', certFile: '', keyFile: '' } };
    writeFileSync(file, clusterText({ ...defaultCluster, etcd }));
    const text = await run('check-expiration', '--config', file);
    expect(text).toContain('apiserver-kubelet-client');
    expect(text).not.toContain('etcd');
  });

  test('renew makes a certificate anew for the same subject, names and usages', async () => {
    await makeAll();
    const before = [pem('apiserver'), readFileSync(join(folder, 'admin.conf'), 'utf8'), readFileSync(join(folder, 'dns.conf'), 'utf8')];
    expect(await run('renew', 'all')).toContain('certificate for serving the Kubernetes API renewed\n');
    expect(pem('apiserver')).not.toBe(before[0]);
    expect(readFileSync(join(folder, 'admin.conf'), 'utf8')).not.toBe(before[1]);
    expect(readFileSync(join(folder, 'dns.conf'), 'utf8')).not.toBe(before[2]);
    expect(requestOf(pem('apiserver'))).toEqual(requestOf(before[0] ?? ''));
  });

  test('renew says what it cannot do', async () => {
    await makeAll();
    rmSync(join(folder, 'pki/ca.key'));
    expect(await run('renew', 'apiserver')).toBe("Detected external ca, certificate for serving the Kubernetes API can't be renewed\n");
    rmSync(join(folder, 'scheduler.conf'));
    expect(await run('renew', 'scheduler.conf')).toBe('MISSING! certificate embedded in the kubeconfig file for the scheduler to use\n');
  });

  test('renew goes on when the cluster cannot be asked, and says so', async () => {
    await makeAll();
    const [host, admin] = [recordedHost(), join(folder, 'admin.conf')];
    writeFileSync(admin, readFileSync(admin, 'utf8').replace('https://lb.example:16443', 'https://127.0.0.1:1'));
    const words = ['renew', 'apiserver', '--cert-dir', join(folder, 'pki'), '--kubeconfig', admin];
    await runCommand(certsCommand, words, host);
    expect(host.printed.slice(-3)).toEqual([
      "[renew] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.\n",
      '[renew] Error reading configuration from the Cluster. Falling back to default configuration\n\n',
      'certificate for serving the Kubernetes API renewed\n',
    ]);
  });

  test('generate-csr leaves keys and requests for an authority elsewhere', async () => {
    const file = join(folder, 'k.yaml');
    const local = 'localAPIEndpoint: {advertiseAddress: 192.168.1.5}\nnodeRegistration: {name: cp1}\n';
    writeFileSync(file, `${clusterText(config.cluster)}---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n${local}`);
    await run('generate-csr', '--config', file);
    // After base/pki.ts, which brings what the package needs.
    const { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } = await import('@peculiar/x509');
    const request = new Pkcs10CertificateRequest(readFileSync(join(folder, 'pki/apiserver.csr'), 'utf8'));
    expect(request.subject).toBe('CN=kube-apiserver');
    const names = request.extensions
      .filter((one) => one instanceof SubjectAlternativeNameExtension)
      .flatMap((one) => one.names.toJSON().map(({ value }) => value));
    expect(names).toEqual(
      expect.arrayContaining(['cp1', 'kubernetes.default.svc.cluster.local', 'lb.example', '10.96.0.1', '192.168.1.5']),
    );
    expect(readFileSync(join(folder, 'pki/etcd/peer.key'), 'utf8')).toContain('PRIVATE KEY');
    expect(new Pkcs10CertificateRequest(readFileSync(join(folder, 'admin.conf.csr'), 'utf8')).subject).toBe(
      'O=kubeadm:cluster-admins, CN=kubernetes-admin',
    );
    for (const file of ['scheduler.conf', 'dns.conf']) expect(readFileSync(join(folder, file), 'utf8')).toContain('client-key-data');
    expect(() => pem('apiserver')).toThrow('ENOENT');
    await expect(run('generate-csr', '--config', file)).rejects.toThrow(`certificate request "${folder}/pki/apiserver.csr" already exists`);
  });

  test('certificate-key is an AES-256 key in hex', async () => {
    const host = recordedHost();
    await runCommand(certsCommand, ['certificate-key'], host);
    expect(host.printed[0]).toMatch(/^[0-9a-f]{64}\n$/);
  });
});

describe('kubeadm kubeconfig user', () => {
  const user = async (...words: readonly string[]): Promise<string> => {
    const [host, file] = [recordedHost(), join(folder, 'k.yaml')];
    writeFileSync(file, clusterText({ ...config.cluster, certificatesDir: join(folder, 'pki') }));
    await runCommand(kubeconfigCommand, ['user', '--config', file, ...words], host);
    return host.printed.join('');
  };

  test('prints a kubeconfig with a certificate, or with a token', async () => {
    await create();
    const path = join(folder, 'ann.conf');
    writeFileSync(path, await user('--client-name', 'ann', '--org', 'dev,ops', '--validity-period', '24h'));
    const { server, credentials } = findEndpoint({ path, env: {} });
    expect(server).toBe('https://lb.example:16443');
    if (credentials.kind !== 'certificate') throw new Error(credentials.kind);
    expect(requestOf(credentials.cert)).toMatchObject({ commonName: 'ann', organizations: ['dev', 'ops'], usages: ['client'] });
    const { validFromDate, validToDate } = new X509Certificate(credentials.cert);
    expect(Math.round((validToDate.getTime() - validFromDate.getTime()) / 3_600_000)).toBe(24);
    expect(await user('--client-name', 'ann', '--token', 'abc')).toContain('token: abc');
    expect(await user('--client-name', 'ann', '--token', 'abc')).toContain('current-context: ann@kubernetes');
    await expect(user()).rejects.toThrow('required flag(s) "client-name" not set');
  });
});
