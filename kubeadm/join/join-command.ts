import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { UsageError } from '#base/lifecycle.ts';
import { certificatesIn } from '#base/pem.ts';
import { findEndpoint } from '#client/kubeconfig.ts';

interface JoinCommand {
  /** `HOST:PORT` of the whole cluster. */
  readonly endpoint: string;
  readonly token: string;
  /** `sha256:…` of each authority. */
  readonly caHashes: readonly string[];
  /** Present for a control plane. */
  readonly controlPlane?: { readonly certificateKey: string | undefined };
}

/** The command line that makes a host join, in upstream's layout. */
export function joinCommandText({ endpoint, token, caHashes, controlPlane }: JoinCommand): string {
  const hashes = caHashes.map((hash) => `--discovery-token-ca-cert-hash ${hash} `).join('');
  const tail =
    controlPlane === undefined
      ? ''
      : `\\\n\t--control-plane ${controlPlane.certificateKey === undefined ? '' : `--certificate-key ${controlPlane.certificateKey}`}`;
  return `kubeadm join ${endpoint} --token ${token} \\\n\t${hashes}${tail}`.trimEnd();
}

/** What a kubeconfig says of the cluster: how the join command starts. */
export function joinTargetOf(kubeconfigPath: string): Pick<JoinCommand, 'endpoint' | 'caHashes'> {
  const { server, ca } = findEndpoint({ path: kubeconfigPath, env: {} });
  if (ca === undefined) throw new UsageError(`the kubeconfig ${kubeconfigPath} names no certificate authority`, { exitCode: 1 });
  return { endpoint: server.replace(/^https:\/\//, ''), caHashes: certificatesIn(ca).map(publicKeyHash) };
}

/** `sha256:` and the hash of the certificate's public key (SubjectPublicKeyInfo, as RFC 7469), in hex. */
export function publicKeyHash(cert: string): string {
  const der = createPublicKey(new X509Certificate(cert).toString()).export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}
