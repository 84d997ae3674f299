// The cgroups above the containers' own: /kubepods, one for each lower quality of service, one for each pod. Works on cgroup v1 and v2, with
// folders of our own making or with slices of systemd. Where the machine refuses, that is said once and pods run without.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Log } from '#base/log.ts';
import type { TimedOperation } from '../../metrics/operation-metrics.ts';
import { cpuShares, cpuWeight } from './container-resources.ts';
import { hugePageLimits, limitHugePages } from './huge-pages.ts';
import { type CgroupDriver, cpuRequestMillis, placeOf, type PodCgroup, podCgroup, qosCgroup } from './pod-cgroup.ts';
import type { QosClass } from './qos.ts';
import { Slices } from './slices.ts';

interface CgroupsOptions {
  /** --cgroups-per-qos. */
  readonly enabled: boolean;
  /** --cgroup-root. */
  readonly root: string;
  readonly version: 1 | 2;
  /** Why pods cannot have cgroups of their own here; undefined when they can. */
  readonly refusal: string | undefined;
  /** Who makes them; default cgroupfs: we do. */
  readonly driver?: CgroupDriver;
  /** The program that talks to systemd; default `systemctl`. */
  readonly systemctl?: string;
  readonly nodeCpuMillis: number;
  /** What all pods together may have; undefined or none given: as much as there is. */
  readonly podsMemoryBytes?: number | undefined;
  /** How many processes all pods together may have; undefined: any number. */
  readonly maxPids?: number | undefined;
  /** Undefined: any number. */
  readonly maxPidsPerPod?: number | undefined;
  /** Where the hierarchies are mounted; default /sys/fs/cgroup. */
  readonly mount?: string;
  readonly log: Log;
  /** An event of the node. */
  readonly tell?: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  /** Counts what is done. */
  readonly count?: TimedOperation<'create' | 'update' | 'destroy'>;
}

const periodMicros = 100_000;
const controllers = ['cpuset', 'cpu', 'io', 'memory', 'pids', 'hugetlb'];

/** Makes and removes the cgroups of pods. */
export class Cgroups {
  readonly #options: CgroupsOptions;
  readonly #mount: string;
  /** Of systemd; undefined where we make folders. */
  readonly #slices: Slices | undefined;
  readonly #burstable = new Map<string, number>();
  readonly #made = new Set<string>();
  readonly #isWanted: boolean;
  #isPrepared = false;
  /** All pods together are held to what the node has for them. */
  #isEnforced = false;
  /** Some pod has got one, so the machine allows them. */
  #hasWorked = false;
  #hasWarned = false;

  constructor(options: CgroupsOptions) {
    this.#options = options;
    this.#mount = options.mount ?? '/sys/fs/cgroup';
    if (options.driver === 'systemd') this.#slices = new Slices(options.systemctl);
    this.#isWanted = options.enabled && options.refusal === undefined;
    if (options.enabled && options.refusal !== undefined) options.log.warn({ why: options.refusal }, 'pods get no cgroups of their own');
  }

  get driver(): CgroupDriver {
    return this.#options.driver ?? 'cgroupfs';
  }

  /** False: leave the cgroup parent to the engine. */
  has(podUid: string): boolean {
    return this.#made.has(podUid);
  }

