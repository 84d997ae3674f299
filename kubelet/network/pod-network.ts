import type { PodIdentity, PortMapping } from '../runtime/contract.ts';

export interface NetworkTarget {
  readonly sandboxId: string;
  readonly pod: PodIdentity;
  /** /proc/<pid>/ns/net. */
  readonly netnsPath: string;
  readonly portMappings: readonly PortMapping[];
}

/** Gives sandboxes their place in the pod network. Remembers on disk what it gave, so that it can be taken back after a crash. */
export interface PodNetwork {
  /** Undefined when pods can get a network; else why not. */
  problem(): Promise<string | undefined>;
  /** The addresses of this node's pods; needed where the network is our own. Also makes the host's rules; may be repeated. */
  setPodCidrs(cidrs: readonly string[], signal: AbortSignal): Promise<void>;
  /** Makes the host's rules again, after something else may have changed them. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Answers the pod's addresses. Undoes what it did when it fails. */
  attach(target: NetworkTarget, signal: AbortSignal): Promise<readonly string[]>;
  /** Gives everything back; also when the namespace or the memory of it is gone. */
  detach(sandboxId: string, netnsPath: string | undefined, signal: AbortSignal): Promise<void>;
  /** What `attach` answered once; undefined when it knows nothing of this sandbox. */
  addresses(sandboxId: string): Promise<readonly string[] | undefined>;
  /** Gives back what belongs to sandboxes that are no more. */
  forgetAllBut(sandboxIds: ReadonlySet<string>, signal: AbortSignal): Promise<void>;
}
