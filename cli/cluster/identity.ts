// The certificates, keys and kubeconfigs of a local cluster. What exists is kept: a cluster's CA never changes under its objects.
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Clock } from '#base/clock.ts';
import { type CertificateRequest, createCa, createServiceAccountKeys, type KeyPair, signCertificate } from '#base/pki.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { type ClusterConfig, type Layout, writeFileAtomically } from './layout.ts';
import { firstAddress } from './network.ts';

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

/** Makes what is missing. Certificates that end within 30 days are made anew. */
export async function ensureIdentity(layout: Layout, config: ClusterConfig, clock: Clock): Promise<void> {
  const ca = await keep(layout, 'ca', () => createCa('kubernetes', clock.nowMs()));
  const server = serverRequest(config);
  const requests: Record<string, CertificateRequest> = {
    apiserver: server,
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
  for (const [name, request] of Object.entries(requests))
    await keep(layout, name, () => signCertificate(ca, request, clock.nowMs()), stamp(request));
  if (!existsSync(layout.pki('sa.key'))) {
    const keys = createServiceAccountKeys();
    writeFileAtomically(layout.pki('sa.pub'), keys.publicKey);
    writeFileAtomically(layout.pki('sa.key'), keys.privateKey);
  }
  for (const [user, { commonName, organizations }] of Object.entries(users)) {
    const path = layout.kubeconfig(user);
    const mark = `# ${stamp({ ca: ca.cert, server: serverUrl(config) })}`;
    if (existsSync(path) && readFileSync(path, 'utf8').startsWith(mark)) continue;
    const pair = await signCertificate(ca, { commonName: commonName(config), organizations, usages: ['client'] }, clock.nowMs());
    writeFileAtomically(path, `${mark}\n${kubeconfigText({ name: config.name, server: serverUrl(config), ca: ca.cert, ...pair })}`);
  }
}

/** The address that this host's components and users dial. */
export function serverUrl(config: ClusterConfig): string {
  return `https://127.0.0.1:${config.port}`;
}

function serverRequest(config: ClusterConfig): CertificateRequest {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${config.clusterDomain}`];
  return {
    commonName: 'kube-apiserver',
    dnsNames: [...new Set([...service, 'localhost', config.nodeName, hostname().toLowerCase()])],
    ips: [...new Set([firstAddress(config.serviceCidr), '127.0.0.1', config.nodeIp])],
    usages: ['server'],
  };
}

/** For the health and metrics ports of a component on this host. */
function ownPorts(commonName: string, { nodeName, nodeIp }: ClusterConfig): CertificateRequest {
  return { commonName, dnsNames: ['localhost', nodeName], ips: ['127.0.0.1', nodeIp], usages: ['server'] };
}

/** Reads `pki/<name>.{crt,key}`, or makes and writes it; `mark` names what it was made for, and another mark makes it anew. */
async function keep(layout: Layout, name: string, make: () => Promise<KeyPair>, mark = ''): Promise<KeyPair> {
  const [certPath, keyPath, markPath] = [layout.pki(`${name}.crt`), layout.pki(`${name}.key`), layout.pki(`.${name}.for`)];
  const isSame = mark === '' || (existsSync(markPath) && readFileSync(markPath, 'utf8') === mark);
  if (isSame && existsSync(certPath) && existsSync(keyPath))
    return { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
  const pair = await make();
  writeFileAtomically(keyPath, pair.key);
  writeFileAtomically(certPath, pair.cert, 0o644);
  if (mark !== '') writeFileAtomically(markPath, mark);
  return pair;
}

function stamp(value: object): string {
  return JSON.stringify(value).replaceAll('\\n', '');
}
