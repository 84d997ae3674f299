// The certificates, keys and kubeconfigs of a local cluster. What exists is kept: a cluster's CA never changes under its objects.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Clock } from '#base/clock.ts';
import { firstAddress } from '#base/host-network.ts';
import { type CertificateRequest, createCa, createServiceAccountKeys, type KeyPair, signCertificate } from '#base/pki.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import type { ClusterConfig, Layout } from './layout.ts';

/** Users of the cluster's own parts, as upstream names them; each has a kubeconfig with a client certificate. */
export const users: Readonly<
  Record<string, { readonly commonName: (config: ClusterConfig) => string; readonly organizations: readonly string[] }>
> = {
  admin: { commonName: () => 'kubernetes-admin', organizations: ['system:masters'] },
  scheduler: { commonName: () => 'system:kube-scheduler', organizations: [] },
  'controller-manager': { commonName: () => 'system:kube-controller-manager', organizations: [] },
  kubelet: { commonName: ({ nodeName }) => `system:node:${nodeName}`, organizations: ['system:nodes'] },
  'kube-proxy': { commonName: () => 'system:kube-proxy', organizations: [] },
  dns: { commonName: () => 'system:kube-dns', organizations: [] },
};

const renewBeforeMs = 30 * 86_400_000;

/**
 * Makes what is missing or cannot be used: torn by a crash, made for another address or by another CA, or about to end: certificates that
 * end within 30 days are made anew.
 */
export async function ensureIdentity(layout: Layout, config: ClusterConfig, clock: Clock): Promise<void> {
  const nowMs = clock.nowMs();
  const ca = await keep(layout, 'ca', () => createCa('kubernetes', nowMs), { nowMs });
  const requests: Record<string, CertificateRequest> = {
    apiserver: serverRequest(config),
    'apiserver-kubelet-client': {
      commonName: 'kube-apiserver-kubelet-client',
      organizations: ['kubeadm:cluster-admins'],
      usages: ['client'],
    },
    'kube-scheduler': ownPorts('kube-scheduler', config),
    'kube-controller-manager': ownPorts('kube-controller-manager', config),
    kubelet: {
      commonName: `system:node:${config.nodeName}`,
      organizations: ['system:nodes'],
      dnsNames: [config.nodeName],
      ips: [config.nodeIp],
      usages: ['server'],
    },
  };
  const served = Object.entries(requests).map(([name, request]) =>
    keep(layout, name, () => signCertificate(ca, request, nowMs), { nowMs, ca, mark: stamp(request) }),
  );
  await Promise.all([...served, ...Object.keys(users).map((user) => keepKubeconfig(layout, config, user, { nowMs, ca }))]);
  if (!existsSync(layout.pki('sa.key'))) {
    const keys = createServiceAccountKeys();
    writeFileAtomically(layout.pki('sa.pub'), keys.publicKey);
    writeFileAtomically(layout.pki('sa.key'), keys.privateKey);
  }
}

async function keepKubeconfig(
  layout: Layout,
  config: ClusterConfig,
  user: string,
  { nowMs, ca }: { readonly nowMs: number; readonly ca: KeyPair },
): Promise<void> {
  const [path, about] = [layout.kubeconfig(user), users[user]];
  const mark = `# ${stamp({ ca: ca.cert, server: serverUrl(config) })}`;
  if (about === undefined) return;
  if (existsSync(path) && readFileSync(path, 'utf8').startsWith(mark) && hasGoodCertificate(path, ca, nowMs)) return;
  const { commonName, organizations } = about;
  const pair = await signCertificate(ca, { commonName: commonName(config), organizations, usages: ['client'] }, nowMs);
  writeFileAtomically(
    path,
    `${mark}\n${kubeconfigText({ name: config.name, server: serverUrl(config), ca: ca.cert, credentials: { kind: 'certificate', ...pair } })}`,
  );
}

/** The address that this host's components and users dial. */
export function serverUrl(config: ClusterConfig): string {
  return `https://127.0.0.1:${config.port}`;
}

function serverRequest(config: ClusterConfig): CertificateRequest {
  const extra = config.extraSans ?? [];
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${config.clusterDomain}`];
  return {
    commonName: 'kube-apiserver',
    dnsNames: [
      ...new Set([...service, 'localhost', config.nodeName, hostname().toLowerCase(), ...extra.filter((name) => isIP(name) === 0)]),
    ],
    ips: [...new Set([firstAddress(config.serviceCidr), '127.0.0.1', config.nodeIp, ...extra.filter((name) => isIP(name) !== 0)])],
    usages: ['server'],
  };
}

/** For the health and metrics ports of a component on this host. */
function ownPorts(commonName: string, { nodeName, nodeIp }: ClusterConfig): CertificateRequest {
  return { commonName, dnsNames: ['localhost', nodeName], ips: ['127.0.0.1', nodeIp], usages: ['server'] };
}

interface Keeping {
  readonly nowMs: number;
  /** Who must have signed it; undefined for the CA itself. */
  readonly ca?: KeyPair;
  /** What it is made for: another mark makes it anew. */
  readonly mark?: string;
}

/** Reads `pki/<name>.{crt,key}`, or makes and writes it. */
async function keep(layout: Layout, name: string, make: () => Promise<KeyPair>, { nowMs, ca, mark = '' }: Keeping): Promise<KeyPair> {
  const [certPath, keyPath, markPath] = [layout.pki(`${name}.crt`), layout.pki(`${name}.key`), layout.pki(`.${name}.for`)];
  const isSame = mark === '' || (existsSync(markPath) && readFileSync(markPath, 'utf8') === mark);
  if (isSame && existsSync(certPath) && existsSync(keyPath)) {
    const kept = { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
    if (isGood(kept, ca ?? kept, nowMs)) return kept;
  }
  const pair = await make();
  writeFileAtomically(keyPath, pair.key);
  writeFileAtomically(certPath, pair.cert, 0o644);
  if (mark !== '') writeFileAtomically(markPath, mark);
  return pair;
}

/** True for a certificate that belongs to its key, comes from the CA, and does not end soon. */
function isGood({ cert, key }: KeyPair, ca: KeyPair, nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(cert);
    const isOurs = certificate.checkPrivateKey(createPrivateKey(key)) && certificate.verify(new X509Certificate(ca.cert).publicKey);
    return isOurs && Date.parse(certificate.validTo) - nowMs > renewBeforeMs;
  } catch {
    return false; // Unreadable: made anew.
  }
}

function hasGoodCertificate(kubeconfig: string, ca: KeyPair, nowMs: number): boolean {
  try {
    const { credentials } = findEndpoint({ path: kubeconfig, env: {} });
    return credentials.kind === 'certificate' && isGood(credentials, ca, nowMs);
  } catch {
    return false; // Unreadable: made anew.
  }
}

function stamp(value: object): string {
  return JSON.stringify(value).replaceAll('\\n', '');
}
