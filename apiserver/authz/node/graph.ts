// Which nodes have to do with which objects. Kept per change: a pod that is bound or goes costs what it refers to, a question costs a
// look-up (a Secret of volumes: one for each of those). Changed by whoever feeds it, synchronously; read between.
import type { V1PersistentVolume, V1ResourceSlice, V1VolumeAttachment } from '#api/generated/types.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { podReferences, volumeReferences } from './references.ts';

/** What some pods refer to. Shared by them, so that a namespace's account costs one string. */
interface Target {
  readonly key: string;
  /** Node → how many of its pods refer to this. */
  readonly nodes: Map<string, number>;
}

interface PodEntry {
  readonly node: string;
  readonly targets: readonly Target[];
}

interface VolumeEntry {
  readonly claim: string;
  readonly secrets: readonly string[];
}

export class NodeGraph {
  readonly #pods = new Map<string, PodEntry>();
  readonly #targets = new Map<string, Target>();
  readonly #volumes = new Map<string, VolumeEntry>();
  /** Key of a Secret → volumes that need it on their node. */
  readonly #volumesOfSecret = new Map<string, Set<string>>();
  readonly #attachments = new Map<string, string>();
  readonly #slices = new Map<string, string>();

  setPod(pod: Pod): void {
    const key = podKey(pod.metadata.namespace, pod.metadata.name);
    this.#dropPod(key);
    const { nodeName: node = '' } = pod.spec;
    if (node === '') return;
    const targets = [...podReferences(pod)].map((reference) => this.#target(reference));
    for (const { nodes } of targets) nodes.set(node, (nodes.get(node) ?? 0) + 1);
    this.#pods.set(key, { node, targets });
  }

  removePod(namespace: string | undefined, name: string | undefined): void {
    this.#dropPod(podKey(namespace, name));
  }

  setVolume(volume: V1PersistentVolume): void {
    const { name = '' } = volume.metadata ?? {};
    this.removeVolume(name);
    const entry = volumeReferences(volume);
    if (entry === undefined) return;
    this.#volumes.set(name, entry);
    for (const secret of entry.secrets) {
      const volumes = this.#volumesOfSecret.get(secret) ?? new Set();
      this.#volumesOfSecret.set(secret, volumes.add(name));
    }
  }

  removeVolume(name: string): void {
    for (const secret of this.#volumes.get(name)?.secrets ?? []) {
      const volumes = this.#volumesOfSecret.get(secret);
      volumes?.delete(name);
      if (volumes?.size === 0) this.#volumesOfSecret.delete(secret);
    }
    this.#volumes.delete(name);
  }

  setAttachment({ metadata, spec }: V1VolumeAttachment): void {
    this.#attachments.set(metadata?.name ?? '', spec.nodeName);
  }

  removeAttachment(name: string): void {
    this.#attachments.delete(name);
  }

  setSlice({ metadata, spec }: V1ResourceSlice): void {
    this.#slices.set(metadata?.name ?? '', spec.nodeName ?? '');
  }

  removeSlice(name: string): void {
    this.#slices.delete(name);
  }

  /** Forgets all objects of a kind but these, by `keyText`. */
  retain(kind: 'pods' | 'volumes' | 'attachments' | 'slices', keys: ReadonlySet<string>): void {
    const known = { pods: this.#pods, volumes: this.#volumes, attachments: this.#attachments, slices: this.#slices }[kind];
    for (const key of known.keys()) {
      if (keys.has(key)) continue;
      if (kind === 'pods') this.#dropPod(key);
      else if (kind === 'volumes') this.removeVolume(key);
      else known.delete(key);
    }
  }

  isPodOn(node: string, namespace: string, name: string): boolean {
    return this.#pods.get(podKey(namespace, name))?.node === node;
  }

  /** Whether a pod of this node, or a volume of such a pod, leads to what `referenceKey` names. */
  leadsTo(node: string, reference: string): boolean {
    if (this.#targets.get(reference)?.nodes.has(node) === true) return true;
    for (const volume of this.#volumesOfSecret.get(reference) ?? []) if (this.hasVolume(node, volume)) return true;
    return false;
  }

  /** Whether a pod of this node uses the volume's claim. */
  hasVolume(node: string, name: string): boolean {
    const volume = this.#volumes.get(name);
    return volume !== undefined && this.#targets.get(volume.claim)?.nodes.has(node) === true;
  }

  hasAttachment(node: string, name: string): boolean {
    return node !== '' && this.#attachments.get(name) === node;
  }

  hasSlice(node: string, name: string): boolean {
    return node !== '' && this.#slices.get(name) === node;
  }

  #target(key: string): Target {
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    const target = { key, nodes: new Map<string, number>() };
    this.#targets.set(key, target);
    return target;
  }

  #dropPod(key: string): void {
    const entry = this.#pods.get(key);
    if (entry === undefined) return;
    this.#pods.delete(key);
    for (const { key: reference, nodes } of entry.targets) {
      const count = (nodes.get(entry.node) ?? 0) - 1;
      if (count > 0) nodes.set(entry.node, count);
      else nodes.delete(entry.node);
      if (nodes.size === 0) this.#targets.delete(reference);
    }
  }
}

function podKey(namespace = '', name = ''): string {
  return `${namespace}/${name}`;
}
