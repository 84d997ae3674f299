import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What pods need of the kernel, by paths below /proc/sys (pkg/util/sysctl). */
const wanted: Readonly<Record<string, number>> = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};

/** One line for each setting that is another one, for --protect-kernel-defaults. */
export async function kernelProblems(root = '/proc/sys'): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(wanted).map(async ([name, value]): Promise<string[]> => {
      const actual = Number(await readFile(join(root, name), 'utf8').catch(() => 'NaN'));
      return actual === value ? [] : [`invalid kernel flag: ${name}, expected value: ${value}, actual value: ${actual}`];
    }),
  );
  return found.flat();
}
