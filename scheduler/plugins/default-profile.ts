import type { Plugin } from '../framework/plugin.ts';
import { Profile } from '../framework/profile.ts';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts';
import { nodeResourcesFit } from './node-resources-fit.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { notSupported } from './not-supported.ts';
import { podTopologySpread } from './pod-topology-spread.ts';
import { schedulingGates } from './scheduling-gates.ts';
import { taintToleration } from './taint-toleration.ts';

/** Upstream's default plugins in upstream's order, with its weights, as far as they are there; `more` come last. */
export function defaultProfile(more: readonly Plugin[] = [], schedulerName = 'default-scheduler'): Profile {
  return new Profile(schedulerName, [
    { plugin: schedulingGates },
    { plugin: notSupported },
    { plugin: nodeUnschedulable },
    { plugin: nodeName },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts },
    { plugin: nodeResourcesFit },
    { plugin: podTopologySpread, weight: 2 },
    { plugin: interPodAffinity, weight: 2 },
    { plugin: nodeResourcesBalancedAllocation },
    ...more.map((plugin) => ({ plugin })),
  ]);
}
