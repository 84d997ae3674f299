// How a pod's containers are named and labelled in Docker, after upstream's convention; everything that the kubelet needs to know
// after a crash is in here.
import type { PodIdentity } from '../contract.ts';
import { containerNameLabel, podNameLabel, podNamespaceLabel, podUidLabel } from '../labels.ts';

/** Says whose containers these are: other clusters' on the same engine are not ours to touch. */
export const clusterLabel = 'coxswain.cluster';
const typeLabel = 'io.kubernetes.docker.type';
export const sandboxIdLabel = 'io.kubernetes.sandbox.id';
export const logPathLabel = 'io.kubernetes.container.logpath';
const attemptLabel = 'coxswain.attempt';
/** What the pod calls the image, and what its status shows as imageID. */
export const imageLabel = 'coxswain.image';
export const imageRefLabel = 'coxswain.image-ref';
/** `true`: the pod's containers join the sandbox's process namespace. */
export const sharePidLabel = 'coxswain.share-pid';
/** Annotations become labels with this prefix. */
const annotationPrefix = 'annotation.';

type ContainerKind = 'podsandbox' | 'container';

/** What a container is, read from its labels; undefined when it is none of ours. */
export interface Identity {
  readonly kind: ContainerKind;
  readonly pod: PodIdentity;
  /** '' for the sandbox. */
  readonly container: string;
  readonly attempt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** `k8s_<container>_<pod>_<namespace>_<uid>_<attempt>`; POD for the sandbox. */
export function containerName(container: string, pod: PodIdentity, attempt: number): string {
  return ['k8s', container, pod.name, pod.namespace, pod.uid, String(attempt)].join('_');
}

export function sandboxName(pod: PodIdentity, attempt: number): string {
  return containerName('POD', pod, attempt);
}

interface LabelInput {
  readonly cluster: string;
  readonly kind: ContainerKind;
  readonly pod: PodIdentity;
  readonly container?: string;
  readonly attempt: number;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly extra?: Readonly<Record<string, string>>;
}

export function encodeLabels(input: LabelInput): Record<string, string> {
  const { cluster, kind, pod, container, attempt, labels = {}, annotations = {}, extra = {} } = input;
  const annotationLabels = Object.entries(annotations).map(([key, value]) => [annotationPrefix + key, value]);
  return {
    ...labels,
    ...Object.fromEntries(annotationLabels),
    ...extra,
    [clusterLabel]: cluster,
    [typeLabel]: kind,
    [podNameLabel]: pod.name,
    [podNamespaceLabel]: pod.namespace,
    [podUidLabel]: pod.uid,
    [attemptLabel]: String(attempt),
    ...(container === undefined ? {} : { [containerNameLabel]: container }),
  };
}

export function decodeLabels(raw: Readonly<Record<string, string>>): Identity | undefined {
  const kind = raw[typeLabel];
  const uid = raw[podUidLabel];
  if ((kind !== 'podsandbox' && kind !== 'container') || uid === undefined) return undefined;
  const labels: Record<string, string> = {};
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (key.startsWith(annotationPrefix)) annotations[key.slice(annotationPrefix.length)] = value;
    else if (!key.startsWith('coxswain.') && key !== typeLabel && key !== sandboxIdLabel && key !== logPathLabel) labels[key] = value;
  }
  return {
    kind,
    pod: { name: raw[podNameLabel] ?? '', namespace: raw[podNamespaceLabel] ?? '', uid },
    container: raw[containerNameLabel] ?? '',
    attempt: Number(raw[attemptLabel] ?? 0),
    labels,
    annotations,
  };
}
