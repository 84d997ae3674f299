// The shapes of upstream's stats API (k8s.io/kubelet/pkg/apis/stats/v1alpha1), as far as this node can fill them.

export interface Summary {
  readonly node: NodeFigures;
  readonly pods: readonly PodFigures[];
}

interface NodeFigures {
  readonly nodeName: string;
  readonly systemContainers: readonly ContainerFigures[];
  readonly startTime: string;
  readonly cpu?: CpuFigures;
  readonly memory?: MemoryFigures;
  readonly network?: NetworkFigures;
  readonly fs?: FsFigures;
  readonly runtime?: { readonly imageFs: FsFigures; readonly containerFs: FsFigures };
  readonly rlimit?: { readonly time: string; readonly maxpid: number; readonly curproc: number };
  readonly swap?: SwapFigures;
}

export interface PodFigures {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string };
  /** Null before it has started. */
  readonly startTime: string | null;
  readonly containers: readonly ContainerFigures[];
  readonly cpu?: CpuFigures;
  readonly memory?: MemoryFigures;
  readonly network?: NetworkFigures;
  readonly volume?: readonly (FsFigures & { readonly name: string })[];
  readonly 'ephemeral-storage'?: FsFigures;
  readonly swap?: SwapFigures;
  readonly process_stats?: { readonly process_count: number };
}

export interface ContainerFigures {
  readonly name: string;
  readonly startTime: string | null;
  readonly cpu?: CpuFigures;
  readonly memory?: MemoryFigures;
  readonly swap?: SwapFigures;
  readonly rootfs?: FsFigures;
  readonly logs?: FsFigures;
}

export interface CpuFigures {
  readonly time: string;
  /** Over the time since the last look. */
  readonly usageNanoCores?: number;
  readonly usageCoreNanoSeconds: number;
}

export interface MemoryFigures {
  readonly time: string;
  /** Absent where there is no limit. */
  readonly availableBytes?: number;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  readonly rssBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
}

/** Used is what this one uses, the rest is its disk's. */
export interface FsFigures {
  readonly time: string;
  readonly availableBytes: number;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly inodesFree: number;
  readonly inodes: number;
  readonly inodesUsed: number;
}

export interface InterfaceFigures {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

export interface NetworkFigures extends InterfaceFigures {
  readonly time: string;
  readonly interfaces: readonly InterfaceFigures[];
}

export interface SwapFigures {
  readonly time: string;
  /** Absent where unlimited. */
  readonly swapAvailableBytes?: number;
  readonly swapUsageBytes: number;
}
