// Requests for an authority elsewhere: a key and a PKCS#10 request for every certificate, and kubeconfigs that hold the key and wait for
// the certificate.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { type CertificateRequest, createPrivateKeyPem, createSigningRequest } from '#base/pki.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import type { InitConfiguration } from '../config/cluster.ts';
import { allKubeconfigs, kubeconfigOf } from '../kubeconfig/kubeconfigs.ts';
import { certificates, localEtcd } from './certificates.ts';
import { certPath, keyPath, readCertificate } from './key-files.ts';
import type { Folders } from './renewable.ts';

/** Nothing that is there is touched: a request that exists already is refused with its path. */
export async function generateRequests(config: InitConfiguration, { certFolder, kubeconfigFolder }: Folders): Promise<void> {
  const wanted = certificates.filter(({ ca }) => ca !== 'etcd-ca' || localEtcd(config) !== undefined);
  const requests = [
    ...wanted.map(({ baseName }) => join(certFolder, `${baseName}.csr`)),
    ...allKubeconfigs.map(({ file }) => join(kubeconfigFolder, `${file}.csr`)),
  ];
  const known = requests.find((path) => existsSync(path));
  if (known !== undefined) throw new UsageError(`certificate request ${JSON.stringify(known)} already exists`, { exitCode: 1 });
  for (const { baseName, request } of wanted) {
    const path = keyPath(certFolder, baseName);
    if (existsSync(path)) throw new UsageError(`key ${JSON.stringify(path)} already exists`, { exitCode: 1 });
    writeFileAtomically(path, await writeRequest(join(certFolder, `${baseName}.csr`), request(config)));
  }
  const ca = existsSync(certPath(certFolder, 'ca')) ? readCertificate(certFolder, 'ca') : '';
  const { clusterName } = config.cluster;
  for (const spec of allKubeconfigs) {
    const path = join(kubeconfigFolder, spec.file);
    if (existsSync(path)) throw new UsageError(`kubeconfig ${JSON.stringify(path)} already exists`, { exitCode: 1 });
    const [user, server] = [spec.user(config), spec.server(config)];
    const key = await writeRequest(`${path}.csr`, { commonName: user, organizations: spec.organizations, usages: ['client'] });
    writeFileAtomically(path, kubeconfigOf({ clusterName, user, server, ca, pair: { cert: '', key } }));
  }
}

/** Answers the new key. */
async function writeRequest(path: string, request: CertificateRequest): Promise<string> {
  const key = await createPrivateKeyPem();
  writeFileAtomically(path, await createSigningRequest(request, key), 0o644);
  return key;
}
