// Cgroups where systemd is in charge of them: slices, which it makes with those above when they are started. The engine puts containers into
// them as scopes. Limits are runtime properties, so nothing of them is left after a reboot.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cpuWeight } from './container-resources.ts';
import type { PodCgroup } from './pod-cgroup.ts';

const limitMs = 10_000;

export class Slices {
  readonly #systemctl: string;

  constructor(systemctl = 'systemctl') {
    this.#systemctl = systemctl;
  }

  /** Starts the slice and sets its limits. May be repeated. */
  async set(slice: string, limits: Pick<PodCgroup, 'cpuShares'> & Partial<PodCgroup>, maxPids?: number): Promise<void> {
    await this.#run('start', slice);
    await this.#run('set-property', '--runtime', slice, ...propertiesOf(limits), ...(maxPids === undefined ? [] : [`TasksMax=${maxPids}`]));
  }

  /** Ends it and what is still inside. Nothing happens where there is none. */
  async stop(slice: string): Promise<void> {
    await this.#run('stop', slice).catch(() => undefined);
  }

  async #run(...args: readonly string[]): Promise<void> {
    await promisify(execFile)(this.#systemctl, args, { timeout: limitMs });
  }
}

/** As systemd spells them; what has no limit is said, too, since a pod may be resized. */
function propertiesOf(limits: Pick<PodCgroup, 'cpuShares'> & Partial<PodCgroup>): readonly string[] {
  const { cpuShares, cpuQuotaMicros, memoryBytes } = limits;
  return [
    'CPUAccounting=yes',
    'MemoryAccounting=yes',
    'TasksAccounting=yes',
    `CPUWeight=${cpuWeight(cpuShares)}`,
    ...('cpuQuotaMicros' in limits ? [`CPUQuota=${cpuQuotaMicros === undefined ? '' : `${cpuQuotaMicros / 1_000}%`}`] : []),
    ...('memoryBytes' in limits ? [`MemoryMax=${memoryBytes ?? 'infinity'}`] : []),
  ];
}