  /**
   * Makes the folders above a pod's containers and sets the pod's limits. May be repeated. A machine that has never given a pod one is
   * taken to refuse them: that is said once, and asked again for the next pod. Throws where it has, so that the pod can be tried again.
   */
  async create(pod: Pod): Promise<void> {
    if (!this.#isWanted) return;
    const uid = pod.metadata.uid ?? '';
    try {
      await this.#prepare();
      await this.#count('create', () => this.#apply(pod));
      this.#made.add(uid);
      this.#hasWorked = true;
    } catch (error) {
      this.#made.delete(uid);
      // A parent cgroup may have been removed: recreate it the next time.
      this.#isPrepared = false;
      if (this.#hasWorked) throw error;
      this.#options.log[this.#hasWarned ? 'debug' : 'warn']({ err: error }, 'pods get no cgroups of their own');
      this.#hasWarned = true;
    }
  }

  /** Other limits for a pod that runs. Throws what the machine says: memory that is in use cannot be taken away. */
  async resize(pod: Pod): Promise<void> {
    if (this.#made.has(pod.metadata.uid ?? '')) await this.#count('update', () => this.#apply(pod));
  }

  async #apply(pod: Pod): Promise<void> {
    const wanted = podCgroup(pod, this.#options.root, this.driver);
    if (this.#slices === undefined) {
      await this.#make(wanted.path);
      await this.#limit(wanted.path, wanted);
      await this.#limitProcesses(wanted.path, this.#options.maxPidsPerPod);
    } else await this.#slices.set(wanted.parent, wanted, this.#options.maxPidsPerPod);
    await this.#limitHugePages(wanted.path, pod);
    if (wanted.qos === 'Burstable') await this.#weighBurstable(pod.metadata.uid ?? '', cpuRequestMillis(pod));
  }

  /** Removes a pod's folders, those that the engine made in other hierarchies too. May be repeated. */
  async remove(podUid: string): Promise<void> {
    if (!this.#options.enabled) return;
    this.#made.delete(podUid);
    await this.#count('destroy', () => this.#removeAll(podUid));
    if (this.#burstable.has(podUid)) await this.#weighBurstable(podUid, undefined).catch(() => undefined);
  }

  async #removeAll(podUid: string): Promise<void> {
    for (const qos of ['Guaranteed', 'Burstable', 'BestEffort'] as const) {
      const { path, parent } = placeOf(`${qosCgroup(this.#options.root, qos).path}/pod${podUid}`, this.driver);
      await this.#slices?.stop(parent);
      for (const hierarchy of await this.#hierarchies()) await removeTree(join(hierarchy, path));
    }
  }

  #count(operation: 'create' | 'update' | 'destroy', work: () => Promise<void>): Promise<void> {
    const { count } = this.#options;
    return count === undefined ? work() : count(operation, work);
  }

  async #prepare(): Promise<void> {
    if (this.#isPrepared) return;
    const { root, nodeCpuMillis } = this.#options;
    if (this.#slices === undefined) {
      for (const qos of ['Guaranteed', 'Burstable', 'BestEffort'] as const) await this.#make(qosCgroup(root, qos).path);
    }
    await this.#weigh('Guaranteed', cpuShares(nodeCpuMillis));
    await this.#weigh('BestEffort', 2);
    await this.#limitAll(cpuShares(nodeCpuMillis));
    this.#isPrepared = true;
  }

  /** What the pods use already cannot be taken from them: then the limit comes with a later pod, or the next start. */
  async #limitAll(shares: number): Promise<void> {
    const { podsMemoryBytes: memoryBytes, maxPids, root, version, log, tell } = this.#options;
    if (memoryBytes === undefined) return;
    const { path, parent } = qosCgroup(root, 'Guaranteed', this.driver);
    const [folder, file] = version === 1 ? ['memory', 'memory.limit_in_bytes'] : ['', 'memory.max'];
    try {
      if (this.#slices !== undefined) await this.#slices.set(parent, { cpuShares: shares, memoryBytes }, maxPids);
      else {
        await this.#limitProcesses(path, maxPids);
        await writeFile(join(this.#mount, folder, path, file), String(memoryBytes));
      }
      if (!this.#isEnforced) tell?.('Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
      this.#isEnforced = true;
    } catch (error) {
      const name = qosCgroup(root, 'Guaranteed')
        .path.split('/')
        .filter((step) => step !== '');
      const why = `Failed to update Node Allocatable Limits [${name.map((step) => JSON.stringify(step)).join(' ')}]: ${String(error)}`;
      tell?.('Warning', 'FailedNodeAllocatableEnforcement', why);
      log.warn({ err: error, memoryBytes }, 'pods together cannot be held to what is not reserved');
    }
  }

  /** Burstable pods together weigh what they asked for together. */
  async #weighBurstable(uid: string, millis: number | undefined): Promise<void> {
    if (millis === undefined) this.#burstable.delete(uid);
    else if (this.#burstable.get(uid) === millis) return;
    else this.#burstable.set(uid, millis);
    const sum = [...this.#burstable.values()].reduce((total, one) => total + one, 0);
    await this.#weigh('Burstable', cpuShares(sum));
  }

  async #weigh(qos: QosClass, shares: number): Promise<void> {
    const { path, parent } = qosCgroup(this.#options.root, qos, this.driver);
    await (this.#slices === undefined ? this.#set(path, shares) : this.#slices.set(parent, { cpuShares: shares }));
  }

  async #hierarchies(): Promise<string[]> {
    if (this.#options.version === 2) return [this.#mount];
    const entries = await readdir(this.#mount, { withFileTypes: true }).catch(() => []);
    // Links such as cpu -> cpu,cpuacct lead to what is visited anyway.
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(this.#mount, name));
  }

  async #make(path: string): Promise<void> {
    if (this.#options.version === 1) {
      for (const name of ['cpu', 'memory']) await mkdir(join(this.#mount, name, path), { recursive: true });
      return;
    }
    await mkdir(join(this.#mount, path), { recursive: true });
    // A folder's children have only the controllers that every folder above hands down.
    let folder = this.#mount;
    for (const step of path.split('/').filter((one) => one !== '')) {
      await handDown(folder);
      folder = join(folder, step);
    }
    await handDown(folder);
  }

  async #limit(path: string, { cpuShares: shares, cpuQuotaMicros, memoryBytes }: PodCgroup): Promise<void> {
    await this.#set(path, shares);
    if (this.#options.version === 2) {
      await writeFile(join(this.#mount, path, 'cpu.max'), `${cpuQuotaMicros ?? 'max'} ${periodMicros}`);
      await writeFile(join(this.#mount, path, 'memory.max'), String(memoryBytes ?? 'max'));
      return;
    }
    await writeFile(join(this.#mount, 'cpu', path, 'cpu.cfs_period_us'), String(periodMicros));
    await writeFile(join(this.#mount, 'cpu', path, 'cpu.cfs_quota_us'), String(cpuQuotaMicros ?? -1));
    await writeFile(join(this.#mount, 'memory', path, 'memory.limit_in_bytes'), String(memoryBytes ?? -1));
  }

  async #limitProcesses(path: string, most: number | undefined): Promise<void> {
    if (most === undefined) return;
    const folder = join(this.#mount, this.#options.version === 1 ? 'pids' : '', path);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'pids.max'), String(most));
  }

  /** With cgroup v1 the hierarchy may not be mounted: limits cannot be enforced then. */
  async #limitHugePages(path: string, pod: Pod): Promise<void> {
    const hierarchy = this.#options.version === 1 ? join(this.#mount, 'hugetlb') : this.#mount;
    if (this.#options.version === 1) {
      if (!existsSync(hierarchy)) return;
      await mkdir(join(hierarchy, path), { recursive: true });
    }
    await limitHugePages(join(hierarchy, path), hugePageLimits(pod));
  }

  async #set(path: string, shares: number): Promise<void> {
    if (this.#options.version === 1) await writeFile(join(this.#mount, 'cpu', path, 'cpu.shares'), String(shares));
    else await writeFile(join(this.#mount, path, 'cpu.weight'), String(cpuWeight(shares)));
  }
}

async function handDown(folder: string): Promise<void> {
  const present = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  for (const name of controllers.filter((one) => present.includes(one))) {
    await writeFile(join(folder, 'cgroup.subtree_control'), `+${name}`).catch(() => undefined);
  }
}

/** A cgroup's files cannot be removed, its folders can, children first. What is busy stays for the next time. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}
