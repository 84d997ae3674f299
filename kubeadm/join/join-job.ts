import { join } from 'node:path';
import { configMap } from '#api/core/config-map.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Client } from '#client/client.ts';
import type { Credentials } from '#client/endpoint.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { sayWhence } from '../cluster/fetch-cluster.ts';
import { patiently } from '../cluster/put.ts';
import type { ClusterConfiguration, InitConfiguration } from '../config/cluster.ts';
import { clusterFrom, readDocuments } from '../config/document.ts';
import type { Folders } from '../folders.ts';
import type { Patches } from '../manifests/patches.ts';
import type { HostFacts } from '../preflight/facts.ts';
import type { Surroundings } from '../surroundings.ts';
import { discover, type FoundCluster } from './discovery.ts';
import { discoverByFile } from './file-discovery.ts';
import type { JoinConfiguration } from './flags.ts';

interface JoinDeps {
  readonly config: JoinConfiguration;
  readonly folders: Folders;
  /** The paths in messages and manifests: those of a real run, also in a dry run. */
  readonly shown: Folders;
  readonly patches: Patches;
  readonly host: Surroundings;
  readonly facts: HostFacts;
}

/** What the steps of one `kubeadm join` share; what they learn of the cluster is fetched once. */
export class JoinJob implements AsyncDisposable {
  readonly config: JoinConfiguration;
  readonly folders: Folders;
  /** The paths in messages and manifests: those of a real run, also in a dry run. */
  readonly shown: Folders;
  readonly patches: Patches;
  readonly host: Surroundings;
  readonly facts: HostFacts;
  #found: FoundCluster | undefined;
  #cluster: ClusterConfiguration | undefined;
  #kubelet: string | undefined;
  #bootstrap: RestClient | undefined;
  #admin: RestClient | undefined;

  constructor({ config, folders, shown, patches, host, facts }: JoinDeps) {
    this.config = config;
    this.folders = folders;
    this.shown = shown;
    this.patches = patches;
    this.host = host;
    this.facts = facts;
  }

  /** Address and authority of the cluster, once trusted. */
  async found(): Promise<FoundCluster> {
    const { discovery } = this.config;
    this.#found ??=
      discovery.kind === 'token'
        ? await discover(discovery, this.host, this.config.timeouts.discovery)
        : await discoverByFile(discovery.path, this.host, this.config.timeouts.discovery);
    return this.#found;
  }

  /** As whom this host comes before it is a node: by the bootstrap token, else by what the discovery file says. */
  async bootstrapCredentials(): Promise<Credentials> {
    const { tlsBootstrapToken: token } = this.config;
    if (token !== '') return { kind: 'token', token };
    const { credentials } = await this.found();
    if (credentials.kind !== 'none') return credentials;
    throw new UsageError(
      "couldn't find authentication credentials for the TLS bootstrap process. Please use Token discovery, a discovery file with embedded authentication credentials or a discovery file without authentication credentials but with the TLSBootstrapToken flag",
      { exitCode: 1 },
    );
  }

  /** A client with the rights that this host has before it is a node. */
  async bootstrapClient(): Promise<Client> {
    const { server, ca } = await this.found();
    const credentials = await this.bootstrapCredentials();
    this.#bootstrap ??= connect({ server, ca, credentials }, { clock: this.host.clock, component: 'kubeadm' });
    return this.#bootstrap;
  }

  /** The administrator, by the kubeconfig that this host made as a control plane. */
  adminClient(): Client {
    const path = join(this.folders.kubernetes, 'admin.conf');
    this.#admin ??= connect(findEndpoint({ path, env: {} }), { clock: this.host.clock, component: 'kubeadm' });
    return this.#admin;
  }

  /** What the cluster was made with. */
  async cluster(): Promise<ClusterConfiguration> {
    this.#cluster ??= await this.#fetchCluster();
    return this.#cluster;
  }

  /** The KubeletConfiguration of the cluster's nodes, as YAML. */
  async kubeletConfiguration(): Promise<string> {
    this.#kubelet ??= await this.#fetchKubelet();
    return this.#kubelet;
  }

  /** Known once `cluster()` has answered. */
  get hasOwnEtcd(): boolean {
    return this.#cluster !== undefined && 'local' in this.#cluster.etcd;
  }

  /** As if this host had been the first. */
  async initConfiguration(): Promise<InitConfiguration> {
    return { cluster: await this.cluster(), local: this.config.local };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bootstrap?.[Symbol.asyncDispose]();
    await this.#admin?.[Symbol.asyncDispose]();
  }

  async #fetchKubelet(): Promise<string> {
    const client = await this.bootstrapClient();
    const key = { namespace: 'kube-system', name: 'kubelet-config' };
    const text = (await patiently(this.host, () => client.get(configMap, key, this.host.signal))).data?.['kubelet'];
    if (text !== undefined) return text;
    throw new UsageError('ConfigMap kube-system/kubelet-config holds no kubelet configuration', { exitCode: 1 });
  }

  async #fetchCluster(): Promise<ClusterConfiguration> {
    sayWhence('preflight', this.host.print);
    const client = await this.bootstrapClient();
    const found = await patiently(this.host, () =>
      client.get(configMap, { namespace: 'kube-system', name: 'kubeadm-config' }, this.host.signal),
    );
    const path = 'ConfigMap kube-system/kubeadm-config';
    const document = readDocuments(found.data?.['ClusterConfiguration'] ?? '', path).get('ClusterConfiguration');
    if (document === undefined) throw new UsageError(`${path} holds no ClusterConfiguration`, { exitCode: 1 });
    return clusterFrom(document, path);
  }
}
