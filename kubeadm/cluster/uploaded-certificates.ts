// The authorities of a cluster as a Secret, encrypted, for control planes that join. The Secret belongs to a token that ends after two
// hours, and goes with it.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { secret, type Secret } from '#api/core/secret.ts';
import { hasReason } from '#api/meta/status.ts';
import { UsageError } from '#base/lifecycle.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import type { Client } from '#client/client.ts';
import type { ClusterConfiguration } from '../config/cluster.ts';
import type { Surroundings } from '../surroundings.ts';
import { generateToken, parseToken } from '../token/bootstrap-token.ts';
import { storeToken } from '../token/store.ts';
import { patiently, put } from './put.ts';
import { bootstrappers, grantInNamespace, mayRead } from './rights.ts';

const certificatesSecret = { name: 'kubeadm-certs', namespace: 'kube-system' };
const ttlMs = 2 * 3_600_000;
const nonceBytes = 12;
const tagBytes = 16;

export interface CertificatesPlace {
  readonly client: Client;
  readonly host: Surroundings;
  readonly folder: string;
  readonly cluster: ClusterConfiguration;
  /** AES-256, in hex. */
  readonly key: string;
}

/** Files that every control plane has alike, by their name in the Secret. */
export function sharedFiles(cluster: ClusterConfiguration, folder: string): Readonly<Record<string, string>> {
  const own = ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'sa.pub', 'sa.key'];
  const etcd =
    'local' in cluster.etcd
      ? { 'etcd-ca.crt': join(folder, 'etcd/ca.crt'), 'etcd-ca.key': join(folder, 'etcd/ca.key') }
      : {
          'external-etcd-ca.crt': cluster.etcd.external.caFile,
          'external-etcd.crt': cluster.etcd.external.certFile,
          'external-etcd.key': cluster.etcd.external.keyFile,
        };
  return { ...Object.fromEntries(own.map((name) => [name, join(folder, name)])), ...etcd };
}

/** Encrypts and uploads what is there; an external authority's key, say, is not. */
export async function uploadCertificates({ client, host, folder, cluster, key }: CertificatesPlace): Promise<void> {
  const secretKey = keyBytes(key);
  const owner = await storeToken(client, proxyToken(host), host);
  const data = Object.fromEntries(
    Object.entries(sharedFiles(cluster, folder)).map(([name, path]) => [
      name,
      path !== '' && existsSync(path) ? encrypt(readFileSync(path), secretKey).toString('base64') : '',
    ]),
  );
  const { name = '', uid = '' } = owner.metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Secret', name, uid, controller: true, blockOwnerDeletion: true }];
  await put(client, secret, { metadata: { ...certificatesSecret, ownerReferences }, data }, host);
  const grant = { client, host };
  await grantInNamespace(grant, 'kube-system', 'kubeadm:kubeadm-certs', [mayRead('secrets', certificatesSecret.name)], {
    groups: [bootstrappers],
  });
}

/** Fetches and decrypts the files; what the uploader had not is left out. */
export async function downloadCertificates(place: CertificatesPlace): Promise<void> {
  for (const { name, path, text } of await openCertificates(place)) writeFileAtomically(path, text, name.endsWith('.key') ? 0o600 : 0o644);
}

interface SharedFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** The same without a trace on disk. Throws a UsageError where the key does not open them. */
export async function openCertificates({ client, host, folder, cluster, key }: CertificatesPlace): Promise<readonly SharedFile[]> {
  const found = await fetchSecret(client, host);
  const secretKey = keyBytes(key);
  return Object.entries(sharedFiles(cluster, folder)).flatMap(([name, path]) => {
    const encrypted = found.data?.[name];
    if (encrypted === undefined) {
      throw new UsageError(`the Secret does not include the required certificate or key - name: ${name}, path: ${path}`, { exitCode: 1 });
    }
    if (encrypted === '') return [];
    return [{ name, path, text: decrypt(Buffer.from(encrypted, 'base64'), secretKey).toString('utf8') }];
  });
}

/** Nonce, text and tag in a row, as upstream's Go code has them. */
export function encrypt(text: Uint8Array, key: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** Throws a UsageError where the key is not the one it was encrypted with. */
export function decrypt(encrypted: Uint8Array, key: Uint8Array): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, encrypted.subarray(0, nonceBytes));
    decipher.setAuthTag(encrypted.subarray(encrypted.length - tagBytes));
    return Buffer.concat([decipher.update(encrypted.subarray(nonceBytes, encrypted.length - tagBytes)), decipher.final()]);
  } catch (error) {
    throw new UsageError('error decoding secret data with provided key: cipher: message authentication failed', {
      exitCode: 1,
      cause: error,
    });
  }
}

/** Throws a UsageError for what is no AES-256 key in hex. */
export function keyBytes(key: string): Buffer {
  if (/^[0-9a-f]{64}$/i.test(key)) return Buffer.from(key, 'hex');
  throw new UsageError(`error decoding certificate key: it must be 64 hexadecimal digits, not ${key.length} characters like these`);
}

async function fetchSecret(client: Client, host: Surroundings): Promise<Secret> {
  try {
    return await patiently(host, () => client.get(secret, certificatesSecret, host.signal));
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    throw new UsageError(
      'error downloading the secret: Secret "kubeadm-certs" was not found in the "kube-system" Namespace. This Secret might have expired. Please, run `kubeadm init phase upload-certs --upload-certs` on a control plane to generate a new one',
      { exitCode: 1, cause: error },
    );
  }
}

function proxyToken({ clock }: Surroundings): Parameters<typeof storeToken>[1] {
  const description = 'Proxy for managing TTL for the kubeadm-certs secret';
  return { ...parseToken(generateToken()), description, expiresMs: clock.nowMs() + ttlMs, usages: [], groups: [] };
}
