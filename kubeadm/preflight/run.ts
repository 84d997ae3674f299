import { UsageError } from '#base/lifecycle.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Check } from './checks.ts';
import type { HostFacts } from './facts.ts';

/**
 * Runs every check and says what each found. Throws a UsageError when one found an error; those in `ignored` (any case, or `all`) only warn.
 */
export async function runChecks(checks: readonly Check[], facts: HostFacts, ignored: readonly string[], host: Surroundings): Promise<void> {
  const lower = new Set(ignored.map((name) => name.toLowerCase()));
  const failures: string[] = [];
  for (const { name, look } of checks) {
    const { warnings = [], errors = [] } = await look(facts);
    const isIgnored = lower.has('all') || lower.has(name.toLowerCase());
    for (const line of isIgnored ? [...warnings, ...errors] : warnings) host.warn(`\t[WARNING ${name}]: ${line}\n`);
    if (!isIgnored) failures.push(...errors.map((line) => `\t[ERROR ${name}]: ${line}\n`));
  }
  if (failures.length === 0) return;
  host.warn(
    `[preflight] Some fatal errors occurred:\n${failures.join('')}[preflight] If you know what you are doing, you can make a check non-fatal with \`--ignore-preflight-errors=...\`\n`,
  );
  throw new UsageError('error execution phase preflight: preflight checks failed', { exitCode: 1 });
}
