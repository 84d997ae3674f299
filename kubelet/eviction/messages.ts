// The words of an eviction (pkg/kubelet/eviction/helpers.go: evictionMessage). They are part of the API: people and programs read them.
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container } from '#api/generated/types.ts';
import { canonicalQuantity, quantityBytes } from '#api/meta/quantity.ts';
import { type Observation, type Observations, resourceOf, type StarvedResource } from './signals.ts';
import { amountText, binaryText, type Threshold } from './thresholds.ts';
import { type ContainerUse, memorySum, type PodUse } from './usage.ts';

interface EvictionWords {
  readonly message: string;
  /** Of the event. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Why a pod goes for want of a resource. `due` are the thresholds that are met. */
export function evictionWords(
  resource: StarvedResource,
  pod: Pod,
  use: PodUse | undefined,
  due: readonly Threshold[],
  observations: Observations,
): EvictionWords {
  const low = `The node was low on resource: ${resource}. ${thresholdText(resource, due, observations)}`;
  if (use === undefined) return { message: low, annotations: {} };
  const whole = resource === 'memory' ? podText(pod, use) : undefined;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const offending = use.containers.flatMap((one) => {
    const container = containers.find(({ name }) => name === one.name);
    return container === undefined ? [] : offenceOf(container, one, resource);
  });
  return {
    message: `${low}${whole?.text ?? ''}${offending.map(({ text }) => text).join('')}`,
    annotations: {
      ...(whole === undefined ? {} : { offending_pod: pod.metadata.name ?? '', offending_pod_usage: whole.used }),
      offending_containers: offending.map(({ name }) => name).join(','),
      offending_containers_usage: offending.map(({ used }) => used).join(','),
      starved_resource: resource,
    },
  };
}

function thresholdText(resource: StarvedResource, due: readonly Threshold[], observations: Observations): string {
  const first = due.find(({ signal }) => resourceOf(signal) === resource && observations.has(signal));
  if (first === undefined) return '';
  const observed = observations.get(first.signal) as Observation;
  const available =
    resource === 'memory' || resource === 'ephemeral-storage' ? binaryText(observed.available) : decimalText(observed.available);
  return `Threshold quantity: ${amountText(first.value, observed)}, available: ${available}. `;
}

/** A pod that asked for memory as a whole is named as a whole. */
function podText(pod: Pod, use: PodUse): { readonly text: string; readonly used: string } | undefined {
  const request = pod.spec.resources?.requests?.['memory'];
  if (request === undefined) return undefined;
  const used = binaryText(memorySum(use));
  const asked = canonicalQuantity(request);
  return { used, text: `Pod ${pod.metadata.name} was using ${used}, request is ${asked}, has larger consumption of memory. ` };
}

interface Offence {
  readonly name: string;
  readonly used: string;
  readonly text: string;
}

function offenceOf({ name, resources }: V1Container, use: ContainerUse, resource: StarvedResource): Offence[] {
  const usedBytes = usedOf(use, resource);
  const request = resources?.requests?.[resource];
  if (usedBytes === undefined || usedBytes <= quantityBytes(request)) return [];
  const used = binaryText(usedBytes);
  const asked = request === undefined ? '0' : canonicalQuantity(request);
  return [{ name, used, text: `Container ${name} was using ${used}, request is ${asked}, has larger consumption of ${resource}. ` }];
}

function usedOf({ memoryBytes, rootfs, logs }: ContainerUse, resource: StarvedResource): number | undefined {
  if (resource === 'memory') return memoryBytes;
  if (resource !== 'ephemeral-storage' || rootfs === undefined || logs === undefined) return undefined;
  return rootfs.usedBytes + logs.usedBytes;
}

function decimalText(units: number): string {
  return canonicalQuantity(String(units));
}
