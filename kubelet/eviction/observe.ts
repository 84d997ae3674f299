// What is measured of the machine, as signals. Pure.
import type { Measurements } from '../node/measure.ts';
import type { Observation, Observations, Signal } from './signals.ts';

/** What could not be measured is absent. */
export function observationsOf({ memory, podsMemory, disk, imageDisk, processes }: Measurements): Observations {
  const found = new Map<Signal, Observation>();
  if (memory !== undefined) found.set('memory.available', memoryOf(memory));
  if (podsMemory !== undefined) found.set('allocatableMemory.available', memoryOf(podsMemory));
  for (const [name, use] of [
    ['nodefs', disk],
    ['imagefs', imageDisk],
    // Containers write where the images are.
    ['containerfs', imageDisk],
  ] as const) {
    if (use.totalBytes > 0) found.set(`${name}.available`, { available: use.availableBytes, capacity: use.totalBytes });
    // Some file systems allocate inodes on demand and report none.
    if (use.totalInodes > 0) found.set(`${name}.inodesFree`, { available: use.freeInodes, capacity: use.totalInodes });
  }
  if (processes !== undefined) found.set('pid.available', { available: processes.most - processes.running, capacity: processes.most });
  return found;
}

function memoryOf({ availableBytes, workingSetBytes }: NonNullable<Measurements['memory']>): Observation {
  return { available: availableBytes, capacity: availableBytes + workingSetBytes };
}
