import { openNodeSelectors, type PodNodeSelectorSettings } from '../pod-node-selector.ts';
import { defaultTolerationTimes, type TolerationSeconds } from '../default-toleration-seconds.ts';
import type { EventLimit } from '../event-rate-limit/plugin.ts';
import { openTolerations, type TolerationSettings } from '../pod-toleration-restriction.ts';
import { openPodSecurity, type PodSecuritySettings } from '../pod-security/plugin.ts';
import type { LimitedResource } from '../resource-quota/limited.ts';

/** What `--admission-control-config-file` may say, plugin by plugin. */
export interface PluginSettings {
  readonly podSecurity: PodSecuritySettings;
  readonly nodeSelectors: PodNodeSelectorSettings;
  readonly limitedResources: readonly LimitedResource[];
  readonly tolerations: TolerationSettings;
  readonly eventLimits: readonly EventLimit[];
  /** Said by flags, not by the file. */
  readonly tolerationSeconds: TolerationSeconds;
}

/** Without such a file. */
export const defaultPluginSettings: PluginSettings = {
  podSecurity: openPodSecurity,
  nodeSelectors: openNodeSelectors,
  limitedResources: [],
  tolerations: openTolerations,
  eventLimits: [],
  tolerationSeconds: defaultTolerationTimes,
};
