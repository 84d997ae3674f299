// How long a node's agent may keep what it has read of Secrets and ConfigMaps: the more nodes, the longer, so that a large cluster asks no
// more often than a small one. Pure. Rules as upstream's pkg/controller/ttl/ttl_controller.go.
interface Step {
  readonly minNodes: number;
  readonly maxNodes: number;
  readonly ttlSeconds: number;
}

/** They overlap, so that a cluster of about a step's size does not go back and forth. */
const steps: readonly Step[] = [
  { minNodes: 0, maxNodes: 100, ttlSeconds: 0 },
  { minNodes: 90, maxNodes: 500, ttlSeconds: 15 },
  { minNodes: 450, maxNodes: 1_000, ttlSeconds: 30 },
  { minNodes: 900, maxNodes: 2_000, ttlSeconds: 60 },
  { minNodes: 1_800, maxNodes: 10_000, ttlSeconds: 300 },
  { minNodes: 9_000, maxNodes: Infinity, ttlSeconds: 600 },
];

/** What a node of a cluster of `nodes` is to say; `current` is what it says now, which stays as long as it may. */
export function wantedTtl(current: string | undefined, nodes: number): string {
  const fits = steps.filter(({ minNodes, maxNodes }) => nodes >= minNodes && nodes <= maxNodes);
  const kept = fits.find(({ ttlSeconds }) => String(ttlSeconds) === current);
  return String((kept ?? fits[0])?.ttlSeconds ?? 0);
}
