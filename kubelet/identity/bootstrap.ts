// A node's way to its identity. `--kubeconfig` says who it is; where that file is missing, the bootstrap kubeconfig's token asks for a
// certificate, and the file is written once there is one. INVARIANT: the key is on disk before the request is sent, so that whoever is
// killed in between finds the same request again.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { connect } from '#client/rest.ts';
import { CertificateFile, validityOf } from './certificate-file.ts';
import { requestCertificate, SigningRefused } from './signing.ts';

export interface BootstrapOptions {
  readonly kubeconfig: string;
  /** '' where there is none. */
  readonly bootstrapKubeconfig: string;
  /** Of certificates: `/var/lib/kubelet/pki`. */
  readonly certFolder: string;
  readonly nodeName: string;
  readonly rotates: boolean;
}

interface BootstrapDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes sure that the kubeconfig is there and its certificate holds. Does nothing for a node that needs no help. */
export async function ensureIdentity(options: BootstrapOptions, { clock, log }: BootstrapDeps, signal: AbortSignal): Promise<void> {
  const { kubeconfig, bootstrapKubeconfig, certFolder, nodeName, rotates } = options;
  const file = new CertificateFile(certFolder);
  if (existsSync(kubeconfig) && (bootstrapKubeconfig === '' || isUsable(kubeconfig, clock.nowMs()))) {
    if (rotates) keepOwnCopy(kubeconfig, file, clock.nowMs());
    return;
  }
  if (bootstrapKubeconfig === '') return;
  if (!existsSync(bootstrapKubeconfig)) {
    throw new UsageError(`neither the kubeconfig ${kubeconfig} nor the bootstrap kubeconfig ${bootstrapKubeconfig} can be used`, {
      exitCode: 1,
    });
  }
  const endpoint = findEndpoint({ path: bootstrapKubeconfig, env: {} });
  await using client = connect(endpoint, { clock, component: 'kubelet' });
  const keyFile = join(certFolder, 'kubelet-client.key.tmp');
  const { createPrivateKeyPem } = await import('#base/pki.ts');
  if (!existsSync(keyFile)) writeFileAtomically(keyFile, await createPrivateKeyPem());
  const key = readFileSync(keyFile, 'utf8');
  log.info({ nodeName }, 'asking for a certificate');
  try {
    file.write({ cert: await requestCertificate({ nodeName, key }, { client, clock, log }, signal), key }, clock.nowMs());
  } catch (error) {
    if (error instanceof SigningRefused) rmSync(keyFile, { force: true });
    throw error;
  }
  const credentials = { kind: 'certificate-files', certFile: file.path, keyFile: file.path } as const;
  const names = { name: 'default-context', clusterName: 'default-cluster', userName: 'default-auth' };
  writeFileAtomically(kubeconfig, kubeconfigText({ ...names, server: endpoint.server, ca: endpoint.ca ?? '', credentials }));
  rmSync(keyFile, { force: true });
  log.info({ nodeName }, 'this node has its certificate');
}

/** A certificate that stands inside of the kubeconfig also goes into the file that rotation replaces. */
function keepOwnCopy(kubeconfig: string, file: CertificateFile, nowMs: number): void {
  const { credentials } = findEndpoint({ path: kubeconfig, env: {} });
  if (credentials.kind === 'certificate' && file.validity() === undefined) file.write(credentials, nowMs);
}

function isUsable(kubeconfig: string, nowMs: number): boolean {
  try {
    const { credentials } = findEndpoint({ path: kubeconfig, env: {} });
    if (credentials.kind === 'token' || credentials.kind === 'token-file') return true;
    const cert =
      credentials.kind === 'certificate'
        ? credentials.cert
        : credentials.kind === 'certificate-files'
          ? readFileSync(credentials.certFile, 'utf8')
          : '';
    return (validityOf(cert)?.notAfterMs ?? 0) > nowMs;
  } catch {
    return false; // Torn or half there: asked for anew.
  }
}
