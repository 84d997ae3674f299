import { readFileSync } from 'node:fs';
import { UsageError } from './lifecycle.ts';

/** The text of a file that a flag names. Throws UsageError naming the flag. */
export function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${flag}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
