import type { V1ContainerImage, V1NodeAddress, V1NodeStatus } from '#api/generated/types.ts';
import { canonicalQuantity } from '#api/meta/quantity.ts';
import { version } from '#base/version.ts';
import type { RuntimeInfo } from '../runtime/contract.ts';
import type { StoredImage } from '../runtime/image-contract.ts';
import { type CloudSettings, nodeAddresses } from './cloud.ts';
import type { MachineFacts } from './facts.ts';
import type { Measurements } from './measure.ts';

export interface NodeSettings {
  readonly name: string;
  readonly ips: readonly string[];
  readonly cloud: CloudSettings;
  readonly maxPods: number;
  /** For each core; 0: any number. */
  readonly podsPerCore: number;
  /** How many images the status lists. */
  readonly maxImages: number;
  readonly port: number;
  /** What is not for pods: the system's and the kubelet's part, and what must stay free. */
  readonly reserved: {
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly diskBytes: number;
    /** What a hard threshold keeps free of so many bytes. */
    readonly kept: (signal: 'memory.available' | 'nodefs.available', capacityBytes: number) => number;
  };
}

/** What this node does that an older one may not, by upstream's names: pods that need it come to no other. In the order of their names. */
const declaredFeatures = ['InPlacePodLevelResourcesVerticalScaling', 'RestartAllContainersOnContainerExits'];
const maxNamesPerImage = 5;

interface NodeObservation {
  readonly facts: MachineFacts;
  readonly measured: Measurements;
  readonly info: RuntimeInfo;
  readonly images: readonly StoredImage[];
  /** The addresses in the Node's present status. */
  readonly addresses: readonly V1NodeAddress[];
}

/** The status of a node without its conditions. */
export function nodeStatus(settings: NodeSettings, { facts, measured, info, images, addresses }: NodeObservation): V1NodeStatus {
  return {
    addresses: [...nodeAddresses(settings.cloud, settings, addresses)],
    ...amounts(settings, facts, measured),
    daemonEndpoints: { kubeletEndpoint: { Port: settings.port } },
    nodeInfo: {
      machineID: facts.machineId,
      systemUUID: facts.systemUuid,
      bootID: facts.bootId,
      kernelVersion: info.kernelVersion,
      osImage: info.osImage,
      containerRuntimeVersion: `${info.name}://${info.version}`,
      kubeletVersion: version,
      kubeProxyVersion: '',
      operatingSystem: info.operatingSystem,
      architecture: info.architecture,
      ...(facts.swapBytes === 0 ? {} : { swap: { capacity: facts.swapBytes } }),
    },
    images: listImages(images, settings.maxImages),
    runtimeHandlers: ['', ...info.handlers].map((name) => ({ name, features: { recursiveReadOnlyMounts: true, userNamespaces: false } })),
    declaredFeatures: [...declaredFeatures],
    features: { supplementalGroupsPolicy: info.storageDriver === 'overlay2' },
  };
}

function amounts(settings: NodeSettings, facts: MachineFacts, measured: Measurements): Pick<V1NodeStatus, 'capacity' | 'allocatable'> {
  const { reserved, podsPerCore } = settings;
  const maxPods = Math.min(
    settings.maxPods,
    podsPerCore === 0 ? Number.POSITIVE_INFINITY : Math.floor(podsPerCore * (facts.cpuMillis / 1_000)),
  );
  const hugepages = Object.entries(facts.hugepages);
  const hugeBytes = hugepages.reduce((sum, [, bytes]) => sum + bytes, 0);
  const pages = Object.fromEntries(hugepages.map(([size, bytes]) => [`hugepages-${size}`, bytesText(bytes)]));
  const diskBytes = measured.disk.totalBytes;
  const capacity = {
    cpu: cpuText(facts.cpuMillis),
    'ephemeral-storage': `${Math.trunc(diskBytes / 1_024)}Ki`,
    ...pages,
    memory: `${Math.trunc(facts.memoryBytes / 1_024)}Ki`,
    pods: String(maxPods),
  };
  const allocatable = {
    cpu: cpuText(Math.max(0, facts.cpuMillis - reserved.cpuMillis)),
    'ephemeral-storage': String(Math.max(0, diskBytes - reserved.diskBytes - reserved.kept('nodefs.available', diskBytes))),
    ...pages,
    memory: `${Math.max(0, Math.trunc((facts.memoryBytes - hugeBytes - reserved.memoryBytes - reserved.kept('memory.available', facts.memoryBytes)) / 1_024))}Ki`,
    pods: String(maxPods),
  };
  return { capacity: canonical(capacity), allocatable: canonical(allocatable) };
}

/**
 * Extended resources patched by other clients (`kubectl patch node --subresource=status`) are kept, and fully allocatable.
 * Huge pages are counted here alone.
 */
export function withExtended(wanted: V1NodeStatus, present: V1NodeStatus): V1NodeStatus {
  const { capacity = {}, allocatable = {} } = wanted;
  const isOthers = ([name]: [string, string]): boolean => capacity[name] === undefined && !name.startsWith('hugepages-');
  const others = Object.fromEntries(Object.entries(present.capacity ?? {}).filter(isOthers));
  return { ...wanted, capacity: { ...others, ...capacity }, allocatable: { ...others, ...allocatable } };
}

/** As the server answers them, so that an unchanged status is seen to be unchanged. */
function canonical(amounts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, text]) => [name, canonicalQuantity(text)]));
}

function cpuText(millis: number): string {
  return millis % 1_000 === 0 ? String(millis / 1_000) : `${millis}m`;
}

function bytesText(bytes: number): string {
  return bytes === 0 ? '0' : `${bytes / 1_048_576}Mi`;
}

/** The largest first; digests before tags. */
function listImages(images: readonly StoredImage[], maxImages: number): V1ContainerImage[] {
  return images
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, maxImages)
    .map(({ digests, tags, sizeBytes }) => ({ names: [...digests, ...tags].slice(0, maxNamesPerImage), sizeBytes }));
}
