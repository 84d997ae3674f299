import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { configMap } from '#api/core/config-map.ts';
import { hostAddress } from '#base/host-network.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Client } from '#client/client.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { fetchCluster } from '../cluster/fetch-cluster.ts';
import { type ClusterConfiguration, defaultBindPort, dockerSocket, type LocalConfiguration, splitHostPort } from '../config/cluster.ts';
import { type Folders, foldersAt } from '../folders.ts';
import type { NodeJob } from '../init/phase.ts';
import { type Patches, readPatches } from '../manifests/patches.ts';
import type { Surroundings } from '../surroundings.ts';
import type { UpgradeOptions } from './flags.ts';
import { hostProcesses, type RunningComponents } from './running.ts';

interface UpgradeDeps {
  readonly options: UpgradeOptions;
  readonly host: Surroundings;
  /** `apply` goes through all of the cluster, `node` through this host. */
  readonly command: 'apply' | 'diff' | 'node' | 'plan';
  /** Below another folder in tests. */
  readonly base?: string;
  readonly running?: RunningComponents;
}

/** What the steps of one upgrade share; what they learn of cluster and host is asked once. */
export class UpgradeJob implements AsyncDisposable {
  readonly options: UpgradeOptions;
  readonly host: Surroundings;
  readonly command: UpgradeDeps['command'];
  readonly running: RunningComponents;
  readonly patches: Patches;
  readonly #base: string;
  #client: RestClient | undefined;
  #cluster: ClusterConfiguration | undefined;
  #kubelet: string | undefined;

  constructor({ options, host, command, base = '', running = hostProcesses }: UpgradeDeps) {
    this.options = options;
    this.host = { ...host, patienceMs: options.timeouts.kubernetesAPICall };
    this.command = command;
    this.running = running;
    this.patches = readPatches(options.patchesFolder);
    this.#base = base;
  }

  /** Known where the certificates are only once the cluster has said so. */
  folders(certificatesDir = '/etc/kubernetes/pki'): Folders {
    return foldersAt(certificatesDir, this.#base);
  }

  get temporary(): string {
    return join(this.folders().kubernetes, 'tmp');
  }

  get isControlPlane(): boolean {
    return existsSync(join(this.folders().manifests, 'kube-apiserver.yaml'));
  }

  /** As the administrator on a control plane, else as this node. */
  client(): Client {
    const { kubernetes } = this.folders();
    const own = ['admin.conf', 'kubelet.conf'].map((file) => join(kubernetes, file)).find((path) => existsSync(path));
    const path = this.options.kubeconfig || (own ?? join(kubernetes, 'admin.conf'));
    this.#client ??= connect(findEndpoint({ path, env: {} }), { clock: this.host.clock, component: 'kubeadm' });
    return this.#client;
  }

  /** What the cluster was made with. */
  async cluster(): Promise<ClusterConfiguration> {
    this.#cluster ??= await fetchCluster(this.client(), this.command === 'diff' ? 'upgrade/diff' : 'upgrade', this.host);
    return this.#cluster;
  }

  /** The KubeletConfiguration that all nodes share, as YAML. */
  async kubeletConfiguration(): Promise<string> {
    if (this.#kubelet !== undefined) return this.#kubelet;
    const found = await this.client().get(configMap, { namespace: 'kube-system', name: 'kubelet-config' }, this.host.signal);
    this.#kubelet = found.data?.['kubelet'] ?? '';
    if (this.#kubelet === '') throw new UsageError('ConfigMap kube-system/kubelet-config holds no kubelet configuration', { exitCode: 1 });
    return this.#kubelet;
  }

  /** What is to be installed. */
  async target(): Promise<string> {
    return this.options.target ?? (await this.cluster()).kubernetesVersion;
  }

  /** As `kubeadm init` would have it now, with the new version. */
  async node(): Promise<NodeJob> {
    const cluster = await this.cluster();
    const kubelet = parse(await this.kubeletConfiguration()) as Readonly<Record<string, unknown>>;
    return {
      client: () => this.client(),
      config: { cluster: { ...cluster, kubelet, kubernetesVersion: await this.target() }, local: this.#local() },
      folders: this.folders(cluster.certificatesDir),
      shown: foldersAt(cluster.certificatesDir),
      host: this.host,
      isDryRun: this.options.isDryRun,
      patches: this.patches,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
  }

  /** The settings of this host's join, from the files that it left. */
  #local(): LocalConfiguration {
    const { kubelet, manifests } = this.folders();
    const flags = textAt(join(kubelet, 'kubeadm-flags.env'));
    const flag = (name: string): string | undefined => new RegExp(`--${name}=([^\\s"]+)`).exec(flags)?.[1];
    const advertised = /kube-apiserver\.advertise-address\.endpoint: *"?([^\s"]+)/.exec(
      textAt(join(manifests, 'kube-apiserver.yaml')),
    )?.[1];
    const { host, port } =
      advertised === undefined
        ? { host: flag('node-ip') ?? hostAddress(), port: defaultBindPort }
        : splitHostPort(advertised, defaultBindPort);
    return {
      advertiseAddress: host,
      bindPort: port,
      node: { name: flag('hostname-override') ?? hostname().toLowerCase(), criSocket: flag('container-runtime-endpoint') ?? dockerSocket },
    };
  }
}

function textAt(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
