import { readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { makeFolder } from '#base/make-folder.ts';
import { reasonOf, writeFileAtomically } from '#base/write-file.ts';

/** What a cluster on this host was made with; kept in its data folder so that every later command means the same cluster. */
export interface ClusterConfig {
  readonly name: string;
  readonly port: number;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
  /** Addresses that Services of type LoadBalancer get. */
  readonly loadBalancerCidr: string;
  readonly dnsIp: string;
  readonly clusterDomain: string;
  /** Names and addresses that the API server's certificate is good for, besides its own. */
  readonly extraSans?: readonly string[];
  /** Further flags of components, by component and flag; they come before those that `up` gives. */
  readonly extraArgs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What lay in the node agent's folders before the first start: others' things, which `down --wipe` leaves alone. */
  readonly foreignPaths?: readonly string[];
}

const folders = ['pki', 'kubeconfig', 'logs', 'run', 'store'] as const;

/** Where everything of a cluster lies below its data folder. */
export class Layout {
  readonly dataDir: string;

  constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  get config(): string {
    return join(this.dataDir, 'cluster.json');
  }

  get store(): string {
    return join(this.dataDir, 'store');
  }

  /** Certificates and keys, named as below /etc/kubernetes/pki. */
  pki(name: string): string {
    return join(this.dataDir, 'pki', name);
  }

  kubeconfig(user: string): string {
    return join(this.dataDir, 'kubeconfig', `${user}.conf`);
  }

  log(component: string): string {
    return join(this.dataDir, 'logs', `${component}.log`);
  }

  /** Records of running processes. */
  run(name: string): string {
    return join(this.dataDir, 'run', `${name}.json`);
  }

  /** Makes the folders. Throws a UsageError (exit code 1) that names the folder where that is impossible. */
  create(): void {
    try {
      for (const folder of folders) makeFolder(join(this.dataDir, folder), 0o700);
      const probe = join(this.dataDir, '.probe');
      writeFileSync(probe, Buffer.alloc(65_536));
      rmSync(probe);
    } catch (error) {
      throw new UsageError(`cannot use the data folder ${this.dataDir}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
    }
  }

  /** Removes all that belongs to the cluster; the folder itself, too, where nothing else is in it. */
  remove(): void {
    for (const folder of folders) rmSync(join(this.dataDir, folder), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    rmSync(this.config, { force: true });
    try {
      if (readdirSync(this.dataDir).length === 0) rmdirSync(this.dataDir);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // A mount point, or gone already.
      if (code !== 'ENOENT' && code !== 'EBUSY') throw error;
    }
  }

  readConfig(): ClusterConfig | undefined {
    return readJson<ClusterConfig>(this.config);
  }

  writeConfig(config: ClusterConfig): void {
    writeFileAtomically(this.config, `${JSON.stringify(config, null, 2)}\n`);
  }
}

/** Which cluster runs on this host, wherever its data folder is; gone after a reboot, as the cluster's processes are. */
export const runningFile = '/run/coxswain/cluster.json';

export interface RunningRecord {
  readonly name: string;
  readonly dataDir: string;
}

/** The parsed file, or undefined where it is missing or torn. Throws a UsageError (exit code 1) where it may not be read. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EACCES' && code !== 'EPERM') return undefined;
    throw new UsageError(`cannot read ${path}: permission denied; only root may: use sudo`, { exitCode: 1, cause: error });
  }
}
