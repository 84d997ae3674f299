// What preflight checks ask about a host. Checks see only this, so tests give plain values.

interface DockerFacts {
  readonly version: string;
  /** `cgroupfs` or `systemd`. */
  readonly cgroupDriver: string;
  /** `1` or `2`. */
  readonly cgroupVersion: string;
}

export interface Route {
  readonly network: string;
  /** The interface. */
  readonly device: string;
  /** Who made it: `kernel`, `static`, a number. */
  readonly protocol?: string;
}

/** Paths; '' where etcd wants none. */
export interface EtcdFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface HostFacts {
  readonly userId: number;
  readonly cpus: number;
  readonly memoryMegabytes: number;
  /** Proxy settings, in upper and lower case. */
  readonly env: Readonly<Record<string, string | undefined>>;
  isPortFree(port: number): Promise<boolean>;
  /** Listening TCP ports. */
  listeningPorts(): readonly number[];
  /** Undefined where the file is missing or cannot be read. */
  readText(path: string): string | undefined;
  exists(path: string): boolean;
  /** True for a folder that holds anything. */
  isFilledFolder(path: string): boolean;
  hasProgram(name: string): boolean;
  /** The reason why the name leads nowhere; undefined where it leads somewhere. */
  lookupProblem(name: string): Promise<string | undefined>;
  /** Throws an Error that says why Docker does not answer. */
  docker(): Promise<DockerFacts>;
  /** The version of an external etcd server. Throws an Error with the cause. */
  etcdVersion(endpoint: string, files: EtcdFiles): Promise<string>;
  /** Networks that this host has routes to, the default route left out. */
  routes(): readonly Route[];
}
