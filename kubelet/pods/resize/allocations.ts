// What was set aside for each pod, remembered in a file among the pod's own, so that a kubelet that was killed neither forgets a resize
// it has begun nor takes one that it has put off for granted. The file goes with the pod's folder.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Log } from '#base/log.ts';
import type { PodPaths } from '../../volumes/paths.ts';
import type { Allocation } from './allocation.ts';

const fileName = 'allocated-resources.json';

/** The allocations of all pods of this node. */
export class Allocations {
  readonly #paths: PodPaths;
  readonly #log: Log;
  readonly #known = new Map<string, Allocation>();
  readonly #unsaved = new Set<string>();

  constructor(paths: PodPaths, log: Log) {
    this.#paths = paths;
    this.#log = log;
  }

  /** Reads what an earlier kubelet has written about these pods. What cannot be read counts as never written. */
  async load(uids: readonly string[]): Promise<void> {
    for (const uid of uids) {
      const text = await readFile(this.#file(uid), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      try {
        this.#known.set(uid, JSON.parse(text) as Allocation);
      } catch (err) {
        this.#log.warn({ err, uid }, 'cannot read what was allocated to a pod');
      }
    }
  }

  get(uid: string): Allocation | undefined {
    return this.#known.get(uid);
  }

  /** Counts at once; is on the disk after `save`. */
  set(uid: string, allocation: Allocation): void {
    this.#known.set(uid, allocation);
    this.#unsaved.add(uid);
  }

  /** To be called before anything is done that follows from an allocation. */
  async save(uid: string): Promise<void> {
    const allocation = this.#known.get(uid);
    if (allocation === undefined || !this.#unsaved.has(uid)) return;
    const path = this.#file(uid);
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    const file = await open(`${path}.tmp`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(allocation));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
    if (this.#known.get(uid) === allocation) this.#unsaved.delete(uid);
  }

  forget(uid: string): void {
    this.#known.delete(uid);
    this.#unsaved.delete(uid);
  }

  #file(uid: string): string {
    return join(this.#paths.pod(uid), fileName);
  }
}
