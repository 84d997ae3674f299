import type { ClusterView, Happening, Plugin } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';

/** A plugin in a profile: in which place (filters run in order) and how much its score counts. */
interface ProfilePlugin {
  readonly plugin: Plugin;
  /** Default 1. */
  readonly weight?: number;
}

/** A plugin with its state for the pod of this cycle. */
export interface Prepared {
  readonly plugin: Plugin;
  readonly weight: number;
  readonly state: unknown;
}

/** The plugins that decide for pods of one scheduler name. */
export class Profile {
  readonly schedulerName: string;
  readonly #plugins: readonly Required<ProfilePlugin>[];
  readonly #byName: ReadonlyMap<string, Plugin>;

  constructor(schedulerName: string, plugins: readonly ProfilePlugin[]) {
    this.schedulerName = schedulerName;
    this.#plugins = plugins.map(({ plugin, weight = 1 }) => ({ plugin, weight }));
    this.#byName = new Map(plugins.map(({ plugin }) => [plugin.name, plugin]));
  }

  get plugins(): readonly Plugin[] {
    return this.#plugins.map(({ plugin }) => plugin);
  }

  /** Every plugin's preparation for one pod. */
  prepare(pod: PodInfo, cluster: ClusterView): readonly Prepared[] {
    return this.#plugins.map(({ plugin, weight }) => ({ plugin, weight, state: plugin.prepare?.(pod, cluster) }));
  }

  /** Which plugin keeps the pod out of the queue, and why. */
  gate(pod: PodInfo): { readonly plugin: string; readonly why: string } | undefined {
    for (const { plugin } of this.#plugins) {
      const why = plugin.gate?.(pod);
      if (why !== undefined) return { plugin: plugin.name, why };
    }
    return undefined;
  }

  /** True when what happened may have removed the reason of one of the plugins that rejected the pod. */
  isWorthRetrying(pod: PodInfo, rejectedBy: ReadonlySet<string>, happening: Happening): boolean {
    for (const name of rejectedBy) {
      const plugin = this.#byName.get(name);
      if (plugin === undefined || !plugin.retryOn.includes(happening.event)) continue;
      if (plugin.worthRetrying?.(pod, happening) ?? true) return true;
    }
    return false;
  }
}
