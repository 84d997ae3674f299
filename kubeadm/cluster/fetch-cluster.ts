import { existsSync } from 'node:fs';
import { configMap } from '#api/core/config-map.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Client } from '#client/client.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect } from '#client/rest.ts';
import type { ClusterConfiguration } from '../config/cluster.ts';
import { clusterFrom, readDocuments } from '../config/document.ts';
import type { Surroundings } from '../surroundings.ts';

const limitMs = 10_000;

/** What upstream says whenever it reads the cluster's configuration. */
export function sayWhence(prefix: string, print: Surroundings['print']): void {
  print(`[${prefix}] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n`);
  print(`[${prefix}] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.\n`);
}

/** What the cluster was made with, by its ConfigMap kubeadm-config. `prefix` stands before what is printed. */
export async function fetchCluster(client: Client, prefix: string, { print, signal }: Surroundings): Promise<ClusterConfiguration> {
  sayWhence(prefix, print);
  const found = await client.get(configMap, { namespace: 'kube-system', name: 'kubeadm-config' }, signal);
  const path = 'ConfigMap kube-system/kubeadm-config';
  const document = readDocuments(found.data?.['ClusterConfiguration'] ?? '', path).get('ClusterConfiguration');
  if (document === undefined) throw new UsageError(`${path} holds no ClusterConfiguration`, { exitCode: 1 });
  return clusterFrom(document, path);
}

/**
 * The same where the cluster can be asked; undefined where it cannot, which is said: certificates must be renewable when nothing runs, and
 * just then.
 */
export async function fetchClusterIfThere(
  kubeconfig: string,
  prefix: string,
  host: Surroundings,
): Promise<ClusterConfiguration | undefined> {
  if (!existsSync(kubeconfig)) return undefined;
  using within = host.clock.deadline(host.signal, limitMs);
  try {
    await using client = connect(findEndpoint({ path: kubeconfig, env: {} }), { clock: host.clock, component: 'kubeadm' });
    const cluster = await fetchCluster(client, prefix, { ...host, signal: within.signal });
    host.print('\n');
    return cluster;
  } catch {
    host.signal.throwIfAborted();
    host.print(`[${prefix}] Error reading configuration from the Cluster. Falling back to default configuration\n\n`);
    return undefined;
  }
}
